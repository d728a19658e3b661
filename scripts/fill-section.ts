/**
 * Replaces what stands between `<!-- generated: NAME (make docs) -->` and `<!-- end: NAME -->`. Throws
 * when the document has no such part.
 */
export function fillSection(document: string, name: string, text: string): string {
  const begin = `<!-- generated: ${name} (make docs) -->`;
  const end = `<!-- end: ${name} -->`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from === -1 || to < from) throw new Error(`the document lacks ${begin} … ${end}`);
  return `${document.slice(0, from + begin.length)}\n\n${text}\n\n${document.slice(to)}`;
}
