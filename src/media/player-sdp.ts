import { mids } from './peer-offer.ts';
import {
  attributeValues,
  hasAttribute,
  readSections,
  type SdpDescription,
  type SdpSection,
  sdpInvalid,
} from './sdp-sections.ts';

/**
 * Players offer (draft-ietf-wish-whep), while the media path offers itself and reads answers. So each of the
 * two descriptions is rewritten into what the other side expects: the player's offer into the answer that a
 * page would have given to the device's offer, and the device's offer into an answer to the player's. Payload
 * types and extension ids stay those of the player.
 */

/** Which section of the player's takes what. */
interface Roles {
  readonly sound: SdpSection;
  readonly picture: SdpSection | undefined;
}

const transportAttributes = ['ice-ufrag', 'ice-pwd', 'fingerprint'] as const;
const midUri = 'urn:ietf:params:rtp-hdrext:sdes:mid';

/**
 * The answer that a page would give in the player's place, for the media path. Throws MEDIA_OFFER_INVALID
 * for what is no offer to receive, MEDIA_NO_OPUS for one without Opus; what else is wrong with it is found
 * where every answer is read.
 */
export function answerOfPage(offer: string): string {
  const player = readSections(offer, 'offer');
  const { sound, picture } = rolesIn(player);
  const transport = transportOf(player);
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    ...sectionOfPage(sound, { mid: mids.sound, transport }),
    ...refused('audio', mids.microphone),
    ...(picture === undefined
      ? refused('video', mids.video)
      : sectionOfPage(picture, { mid: mids.video, transport })),
    ...refused('application', mids.data),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

/** The device's offer as an answer to the player's, with the candidates found so far. */
export function answerToPlayer(options: {
  readonly offer: string;
  readonly deviceOffer: string;
  /** Lines `candidate:…`. */
  readonly candidates: readonly string[];
}): string {
  const player = readSections(options.offer, 'offer');
  const device = readSections(options.deviceOffer, 'offer');
  const roles = rolesIn(player);
  const transport = transportOf(device);
  const accepted = player.sections.filter(
    (section) => section === roles.sound || section === roles.picture,
  );
  const answered = player.sections.map((section, index) => {
    const isFirst = section === accepted[0];
    const from = sectionOf(device, section === roles.sound ? mids.sound : mids.video);
    if (!accepted.includes(section) || from === undefined) return refusedLike(section, index);
    return [
      ...mediaLines(section),
      ...transport,
      'a=ice-options:trickle',
      'a=setup:passive',
      `a=mid:${midOf(section, index)}`,
      'a=sendonly',
      'a=rtcp-mux',
      'a=rtcp-rsize',
      ...formatLines(section),
      ...extensionLines(section, from),
      ...from.attributes.filter((line) => /^a=(msid|ssrc|ssrc-group):/.test(line)),
      ...(isFirst ? [...options.candidates.map((line) => `a=${line}`), 'a=end-of-candidates'] : []),
    ];
  });
  const bundled = player.sections.flatMap((section, index) =>
    accepted.includes(section) ? [midOf(section, index)] : [],
  );
  const origin = device.session.find((line) => line.startsWith('o=')) ?? 'o=- 1 1 IN IP4 0.0.0.0';
  const lines = [
    ...['v=0', origin, 's=-', 't=0 0'],
    `a=group:BUNDLE ${bundled.join(' ')}`,
    'a=extmap-allow-mixed',
    'a=msid-semantic: WMS *',
    ...answered.flat(),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function rolesIn({ sections }: SdpDescription): Roles {
  const receiving = sections.filter(
    ({ attributes }) =>
      !hasAttribute(attributes, 'sendonly') && !hasAttribute(attributes, 'inactive'),
  );
  const sound = receiving.find(({ kind }) => kind === 'audio');
  if (sound === undefined) {
    throw sdpInvalid(
      'offer',
      'has no audio section that receives ("a=recvonly"); a player gets the sound, and the picture beside it',
    );
  }
  return { sound, picture: receiving.find(({ kind }) => kind === 'video') };
}

function sectionOfPage(
  section: SdpSection,
  { mid, transport }: { readonly mid: string; readonly transport: readonly string[] },
): string[] {
  return [
    ...mediaLines(section),
    ...transport,
    'a=setup:active',
    `a=mid:${mid}`,
    'a=recvonly',
    'a=rtcp-mux',
    ...formatLines(section),
    // The player knows the section by another name than the media path, so packets carry none.
    ...section.attributes.filter((line) => line.startsWith('a=extmap:') && !line.includes(midUri)),
    ...section.attributes.filter((line) => line.startsWith('a=candidate:')),
  ];
}

function mediaLines({ kind, formats }: SdpSection): string[] {
  return [`m=${kind} 9 UDP/TLS/RTP/SAVPF ${formats.join(' ')}`, 'c=IN IP4 0.0.0.0'];
}

function formatLines({ attributes }: SdpSection): string[] {
  return attributes.filter((line) => /^a=(rtpmap|fmtp|rtcp-fb):/.test(line));
}

/** Of the player's extensions those that the device writes, by the player's ids. */
function extensionLines(player: SdpSection, device: SdpSection): string[] {
  const uri = (line: string): string => line.split(' ')[1] ?? '';
  const written = new Set(
    device.attributes.filter((line) => line.startsWith('a=extmap:')).map(uri),
  );
  return player.attributes.filter(
    (line) => line.startsWith('a=extmap:') && written.has(uri(line)) && !line.includes(midUri),
  );
}

/** RFC 3264 §6: a section is refused by its port. */
function refused(kind: string, mid: string): string[] {
  const protocol =
    kind === 'application' ? 'UDP/DTLS/SCTP webrtc-datachannel' : 'UDP/TLS/RTP/SAVPF 0';
  return [`m=${kind} 0 ${protocol}`, 'c=IN IP4 0.0.0.0', `a=mid:${mid}`, 'a=inactive'];
}

function refusedLike(section: SdpSection, index: number): string[] {
  const protocol =
    section.kind === 'application'
      ? 'UDP/DTLS/SCTP webrtc-datachannel'
      : `UDP/TLS/RTP/SAVPF ${section.formats.join(' ')}`;
  return [
    `m=${section.kind} 0 ${protocol}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${midOf(section, index)}`,
    'a=inactive',
  ];
}

function midOf({ attributes }: SdpSection, index: number): string {
  const [mid] = attributeValues(attributes, 'mid');
  return mid !== undefined && /^[\w-]{1,64}$/.test(mid) ? mid : String(index);
}

function sectionOf({ sections }: SdpDescription, mid: string): SdpSection | undefined {
  return sections.find(({ attributes }) => attributeValues(attributes, 'mid').includes(mid));
}

/** ICE credentials and fingerprints of the bundle: of its first section, or of the session. */
function transportOf({ session, sections }: SdpDescription): string[] {
  const owner =
    sections.find(({ attributes }) => hasAttribute(attributes, 'ice-ufrag'))?.attributes ?? session;
  return transportAttributes.flatMap((name) => {
    const own = owner.filter((line) => line.startsWith(`a=${name}:`));
    return own.length > 0 ? own : session.filter((line) => line.startsWith(`a=${name}:`));
  });
}
