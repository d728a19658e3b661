import * as v from 'valibot';
import { serialPathSchema } from '../serial/serial-config.ts';
import { serialLineSchema } from '../serial/serial-line.ts';

/** Six bytes in hexadecimal, between colons or hyphens: `00:1b:44:11:3a:b7`. */
export const macSchema = v.pipe(
  v.string(),
  v.maxLength(17),
  v.regex(
    /^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i,
    'is a MAC address, such as 00:1b:44:11:3a:b7',
  ),
);

export const machineNameSchema = v.pipe(
  v.string(),
  v.maxLength(40),
  v.regex(
    /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
    'is a name of small letters, digits, dots and hyphens',
  ),
);

/** A machine on the network that a magic packet wakes. */
export const wakeTargetSchema = v.strictObject({
  name: machineNameSchema,
  mac: macSchema,
  /** Where the packet is sent: the broadcast address of the machine's network. */
  broadcast: v.optional(v.pipe(v.string(), v.ipv4()), '255.255.255.255'),
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)), 9),
  /** SecureOn password of the network card, written as a MAC address; empty: none. Never logged. */
  password: v.optional(v.union([v.literal(''), macSchema]), ''),
});
export type WakeTarget = v.InferOutput<typeof wakeTargetSchema>;

/** A GPIO line, by its name or its number on the chip; empty: not wired. */
const gpioLineSchema = v.strictObject({
  line: v.optional(
    v.union([
      v.pipe(v.string(), v.maxLength(32)),
      v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_023)),
    ]),
    '',
  ),
  /** True where the line is low when the button is held, or the LED is lit. */
  activeLow: v.optional(v.boolean(), false),
});

const ms = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

/** The configuration key `power`: the buttons and LEDs of the host, and machines to wake. */
export const powerSchema = v.strictObject({
  /** `uart`: an extension board on a serial port (ATX-PROTOCOL.md). `gpio`: lines of the device itself. */
  kind: v.optional(v.picklist(['none', 'uart', 'gpio']), 'none'),
  uart: v.optional(
    v.strictObject({
      port: v.optional(serialPathSchema, ''),
      baudRate: v.optional(serialLineSchema.entries.baudRate, 115_200),
    }),
    {},
  ),
  gpio: v.optional(
    v.strictObject({
      /** Path, name or label of the chip, e.g. `/dev/gpiochip0`. */
      chip: v.optional(v.pipe(v.string(), v.maxLength(128)), ''),
      powerButton: v.optional(gpioLineSchema, {}),
      resetButton: v.optional(gpioLineSchema, {}),
      powerLed: v.optional(gpioLineSchema, {}),
      diskLed: v.optional(gpioLineSchema, {}),
    }),
    {},
  ),
  /** How long a button is held: a short press of the power button, a long one (it forces the host off), and the reset button. */
  shortMs: v.optional(ms(50, 1_000), 200),
  longMs: v.optional(ms(1_000, 15_000), 5_000),
  resetMs: v.optional(ms(50, 1_000), 200),
  /** How long after its end a press may take to show at the power LED. */
  confirmMs: v.optional(ms(500, 30_000), 10_000),
  /** Machines that Wake-on-LAN can wake. */
  wakeOnLan: v.optional(v.pipe(v.array(wakeTargetSchema), v.maxLength(32)), []),
});
export type PowerConfig = v.InferOutput<typeof powerSchema>;
export type GpioLineConfig = v.InferOutput<typeof gpioLineSchema>;
