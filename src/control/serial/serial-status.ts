import * as v from 'valibot';
import { serialLineSchema } from './serial-line.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** The host's serial console: GET /serial, its event, and `state` of the console's WebSocket. */
export const serialStatusSchema = v.strictObject({
  /** Path of the port; empty: none is configured. */
  port: v.string(),
  state: v.picklist(['none', 'opening', 'open']),
  /** Why the port is not open, in a sentence; empty while it is. */
  reason: v.string(),
  line: serialLineSchema,
  /** The lines that the device drives. */
  dtr: v.boolean(),
  rts: v.boolean(),
  /** The console that may write, e.g. `c3`; null while nobody does. */
  writer: v.nullable(v.string()),
  consoles: count,
  /** Bytes that can be read back. */
  scrollbackBytes: count,
  bytesIn: count,
  bytesOut: count,
  /** Bytes of writers that did not reach the port: it was not open, or too many waited. */
  refusedBytes: count,
  /** Bytes that slow readers missed, summed over them. */
  missedBytes: count,
  /** Times the port was opened after the first. */
  reopens: count,
  breaks: count,
});
export type SerialStatus = v.InferOutput<typeof serialStatusSchema>;
