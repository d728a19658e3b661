import { glyphColumns, glyphRows, glyphs } from './slate-font.ts';

/** A picture in RGB, 3 bytes a pixel, row by row. */
export interface RgbPicture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Buffer;
}

export interface SlateText {
  /** What is wrong, in a few words; broken between words where it does not fit. */
  readonly title: string;
  /** How long it has been so, in ms: seen to run, so that nobody takes the slate for a frozen picture. */
  readonly elapsedMs: number;
}

type Colour = readonly [red: number, green: number, blue: number];

const background: Colour = [16, 20, 28];
const titleColour: Colour = [232, 236, 240];
const timeColour: Colour = [128, 144, 168];
const barColour: Colour = [64, 128, 208];

/** Longer words than the picture holds are cut. */
const maxTitleLines = 6;

/**
 * Draws the picture that stands for a missing one: dark, with the title, the running time, and a bar that
 * moves with each. Costs about 1 ms at 1280×720.
 */
export function drawSlate(
  size: { readonly width: number; readonly height: number },
  { title, elapsedMs }: SlateText,
): RgbPicture {
  const picture = { ...size, rgb: Buffer.alloc(size.width * size.height * 3) };
  fill(picture, { x: 0, y: 0, ...size }, background);
  // A glyph and the column between two are six dots wide; a title line has room for 28 of them.
  const scale = Math.max(1, Math.floor(size.width / (28 * (glyphColumns + 1))));
  const room = Math.max(1, Math.floor((size.width * 0.92) / (scale * (glyphColumns + 1))));
  const lines = wrap(title, room).slice(0, maxTitleLines);
  const lineHeight = scale * (glyphRows + 3);
  const top = Math.max(0, Math.round(size.height / 2 - (lineHeight * (lines.length + 1)) / 2));
  for (const [index, line] of lines.entries()) {
    drawCentred(picture, { text: line, y: top + index * lineHeight, scale }, titleColour);
  }
  const below = top + lines.length * lineHeight + scale * 2;
  const small = Math.max(1, Math.round(scale * 0.7));
  drawCentred(picture, { text: clockText(elapsedMs), y: below, scale: small }, timeColour);
  drawBar(picture, { y: below + small * (glyphRows + 4), scale, elapsedMs });
  return picture;
}

/** `0:07`, `12:34`, `1:02:03`. */
export function clockText(elapsedMs: number): string {
  const seconds = Math.floor(elapsedMs / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  const rest = `${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** Lines of at most so many letters, broken between words; a word that is longer is cut. */
export function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const cut = word.slice(0, room);
    const longer = line === '' ? cut : `${line} ${cut}`;
    if (longer.length <= room) {
      line = longer;
    } else {
      lines.push(line);
      line = cut;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** A short bar that goes from side to side in four seconds. */
function drawBar(
  picture: RgbPicture,
  { y, scale, elapsedMs }: { y: number; scale: number; elapsedMs: number },
): void {
  const track = Math.floor(picture.width / 4);
  const width = Math.max(2, Math.floor(track / 6));
  const phase = (elapsedMs % 4_000) / 2_000;
  const along = phase <= 1 ? phase : 2 - phase;
  const x = Math.floor((picture.width - track) / 2 + along * (track - width));
  fill(picture, { x, y, width, height: Math.max(2, scale) }, barColour);
}

function drawCentred(
  picture: RgbPicture,
  { text, y, scale }: { readonly text: string; readonly y: number; readonly scale: number },
  colour: Colour,
): void {
  const advance = (glyphColumns + 1) * scale;
  const left = Math.round((picture.width - text.length * advance + scale) / 2);
  for (const [index, letter] of [...text.toUpperCase()].entries()) {
    const rows = glyphs[letter] ?? [];
    for (const [row, bits] of rows.entries()) {
      for (let column = 0; column < glyphColumns; column += 1) {
        if ((bits & (1 << (glyphColumns - 1 - column))) === 0) continue;
        const x = left + index * advance + column * scale;
        fill(picture, { x, y: y + row * scale, width: scale, height: scale }, colour);
      }
    }
  }
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Fills what of the box lies in the picture. */
function fill({ width, height, rgb }: RgbPicture, box: Box, [red, green, blue]: Colour): void {
  const left = Math.max(0, box.x);
  const right = Math.min(width, box.x + box.width);
  const bottom = Math.min(height, box.y + box.height);
  if (right <= left) return;
  const row = Buffer.alloc((right - left) * 3);
  for (let at = 0; at < row.length; at += 3) {
    row[at] = red;
    row[at + 1] = green;
    row[at + 2] = blue;
  }
  for (let y = Math.max(0, box.y); y < bottom; y += 1) row.copy(rgb, (y * width + left) * 3);
}
