import type { HostState, ReportKind } from './hid-host.ts';
import { reportBytes } from './reports.ts';

/**
 * Frames between the device and a program that stands in for a host (PROTOCOL.md, "A host behind a socket"):
 * length of the rest (1 byte), kind (1 byte), payload.
 */

export const socketFrameKinds = {
  keyboard: 1,
  absolute: 2,
  relative: 3,
  consumer: 4,
  system: 5,
  wake: 6,
  leds: 128,
  state: 129,
  taken: 130,
} as const;

/** What the device sends, and a `taken` answers. */
export type Taken = ReportKind | 'wake';

export type SocketHostFrame =
  | { readonly kind: 'leds'; readonly mask: number }
  | { readonly kind: 'state'; readonly state: HostState }
  | { readonly kind: 'taken'; readonly of: Taken };

const states = ['detached', 'attached', 'suspended'] as const;
const takenOf = ['keyboard', 'absolute', 'relative', 'consumer', 'system', 'wake'] as const;

/** A report as a frame. Throws RangeError when it has not its kind's length. */
export function reportFrame(kind: ReportKind, report: Uint8Array): Uint8Array {
  if (report.length !== reportBytes[kind]) {
    throw new RangeError(
      `a ${kind} report has ${reportBytes[kind]} bytes, this one ${report.length}`,
    );
  }
  return Uint8Array.of(report.length + 1, socketFrameKinds[kind], ...report);
}

export const wakeFrame = Uint8Array.of(1, socketFrameKinds.wake);

/** What a stream of bytes from the host says; it keeps at most one frame. */
export class SocketFrameReader {
  #rest: Uint8Array = new Uint8Array(0);

  /** The frames that are whole by now; undefined at the first that is none: nothing after it can be trusted. */
  read(bytes: Uint8Array): SocketHostFrame[] | undefined {
    let rest = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
    const frames: SocketHostFrame[] = [];
    for (;;) {
      const length = rest[0];
      if (length !== undefined && length !== 2) return undefined;
      if (rest.length < 3) break;
      const frame = frameOf(rest[1] ?? 0, rest[2] ?? 0);
      if (frame === undefined) return undefined;
      frames.push(frame);
      rest = rest.subarray(3);
    }
    this.#rest = rest.slice();
    return frames;
  }
}

/** Every frame of a host has one byte of payload. */
function frameOf(kind: number, value: number): SocketHostFrame | undefined {
  if (kind === socketFrameKinds.leds) {
    return value <= 0b1_1111 ? { kind: 'leds', mask: value } : undefined;
  }
  if (kind === socketFrameKinds.state) {
    const state = states[value];
    return state && { kind: 'state', state };
  }
  const of = takenOf[value - 1];
  return kind === socketFrameKinds.taken && of !== undefined ? { kind: 'taken', of } : undefined;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
