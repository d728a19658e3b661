import type { MicrophoneSettings } from '../audio/microphone-settings.ts';

/** `a=mid` of the section that carries the viewer's microphone in every offer of the device. */
export const microphoneMid = '1';

const opusRtpmap = /^a=rtpmap:(\d{1,3}) opus\/48000\/2$/i;

/** The format parameters a browser's encoder obeys (RFC 7587 §6.1), as the device would offer them. */
function parametersOf({ maxBitrateBps, channels, dtx, fec }: MicrophoneSettings) {
  return new Map([
    ['useinbandfec', fec ? '1' : '0'],
    ['usedtx', dtx ? '1' : '0'],
    ['stereo', channels === 2 ? '1' : '0'],
    ['maxaveragebitrate', String(maxBitrateBps)],
  ]);
}

function formatParameters(parameters: string, settings: MicrophoneSettings): string {
  const wanted = parametersOf(settings);
  const kept = parameters
    .split(';')
    .map((parameter) => parameter.trim())
    .filter((parameter) => {
      const [name = ''] = parameter.toLowerCase().split('=');
      return name !== '' && name !== 'ptime' && !wanted.has(name.trim());
    });
  return [...kept, ...[...wanted].map(([name, value]) => `${name}=${value}`)].join(';');
}

function sectionFor(section: readonly string[], settings: MicrophoneSettings): string[] {
  const payloadType = section.flatMap((line) => opusRtpmap.exec(line)?.[1] ?? [])[0];
  if (payloadType === undefined) return [...section];
  const prefix = `a=fmtp:${payloadType} `;
  const format = section.find((line) => line.startsWith(prefix))?.slice(prefix.length) ?? '';
  const ptime = `a=ptime:${Math.max(minPtimeMs, settings.frameMs)}`;
  return section.flatMap((line) => {
    if (line.startsWith(prefix) || line.startsWith('a=ptime:')) return [];
    if (!opusRtpmap.test(line)) return [line];
    return [line, prefix + formatParameters(format, settings), ptime];
  });
}

/** Chromium sends no shorter packets. */
const minPtimeMs = 10;

/** RFC 8866 §5.2: each description of a session has a version above the last. */
function nextVersion(line: string): string {
  return line.replace(/^(o=\S+ \S+ )(\d{1,19}) /, (_, head: string, version: string) => {
    return `${head}${BigInt(version) + 1n} `;
  });
}

/**
 * The device's offer as if it had been made with `settings` for the microphone. A browser's encoder obeys
 * the offer's format parameters and ptime, also when a changed one is applied to the running connection:
 * nothing is signalled, ICE and the received sound go on untouched. The same string where it says so already.
 */
export function offerWithMicrophone(sdp: string, settings: MicrophoneSettings): string {
  const lines = sdp.split(/\r\n|\n/);
  const sections: string[][] = [[]];
  for (const line of lines) {
    if (line.startsWith('m=')) sections.push([]);
    sections.at(-1)?.push(line);
  }
  const changed = sections.flatMap((section) =>
    section.includes(`a=mid:${microphoneMid}`) ? sectionFor(section, settings) : section,
  );
  const before = new Set(lines);
  if (changed.length === lines.length && changed.every((line) => before.has(line))) return sdp;
  return changed.map(nextVersion).join('\r\n');
}
