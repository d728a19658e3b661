import * as v from 'valibot';
import { jigglerSecondsSchema, layoutSchema } from '../control/hid/hid-config.ts';
import { hostStates } from '../control/hid/hid-messages.ts';
import { maxCharactersPerSecond, minCharactersPerSecond } from '../control/hid/limits.ts';
import { macroSchema } from '../control/hid/macro.ts';

/** Bodies of /api/v1/hid: keyboard and mouse of the host. */

/** POST /hid/key: names of keys joined by `+`, e.g. `ctrl+alt+del`. */
export const pressKeysSchema = v.strictObject({
  combination: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
});

/** POST /hid/text; the text has at most 10,000 characters. */
export const typeTextSchema = v.strictObject({
  text: v.pipe(v.string(), v.minLength(1)),
  /** Of the host; the one set when left out. */
  layout: v.optional(layoutSchema),
  charactersPerSecond: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(minCharactersPerSecond),
      v.maxValue(maxCharactersPerSecond),
    ),
  ),
});

/** POST /hid/text/check. */
export const checkTextSchema = v.strictObject({
  text: v.pipe(v.string(), v.minLength(1)),
  layout: v.optional(layoutSchema),
});

/** POST /hid/layout. */
export const setLayoutSchema = v.strictObject({ layout: layoutSchema });

/** POST /hid/jiggler: what is left out stays. */
export const setJigglerSchema = v.strictObject({
  enabled: v.optional(v.boolean()),
  seconds: v.optional(jigglerSecondsSchema),
});

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const taskSchema = v.strictObject({
  kind: v.picklist(['text', 'macro']),
  /** The macro's name; of a text, empty. */
  name: v.string(),
  /** Characters typed or steps done, of all. */
  done: count,
  total: count,
});

/** What of the keyboard and mouse every change of it answers with. */
export const hidStatusSchema = v.strictObject({
  host: v.picklist(hostStates),
  /** Why the host is not attached, in words; empty when it is. */
  reason: v.string(),
  leds: v.strictObject({
    num: v.boolean(),
    caps: v.boolean(),
    scroll: v.boolean(),
    compose: v.boolean(),
    kana: v.boolean(),
  }),
  /** Connections that may send input. */
  viewers: count,
  heldKeys: count,
  heldButtons: count,
  /** Of texts that name none. */
  layout: layoutSchema,
  layouts: v.array(layoutSchema),
  jiggler: v.strictObject({ enabled: v.boolean(), seconds: jigglerSecondsSchema }),
  /** The text or the macro on its way to the host. */
  task: v.nullable(taskSchema),
  /** A viewer's event to the report's write in ms, over the last keys, buttons and wheel turns. */
  latencyMs: v.nullable(v.strictObject({ p50: v.number(), p95: v.number(), max: v.number() })),
  counts: v.strictObject({
    keyEvents: count,
    pointerEvents: count,
    reportsTaken: count,
    reportsFailed: count,
    malformed: count,
    stale: count,
    dropped: count,
    deadMan: count,
    overflows: count,
    unsent: count,
  }),
});

/** GET /hid: null on a device without. */
export const hidAnswerSchema = v.nullable(hidStatusSchema);

/** The answer of POST /hid/text and of a macro's run. */
export const hidTaskAnswerSchema = v.strictObject({
  /** False: it still goes on after 5 s. */
  done: v.boolean(),
  task: v.nullable(taskSchema),
});

/** The answer of POST /hid/text/check. */
export const textCheckSchema = v.strictObject({
  characters: count,
  /** What the layout cannot type, each once. */
  untypable: v.array(v.string()),
});

/** The answer of POST /hid/stop: whether something was under way. */
export const stoppedSchema = v.strictObject({ stopped: v.boolean() });

/** The answer of POST /hid/wake: whether the host could be woken. */
export const wokenSchema = v.strictObject({ woken: v.boolean() });

/** GET /hid/macros, and the answer of every change of them. */
export const macrosSchema = v.strictObject({ macros: v.array(macroSchema) });
