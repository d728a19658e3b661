import * as v from 'valibot';
import { serialStatusSchema } from './serial-status.ts';

/** The text messages of the console's WebSocket (CONSOLE-PROTOCOL.md); binary ones are bytes of the line. */

export const consoleProtocol = 'earshot-console-1';

/** A console may have this many bytes on their way to the port at once. */
export const consoleWindowBytes = 64 * 1024;

/** The longest binary message from a console, and to one. */
export const maxConsoleMessageBytes = 16 * 1024;

/** How long a break may be, in ms; what every UART takes for one at 300 baud or more is 40. */
export const breakMsSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2_000));
export const defaultBreakMs = 250;

/** Console → device, by their `type`. */
export const consoleRequestSchemas = {
  /** Asks for the place of the one who writes, or gives it up. */
  writer: v.strictObject({
    type: v.literal('writer'),
    wanted: v.boolean(),
    /** Takes it from whoever has it. */
    takeover: v.optional(v.boolean(), false),
  }),
  break: v.strictObject({
    type: v.literal('break'),
    ms: v.optional(breakMsSchema, defaultBreakMs),
  }),
  signals: v.strictObject({
    type: v.literal('signals'),
    dtr: v.optional(v.boolean()),
    rts: v.optional(v.boolean()),
  }),
} as const;
export type ConsoleRequest = v.InferOutput<
  (typeof consoleRequestSchemas)[keyof typeof consoleRequestSchemas]
>;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Device → console. */
export const consoleMessageSchema = v.variant('type', [
  /** The first message. What was there before follows it. */
  v.strictObject({
    type: v.literal('hello'),
    console: v.string(),
    windowBytes: count,
    /** Bytes of the past that follow. */
    scrollbackBytes: count,
    status: serialStatusSchema,
  }),
  /** The port, the line, the writer or the number of consoles changed. */
  v.strictObject({ type: v.literal('state'), status: serialStatusSchema }),
  /** Whether this console writes: the answer to `writer`, and when another takes its place. */
  v.strictObject({ type: v.literal('writer'), held: v.boolean(), reason: v.string() }),
  /** How many of the bytes sent since it became the writer wait no more, lost ones too. */
  v.strictObject({ type: v.literal('taken'), bytes: count }),
  /** So many bytes that it sent did not reach the port. */
  v.strictObject({ type: v.literal('refused'), bytes: count, reason: v.string() }),
  /** Here so many bytes from the line are missing: the console was too slow. */
  v.strictObject({ type: v.literal('missed'), bytes: count }),
  /** What was asked failed; the console goes on. */
  v.strictObject({ type: v.literal('error'), code: v.string(), message: v.string() }),
]);
export type ConsoleMessage = v.InferOutput<typeof consoleMessageSchema>;
