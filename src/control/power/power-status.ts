import * as v from 'valibot';

export const presses = ['short', 'long', 'reset'] as const;
/** `short`: the power button, as a person does. `long`: until the host is forced off. `reset`: the reset button. */
export type Press = (typeof presses)[number];

export const ledStates = ['on', 'off', 'unknown'] as const;
export type LedState = (typeof ledStates)[number];

/**
 * `confirmed`: the power LED showed it. `unconfirmed`: it did not in time. `unknown`: nothing could show
 * it, since no power LED is wired, or it was a reset.
 */
export const pressResults = ['confirmed', 'unconfirmed', 'unknown'] as const;
export type PressResult = (typeof pressResults)[number];

/** The answer of POST /power/press, hold and reset. */
export const pressAnswerSchema = v.strictObject({
  press: v.picklist(presses),
  confirmed: v.boolean(),
  result: v.picklist(pressResults),
  /** The power LED afterwards. */
  led: v.picklist(ledStates),
});
export type PressAnswer = v.InferOutput<typeof pressAnswerSchema>;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** The host's power: GET /power, and its event. */
export const powerStatusSchema = v.strictObject({
  kind: v.picklist(['none', 'uart', 'gpio']),
  state: v.picklist(['none', 'opening', 'ready']),
  /** Why the board is not ready, in a sentence; empty while it is. */
  reason: v.string(),
  /** What is wired. */
  powerButton: v.boolean(),
  resetButton: v.boolean(),
  powerLed: v.picklist(ledStates),
  /** Share of the last second that the disk LED was lit, 0–1; null without one. */
  diskBusy: v.nullable(v.number()),
  /** The button that is held now. */
  press: v.nullable(v.picklist(presses)),
  lastPress: v.nullable(
    v.strictObject({
      press: v.picklist(presses),
      result: v.picklist([...pressResults, 'failed']),
      /** When it ended, Unix time in ms. */
      unixMs: v.number(),
    }),
  ),
  /** Presses since the device started, by how they ended. */
  presses: v.strictObject({
    confirmed: count,
    unconfirmed: count,
    unknown: count,
    failed: count,
  }),
  /** Machines that can be woken. */
  wake: v.array(v.strictObject({ name: v.string(), mac: v.string() })),
  /** Magic packets sent, wake by wake. */
  wakes: count,
  /** Lines of the board that could not be read: noise, a wrong rate, a wrong checksum. */
  garbledLines: count,
});
export type PowerStatus = v.InferOutput<typeof powerStatusSchema>;

/** The answer of POST /power/wake: whom the packets were sent to. */
export const wakeAnswerSchema = v.strictObject({
  /** Empty for a machine that is not in the configuration. */
  name: v.string(),
  mac: v.string(),
});
export type WakeAnswer = v.InferOutput<typeof wakeAnswerSchema>;
