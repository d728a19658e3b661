/** An SDP answer that cannot carry the host's sound; the message says why, in words for a person. */
export class AnswerSdpError extends Error {
  override readonly name = 'AnswerSdpError';
}

const opusRtpmap = /^a=rtpmap:(\d{1,3}) opus\/48000\/2$/i;

/** The payload types of a media section that are Opus (RFC 7587 §7). */
function opusPayloadTypes(section: readonly string[]): string[] {
  return section.flatMap((line) => opusRtpmap.exec(line)?.[1] ?? []);
}

function receives(section: readonly string[]): boolean {
  return section.some((line) => line === 'a=recvonly' || line === 'a=sendrecv');
}

/** `stereo=1` in a list of format parameters, in place of any other value, the rest untouched. */
function stereoParameters(parameters: string): string {
  const kept = parameters
    .split(';')
    .map((parameter) => parameter.trim())
    .filter((parameter) => parameter !== '' && !/^stereo\s*=/i.test(parameter));
  return [...kept, 'stereo=1'].join(';');
}

function askForStereo(section: readonly string[], payloadType: string): string[] {
  const prefix = `a=fmtp:${payloadType} `;
  if (section.some((line) => line.startsWith(prefix))) {
    return section.map((line) =>
      line.startsWith(prefix) ? prefix + stereoParameters(line.slice(prefix.length)) : line,
    );
  }
  return section.flatMap((line) =>
    opusRtpmap.exec(line)?.[1] === payloadType ? [line, `${prefix}stereo=1`] : [line],
  );
}

/** Asks for lost packets again (RFC 4585 §6.2.1): Chromium does for sound when its own answer says so. */
function askForRepeats(section: readonly string[], payloadType: string): string[] {
  const nack = `a=rtcp-fb:${payloadType} nack`;
  if (section.includes(nack)) return [...section];
  return section.flatMap((line) =>
    opusRtpmap.exec(line)?.[1] === payloadType ? [line, nack] : [line],
  );
}

/**
 * The answer as the host's sound needs it, in each audio section it receives on: `stereo=1` in the Opus
 * format parameters, without which Chromium decodes stereo to one channel (RFC 7587 §6.1), and `nack`,
 * which the device offers and Chromium leaves out.
 *
 * Throws {@link AnswerSdpError} where the text is not an SDP, or receives no Opus.
 */
export function soundAnswer(sdp: string): string {
  const lines = sdp.split(/\r\n|\n/);
  if (lines[0] !== 'v=0') throw new AnswerSdpError('The browser made an answer that is not SDP.');
  const sections: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith('m=')) sections.push([]);
    sections.at(-1)?.push(line);
  }
  let found = false;
  const changed = sections.map((section) => {
    if (!section[0]?.startsWith('m=audio ') || !receives(section)) return section;
    const payloadTypes = opusPayloadTypes(section);
    found ||= payloadTypes.length > 0;
    return payloadTypes.reduce<readonly string[]>(
      (lines, payloadType) => askForRepeats(askForStereo(lines, payloadType), payloadType),
      section,
    );
  });
  if (!found)
    throw new AnswerSdpError('This browser cannot receive Opus, the codec of the host’s sound.');
  return changed.flat().join('\r\n');
}
