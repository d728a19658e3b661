/** The flash: so much of the picture's top left fifth is magenta. */
const leastShare = 0.35;

/** Share of RGBA pixels that are magenta, 0–1. */
export function magentaShare(rgba: Uint8ClampedArray): number {
  let magenta = 0;
  for (let at = 0; at + 3 < rgba.length; at += 4) {
    const [red = 0, green = 0, blue = 0] = [rgba[at], rgba[at + 1], rgba[at + 2]];
    if (red > 180 && blue > 180 && green < 100) magenta += 1;
  }
  return rgba.length < 4 ? 0 : magenta / (rgba.length >> 2);
}

/** Tells when the flash begins, picture by picture. */
export class FlashDetector {
  /** A flash that is there from the first picture on began at nobody knows what time. */
  #wasLit = true;

  /** True for the first picture of a flash. */
  next(rgba: Uint8ClampedArray): boolean {
    const isLit = magentaShare(rgba) > leastShare;
    const begins = isLit && !this.#wasLit;
    this.#wasLit = isLit;
    return begins;
  }
}
