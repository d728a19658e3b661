import { readFileSync, writeFileSync } from 'node:fs';
import { docsSections } from './docs-sections.ts';
import { fillSection } from './fill-section.ts';

/** Writes the generated parts of docs/ anew. */
for (const { file, name, text } of docsSections) {
  const url = new URL(`../docs/${file}`, import.meta.url);
  writeFileSync(url, fillSection(readFileSync(url, 'utf8'), name, text()));
}
