import { type ExtensionIds, type ExtensionName, extensionUris } from './rtp-packet.ts';
import type { AnsweredSection } from './sdp-answer.ts';

/** Header extensions in the offer and the answer (RFC 8285 §5). */

/** Within a bundle an id means the same in every section (RFC 8843 §9.2). */
const offeredIds: Readonly<Record<ExtensionName, number>> = {
  mid: 1,
  transportSequence: 2,
  absCaptureTime: 3,
};

/** The attribute that offers one extension. */
export function offerExtension(name: ExtensionName): string {
  return `extmap:${offeredIds[name]} ${extensionUris[name]}`;
}

/** The attributes of a stream that we send: every extension that we write. */
export function offerExtensions(): string[] {
  return Object.keys(extensionUris).map((name) => offerExtension(extensionName(name)));
}

/** Those that the answer takes, under its ids. */
export function agreedExtensions(section: AnsweredSection): ExtensionIds {
  const ids: Partial<Record<ExtensionName, number>> = {};
  for (const [name, uri] of Object.entries(extensionUris)) {
    const id = section.extensions.get(uri);
    if (id !== undefined) ids[extensionName(name)] = id;
  }
  return ids;
}

function extensionName(name: string): ExtensionName {
  if (name === 'mid' || name === 'transportSequence' || name === 'absCaptureTime') return name;
  throw new TypeError(`no id for the header extension ${name}`);
}
