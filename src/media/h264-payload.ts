import { maxVideoPayloadBytes } from './packet-size.ts';

/**
 * H.264 in RTP payloads (RFC 6184), non-interleaved (packetization-mode 1): a NAL unit that fits goes
 * as it is (§5.6), parameter sets together in one STAP-A (§5.7.1), what is larger in FU-As (§5.8).
 */

/** NAL unit types (RFC 6184 §5.2, H.264 table 7-1). */
export const nalTypes = {
  supplemental: 6,
  sequenceParameters: 7,
  pictureParameters: 8,
  delimiter: 9,
  filler: 12,
  aggregate: 24,
  fragment: 28,
} as const;

const typeMask = 0x1f;
/** F and NRI. */
const importanceMask = 0xe0;
const fragmentStart = 0x80;
const fragmentEnd = 0x40;

/**
 * The NAL units of an Annex B byte stream (H.264 annex B), without start codes and the zeros before
 * them; views, nothing is copied. What comes before the first start code is no NAL unit.
 */
export function splitAnnexB(stream: Buffer): Buffer[] {
  const units: Buffer[] = [];
  let begin = -1;
  for (let code = stream.indexOf(startCode); code >= 0; ) {
    if (begin >= 0) addUnit(units, stream, { begin, end: code });
    begin = code + startCode.length;
    code = stream.indexOf(startCode, begin);
  }
  if (begin >= 0) addUnit(units, stream, { begin, end: stream.length });
  return units;
}

const startCode = Buffer.from([0, 0, 1]);

/** A NAL unit never ends with a zero (H.264 §7.4.1): those belong to the next start code or pad the stream. */
function addUnit(
  units: Buffer[],
  stream: Buffer,
  { begin, end }: { readonly begin: number; readonly end: number },
): void {
  let last = end;
  while (last > begin && stream[last - 1] === 0) last -= 1;
  if (last > begin) units.push(stream.subarray(begin, last));
}

/**
 * The payloads of one access unit in Annex B, in order; none when there is no NAL unit in it.
 * Delimiters and filler are left out: RTP's marker says the one, and nobody needs the other.
 * Copies every byte once, so that the frame's own memory may be used again.
 */
export function packetizeH264(accessUnit: Buffer, maxBytes = maxVideoPayloadBytes): Buffer[] {
  const payloads: Buffer[] = [];
  const together: Buffer[] = [];
  for (const unit of splitAnnexB(accessUnit)) {
    const type = typeOf(unit);
    if (type === nalTypes.delimiter || type === nalTypes.filler) continue;
    if (isSmallAndCommon(type) && aggregateBytes([...together, unit]) <= maxBytes) {
      together.push(unit);
      continue;
    }
    flush(together, payloads);
    if (unit.length <= maxBytes) payloads.push(Buffer.from(unit));
    else fragment(unit, maxBytes, payloads);
  }
  flush(together, payloads);
  return payloads;
}

function typeOf(unit: Buffer): number {
  return (unit[0] ?? 0) & typeMask;
}

function isSmallAndCommon(type: number): boolean {
  return (
    type === nalTypes.sequenceParameters ||
    type === nalTypes.pictureParameters ||
    type === nalTypes.supplemental
  );
}

function aggregateBytes(units: readonly Buffer[]): number {
  return units.reduce((bytes, unit) => bytes + 2 + unit.length, 1);
}

/** One unit alone goes as it is; several in a STAP-A, whose F and NRI are the highest among them. */
function flush(together: Buffer[], payloads: Buffer[]): void {
  const units = together.splice(0);
  const [first] = units;
  if (first === undefined) return;
  if (units.length === 1) {
    payloads.push(Buffer.from(first));
    return;
  }
  const payload = Buffer.allocUnsafe(aggregateBytes(units));
  let importance = 0;
  let at = 1;
  for (const unit of units) {
    importance = Math.max(importance, (unit[0] ?? 0) & importanceMask);
    at = payload.writeUInt16BE(unit.length, at);
    payload.set(unit, at);
    at += unit.length;
  }
  payload[0] = importance | nalTypes.aggregate;
  payloads.push(payload);
}

/** The unit's first byte goes into both bytes before each part (§5.8); parts are of equal size. */
function fragment(unit: Buffer, maxBytes: number, payloads: Buffer[]): void {
  const header = unit[0] ?? 0;
  const indicator = (header & importanceMask) | nalTypes.fragment;
  const body = unit.subarray(1);
  const count = Math.ceil(body.length / (maxBytes - 2));
  const all = Buffer.allocUnsafeSlow(body.length + count * 2);
  let at = 0;
  let from = 0;
  for (let index = 0; index < count; index += 1) {
    const to = Math.floor((body.length * (index + 1)) / count);
    const start = at;
    const place = (index === 0 ? fragmentStart : 0) | (index === count - 1 ? fragmentEnd : 0);
    at = all.writeUInt8(indicator, at);
    at = all.writeUInt8(place | (header & typeMask), at);
    all.set(body.subarray(from, to), at);
    at += to - from;
    from = to;
    payloads.push(all.subarray(start, at));
  }
}
