import { chFrTable, chTable } from './ch.ts';
import { deTable } from './de.ts';
import { esTable } from './es.ts';
import { frTable } from './fr.ts';
import { itTable } from './it.ts';
import { jpTable } from './jp.ts';
import { type Layout, type LayoutTable, layoutOf } from './layout.ts';
import type { LayoutName } from './layout-names.ts';
import { seTable } from './se.ts';
import { ukTable } from './uk.ts';
import { usTable } from './us.ts';

/**
 * Every layout's table. They hold what the keys of these keyboards show, where systems agree on it; a test
 * compares them with xkeyboard-config.
 */
export const layoutTables: Readonly<Record<LayoutName, LayoutTable>> = {
  us: usTable,
  uk: ukTable,
  de: deTable,
  fr: frTable,
  es: esTable,
  it: itTable,
  se: seTable,
  ch: chTable,
  'ch-fr': chFrTable,
  jp: jpTable,
};

const made = new Map<LayoutName, Layout>();

/** The strokes of a layout; made when it is first asked for. */
export function layoutNamed(name: LayoutName): Layout {
  const known = made.get(name);
  if (known !== undefined) return known;
  const layout = layoutOf(layoutTables[name]);
  made.set(name, layout);
  return layout;
}
