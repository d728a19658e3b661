/** `a − b` of two 32-bit RTP times, across their wrap (RFC 1982): −2³¹ … 2³¹ − 1. */
export function serialDifference(a: number, b: number): number {
  return (a - b) | 0;
}
