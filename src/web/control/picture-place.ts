import { maxCoordinate } from '../../control/hid/limits.ts';

/** Where on the host's screen a place on the page is: pure, in CSS pixels. */

/** A rectangle on the page in CSS pixels, as `getBoundingClientRect()` has it. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A place on the host's screen, 0–32767 each, from its left and upper edges. */
export interface HostPlace {
  readonly x: number;
  readonly y: number;
}

/**
 * The part of `box` that a picture of `natural` size covers with `object-fit: contain`: the rest are bars.
 * All of it while the size is not known.
 */
export function pictureBox(box: Box, natural: Size): Box {
  if (!(natural.width > 0 && natural.height > 0 && box.width > 0 && box.height > 0)) return box;
  const scale = Math.min(box.width / natural.width, box.height / natural.height);
  const width = natural.width * scale;
  const height = natural.height * scale;
  return {
    left: box.left + (box.width - width) / 2,
    top: box.top + (box.height - height) / 2,
    width,
    height,
  };
}

/**
 * The host's place under `clientX`, `clientY`. In the bars, and outside altogether (a drag), it is the
 * nearest place at the edge. The last pixel of the page is the last of the host: both edges can be reached.
 */
export function hostPlace(
  { clientX, clientY }: { readonly clientX: number; readonly clientY: number },
  { left, top, width, height }: Box,
  pixelRatio: number,
): HostPlace {
  // A pointer stands on device pixels: the last one begins this much before the edge.
  const pixel = 1 / Math.max(pixelRatio, 0.1);
  return {
    x: share(clientX - left, width - pixel),
    y: share(clientY - top, height - pixel),
  };
}

function share(offset: number, length: number): number {
  if (!(length > 0)) return 0;
  return Math.round(Math.min(1, Math.max(0, offset / length)) * maxCoordinate);
}
