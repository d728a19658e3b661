import * as v from 'valibot';
import { serialLineSchema } from './serial-line.ts';

const { baudRate, dataBits, parity, stopBits, flowControl } = serialLineSchema.entries;

/**
 * Path of a serial port. One of `/dev/serial/by-id` names the same adapter in whichever socket it is
 * plugged, so that it is found again when it comes back.
 */
export const serialPathSchema = v.pipe(
  v.string(),
  v.maxLength(256),
  v.regex(/^(\/.+)?$/, 'is an absolute path, or empty'),
);

/** The configuration key `serial`: the console of the host. */
export const serialSchema = v.strictObject({
  /** The port of the host's console, e.g. `/dev/serial/by-id/usb-FTDI_…-port0`; empty: none. */
  port: v.optional(serialPathSchema, ''),
  /** The line until a person sets another (which the settings then keep). */
  baudRate: v.optional(baudRate, 115_200),
  dataBits: v.optional(dataBits, 8),
  parity: v.optional(parity, 'none'),
  stopBits: v.optional(stopBits, 1),
  flowControl: v.optional(flowControl, 'none'),
});
export type SerialConfig = v.InferOutput<typeof serialSchema>;

/** What of the settings concerns the console; an absent line is the configuration's. */
export const serialSettingsSchema = v.strictObject({ line: v.optional(serialLineSchema) });
export type SerialSettings = v.InferOutput<typeof serialSettingsSchema>;
