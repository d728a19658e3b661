/** The little of multicast DNS (RFC 6762, RFC 1035 §4) that a name's address takes: one question, bounded reading. */

const headerBytes = 12;
const types = { a: 1, aaaa: 28 } as const;
const internetClass = 1;
/** RFC 6762 §10.2: "cache flush", in the class of an answer. */
const flushBit = 0x8000;
const responseFlag = 0x8000;
/** RFC 6762 §17. */
const maxPacketBytes = 9_000;
const maxRecords = 64;
const maxNameBytes = 255;
/** Jumps within one name: honest packets have one or two. */
const maxPointers = 16;

export interface MdnsAddress {
  /** Lower case. */
  readonly name: string;
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

/** A question for both kinds of address of `name`, whose labels have 1–63 characters of ASCII. */
export function writeMdnsQuery(name: string): Buffer {
  const labels = name.split('.').map((label) => {
    const text = Buffer.from(label, 'latin1');
    return Buffer.concat([Buffer.from([text.length]), text]);
  });
  const encoded = Buffer.concat([...labels, Buffer.from([0])]);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(2, 4);
  const question = (type: number): Buffer => {
    const tail = Buffer.alloc(4);
    tail.writeUInt16BE(type, 0);
    tail.writeUInt16BE(internetClass, 2);
    return Buffer.concat([encoded, tail]);
  };
  return Buffer.concat([header, question(types.a), question(types.aaaa)]);
}

/** The addresses in a response; empty for anything else. Linear in the packet's length. */
export function readMdnsAddresses(packet: Buffer): MdnsAddress[] {
  if (packet.length < headerBytes || packet.length > maxPacketBytes) return [];
  const flags = packet.readUInt16BE(2);
  // RFC 6762 §18.3 and §18.11: other operations and errors are ignored.
  if ((flags & responseFlag) === 0 || (flags & 0x780f) !== 0) return [];
  const questions = packet.readUInt16BE(4);
  const records = packet.readUInt16BE(6) + packet.readUInt16BE(8) + packet.readUInt16BE(10);
  if (questions > maxRecords || records > maxRecords) return [];
  let offset = headerBytes;
  for (let index = 0; index < questions; index += 1) {
    const name = readName(packet, offset);
    if (name === undefined) return [];
    offset = name.end + 4;
  }
  const addresses: MdnsAddress[] = [];
  for (let index = 0; index < records; index += 1) {
    const name = readName(packet, offset);
    if (name === undefined || name.end + 10 > packet.length) return addresses;
    const type = packet.readUInt16BE(name.end);
    const isInternet = (packet.readUInt16BE(name.end + 2) & ~flushBit) === internetClass;
    const ttl = packet.readUInt32BE(name.end + 4);
    const start = name.end + 10;
    const end = start + packet.readUInt16BE(name.end + 8);
    if (end > packet.length) return addresses;
    const address = isInternet ? addressText(type, packet.subarray(start, end)) : undefined;
    if (address !== undefined) addresses.push({ name: name.text, address, ttl });
    offset = end;
  }
  return addresses;
}

function addressText(type: number, data: Buffer): string | undefined {
  if (type === types.a && data.length === 4) return data.join('.');
  if (type !== types.aaaa || data.length !== 16) return undefined;
  return Array.from({ length: 8 }, (_, index) => data.readUInt16BE(index * 2).toString(16)).join(
    ':',
  );
}

/** RFC 1035 §4.1.4: labels, or a pointer to earlier ones. */
function readName(packet: Buffer, at: number): { text: string; end: number } | undefined {
  const labels: string[] = [];
  let bytes = 0;
  let pointers = 0;
  let offset = at;
  let end: number | undefined;
  for (;;) {
    const length = packet[offset];
    if (length === undefined) return undefined;
    if (length === 0) {
      return { text: labels.join('.').toLowerCase(), end: end ?? offset + 1 };
    }
    if (length >= 0xc0) {
      const low = packet[offset + 1];
      pointers += 1;
      if (low === undefined || pointers > maxPointers) return undefined;
      end ??= offset + 2;
      offset = (length & 0x3f) * 256 + low;
      continue;
    }
    const next = offset + 1 + length;
    bytes += 1 + length;
    if (length > 63 || next > packet.length || bytes > maxNameBytes) return undefined;
    labels.push(packet.toString('latin1', offset + 1, next));
    offset = next;
  }
}
