import { glyphColumns, glyphRows, glyphs } from '../../video/slate-font.ts';

/** From one letter, and from one line, to the next, in dots. */
const advance = glyphColumns + 1;
const lineHeight = 12;
/** Dots that a card is to have at least on each side of its words. */
const margin = 6;

/** One pixel: red, green, blue, 0–255 each. */
export type Rgb = readonly [number, number, number];

const dark: Rgb = [18, 20, 24];
const light: Rgb = [214, 218, 224];

/**
 * A still picture in RGB: a dark card with words in the middle. They are written in capitals; a character that
 * the card has no letter for becomes a blank. Words that do not fit are cut at the edges.
 */
export function drawCard(card: {
  readonly width: number;
  readonly height: number;
  readonly lines: readonly string[];
}): Buffer {
  const { width, height } = card;
  const lines = card.lines.map((line) => line.toUpperCase());
  const picture = Buffer.alloc(width * height * 3);
  fillBlock({ picture, width, height }, { x: 0, y: 0, width, height }, dark);
  const longest = Math.max(1, ...lines.map((line) => line.length));
  const dot = Math.max(
    1,
    Math.min(
      Math.floor(width / (longest * advance + 2 * margin)),
      Math.floor(height / (lines.length * lineHeight + 2 * margin)),
    ),
  );
  const top = Math.round(
    (height - (lines.length * lineHeight - (lineHeight - glyphRows)) * dot) / 2,
  );
  for (const [number, line] of lines.entries()) {
    const left = Math.round((width - (line.length * advance - 1) * dot) / 2);
    for (const [place, letter] of [...line].entries()) {
      const at = { x: left + place * advance * dot, y: top + number * lineHeight * dot };
      drawGlyph({ picture, width, height }, { ...at, dot }, glyphs[letter] ?? []);
    }
  }
  return picture;
}

interface Canvas {
  readonly picture: Buffer;
  readonly width: number;
  readonly height: number;
}

function drawGlyph(
  canvas: Canvas,
  { x, y, dot }: { readonly x: number; readonly y: number; readonly dot: number },
  glyph: readonly number[],
): void {
  for (const [row, bits] of glyph.entries()) {
    for (let column = 0; column < glyphColumns; column += 1) {
      if ((bits & (1 << (glyphColumns - 1 - column))) === 0) continue;
      const block = { x: x + column * dot, y: y + row * dot, width: dot, height: dot };
      fillBlock(canvas, block, light);
    }
  }
}

/** Fills a block of a picture with one colour; what lies beyond its edges is left out. */
export function fillBlock(
  canvas: Canvas,
  block: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  },
  [red, green, blue]: Rgb,
): void {
  const right = Math.min(block.x + block.width, canvas.width);
  const bottom = Math.min(block.y + block.height, canvas.height);
  for (let y = Math.max(block.y, 0); y < bottom; y += 1) {
    for (let x = Math.max(block.x, 0); x < right; x += 1) {
      const at = (y * canvas.width + x) * 3;
      canvas.picture[at] = red;
      canvas.picture[at + 1] = green;
      canvas.picture[at + 2] = blue;
    }
  }
}
