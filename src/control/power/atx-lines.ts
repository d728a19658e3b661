/** Lines of the extension board's protocol (ATX-PROTOCOL.md): pure text, no port and no clock. */

export const atxProtocolVersion = '1';

/** The longest line in bytes, its end not counted. */
export const maxLineBytes = 96;

/** `power=on disk=120` */
export type AtxFields = Readonly<Record<string, string>>;

export type AtxLine =
  /** From the device. */
  | { readonly kind: 'request'; readonly id: number; readonly words: readonly string[] }
  /** From the board: to the request of that id. */
  | { readonly kind: 'done'; readonly id: number; readonly fields: AtxFields }
  | { readonly kind: 'refused'; readonly id: number; readonly word: string }
  /** From the board, unasked. */
  | { readonly kind: 'event'; readonly name: string; readonly fields: AtxFields };

/** CRC-8 with the polynomial x⁸ + x² + x + 1, from 0 (CRC-8/SMBUS): 0xF4 for `123456789`. */
export function crc8(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x80 ? 0x07 : 0)) & 0xff;
  }
  return crc;
}

/** The line with its checksum and its end. */
export function writeLine(line: AtxLine): string {
  const text = lineWords(line).join(' ');
  return `${text}*${checksum(text)}\n`;
}

function lineWords(line: AtxLine): string[] {
  switch (line.kind) {
    case 'request':
      return [`?${line.id}`, ...line.words];
    case 'done':
      return [`=${line.id}`, 'ok', ...fieldWords(line.fields)];
    case 'refused':
      return [`=${line.id}`, 'error', line.word];
    case 'event':
      return [`!${line.name}`, ...fieldWords(line.fields)];
  }
}

function fieldWords(fields: AtxFields): string[] {
  return Object.entries(fields).map(([key, value]) => `${key}=${value}`);
}

function checksum(text: string): string {
  return crc8(Buffer.from(text, 'latin1')).toString(16).toUpperCase().padStart(2, '0');
}

const word = /^[\w.,:-]+$/;
const field = /^(\w+)=([\w.,:-]*)$/;

/** A line without its end; undefined for one that is garbled or none of the protocol. */
export function readLine(text: string): AtxLine | undefined {
  const match = /^([\x20-\x7e]+)\*([0-9A-F]{2})$/.exec(text);
  const [, body = '', sum] = match ?? [];
  if (sum === undefined || sum !== checksum(body)) return undefined;
  const [head = '', ...rest] = body.split(' ');
  const mark = head.slice(0, 1);
  const name = head.slice(1);
  if (mark === '!') {
    const fields = readFields(rest);
    return fields === undefined || !word.test(name) ? undefined : { kind: 'event', name, fields };
  }
  if (!/^[1-9]\d{0,3}$/.test(name)) return undefined;
  const id = Number(name);
  if (mark === '?') {
    return rest.length > 0 && rest.every((part) => word.test(part))
      ? { kind: 'request', id, words: rest }
      : undefined;
  }
  return mark === '=' ? readAnswer(id, rest) : undefined;
}

function readAnswer(id: number, [verdict, ...rest]: readonly string[]): AtxLine | undefined {
  if (verdict === 'error') {
    const [reason = ''] = rest;
    return rest.length === 1 && word.test(reason)
      ? { kind: 'refused', id, word: reason }
      : undefined;
  }
  const fields = readFields(rest);
  return verdict === 'ok' && fields !== undefined ? { kind: 'done', id, fields } : undefined;
}

function readFields(words: readonly string[]): AtxFields | undefined {
  const fields: Record<string, string> = {};
  for (const part of words) {
    const [, key, value] = field.exec(part) ?? [];
    if (key === undefined || value === undefined) return undefined;
    fields[key] = value;
  }
  return fields;
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** Cuts what comes from a port into lines, and goes on at the next line end after what is none. */
export class LineCutter {
  readonly #onLine: (text: string) => void;
  readonly #onGarbage: () => void;
  readonly #line = Buffer.alloc(maxLineBytes);
  #length = 0;
  #tooLong = false;

  constructor(options: {
    readonly onLine: (text: string) => void;
    readonly onGarbage: () => void;
  }) {
    this.#onLine = options.onLine;
    this.#onGarbage = options.onGarbage;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === lineFeed) this.#end();
      else if (byte === carriageReturn) continue;
      else if (this.#length === maxLineBytes) this.#tooLong = true;
      else this.#length = this.#line.writeUInt8(byte, this.#length);
    }
  }

  /** What came before belongs to another connection. */
  reset(): void {
    this.#length = 0;
    this.#tooLong = false;
  }

  #end(): void {
    const text = this.#line.toString('latin1', 0, this.#length);
    const { length } = text;
    const wasTooLong = this.#tooLong;
    this.reset();
    if (wasTooLong) this.#onGarbage();
    else if (length > 0) this.#onLine(text);
  }
}
