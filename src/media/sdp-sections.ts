import { EarshotError } from '../errors/earshot-error.ts';

/**
 * A session description in its sections (RFC 8866 §5), before anything is made of their attributes.
 * Bounded: the text by the schema of what carried it, lines and sections here.
 */

/** Whose fault it is when one cannot be read. */
export type SdpKind = 'offer' | 'answer';

export interface SdpSection {
  readonly kind: string;
  /** 0: the section is refused (RFC 3264 §6), or its transport is another's. */
  readonly port: number;
  /** Formats of the media line: payload types, as they stand there. */
  readonly formats: readonly string[];
  /** Attribute lines in their order, with `a=`. */
  readonly attributes: readonly string[];
}

export interface SdpDescription {
  /** The lines before the first section. */
  readonly session: readonly string[];
  readonly sections: readonly SdpSection[];
}

const maxLines = 1_000;
const maxSections = 16;
const maxLineLength = 4_096;

const codes = { offer: 'MEDIA_OFFER_INVALID', answer: 'MEDIA_ANSWER_INVALID' } as const;

/** The error of a description; `why` goes on from "The SDP offer". */
export function sdpInvalid(kind: SdpKind, why: string): EarshotError {
  return new EarshotError(codes[kind], `The SDP ${kind} ${why}.`);
}

/** Splits one. Throws MEDIA_OFFER_INVALID or MEDIA_ANSWER_INVALID. */
export function readSections(sdp: string, kind: SdpKind): SdpDescription {
  const lines = sdp.split(/\r\n|\n/).filter((line) => line !== '');
  if (lines[0] !== 'v=0') throw sdpInvalid(kind, 'does not begin with "v=0"');
  if (lines.length > maxLines) throw sdpInvalid(kind, `has more than ${maxLines} lines`);
  const session: string[] = [];
  const sections: (SdpSection & { readonly attributes: string[] })[] = [];
  for (const line of lines) {
    if (line.length > maxLineLength || !/^[a-z]=/.test(line)) {
      throw sdpInvalid(kind, 'has a line that is not of the form "x=…"');
    }
    if (line.startsWith('m=')) {
      sections.push(readMediaLine(line, kind));
      if (sections.length > maxSections) {
        throw sdpInvalid(kind, `has more than ${maxSections} sections`);
      }
      continue;
    }
    const section = sections.at(-1);
    if (section === undefined) session.push(line);
    else if (line.startsWith('a=')) section.attributes.push(line);
  }
  return { session, sections };
}

/** Values of the attributes of that name among the lines; of one that is a mere flag, ''. */
export function attributeValues(lines: readonly string[], name: string): string[] {
  const flag = `a=${name}`;
  return lines
    .filter((line) => line === flag || line.startsWith(`${flag}:`))
    .map((line) => line.slice(flag.length + 1).trim());
}

export function hasAttribute(lines: readonly string[], name: string): boolean {
  return attributeValues(lines, name).length > 0;
}

/** RFC 8866 §5.14. */
function readMediaLine(line: string, kind: SdpKind) {
  const [media = '', port = '', protocol = '', ...formats] = line.slice(2).split(' ');
  if (!/^\d{1,5}$/.test(port)) {
    throw sdpInvalid(kind, `has a malformed media line: "${line.slice(0, 80)}"`);
  }
  if (!protocol.includes('/')) {
    throw sdpInvalid(kind, `has a media line that names no protocol: "${line.slice(0, 80)}"`);
  }
  return { kind: media, port: Number(port), formats, attributes: [] };
}
