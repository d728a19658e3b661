/** From 0 to 1 as `x` goes there: a raised cosine's cheap likeness, smooth at both ends; it and its mirror add up to 1. */
export function rise(x: number): number {
  return x * x * (3 - 2 * x);
}
