import * as v from 'valibot';

/**
 * The messages between the main process and its children, as one union. The wire format is
 * PROTOCOL.md beside this file; `framing.ts` reads and writes it.
 */

/** Type byte of each message. 1–31 carry media bytes, 32–63 carry JSON. */
export const messageTypes = {
  opus: 1,
  video: 2,
  pcm: 3,
  picture: 4,
  hello: 32,
  ready: 33,
  configure: 34,
  configured: 35,
  stop: 36,
  ping: 37,
  pong: 38,
  stats: 39,
  event: 40,
  error: 41,
} as const;

export type MessageType = keyof typeof messageTypes;
export type MediaType = 'opus' | 'video' | 'pcm' | 'picture';
export type ControlType = Exclude<MessageType, MediaType>;

/** Largest payload of each media type in bytes, and of any control message. */
export const payloadLimits = {
  opus: 1_500,
  video: 4 * 1024 * 1024,
  pcm: 64 * 1024,
  picture: 4 * 1024 * 1024,
  control: 64 * 1024,
} as const;

/** Bits of the header's `flags` field. */
export const frameFlags = { keyframe: 1, discontinuity: 2, endOfStream: 4, segment: 8 } as const;

/** The roles a child process can have; its name in the supervisor too. */
export const childRoles = ['audio-output', 'audio-input', 'video'] as const;
export type ChildRole = (typeof childRoles)[number];

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = v.pipe(v.string(), v.maxLength(4_096));
/** A JSON object whose fields are the role's own; whoever receives it validates it with that role's schema. */
const fields = v.record(v.string(), v.unknown());

export const controlSchemas = {
  /** Child → main, first of all: who is there and which protocol it speaks. */
  hello: v.strictObject({
    role: v.picklist(childRoles),
    pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
    version: v.pipe(v.string(), v.maxLength(64)),
  }),
  /** Child → main, answers the first `configure`: its threads run. `effective` is what it runs with. */
  ready: v.strictObject({ id, effective: fields }),
  /** Main → child: run with this configuration from now on. Answered by `ready` (the first), `configured` or `error`. */
  configure: v.strictObject({ id, config: fields }),
  /** Child → main: the configuration is in force, live. */
  configured: v.strictObject({ id, effective: fields }),
  /** Main → child: end now; the child exits with 0 within 2 s. */
  stop: v.strictObject({}),
  /** Either way; answered by `pong` with the same id. */
  ping: v.strictObject({ id }),
  pong: v.strictObject({ id }),
  /** Child → main, once a second: numbers of its own role. */
  stats: v.strictObject({ stats: fields }),
  /** Child → main: something happened (`device-lost`, `xrun`, …), with fields. */
  event: v.strictObject({ name: v.pipe(v.string(), v.maxLength(64)), data: fields }),
  /** Either way: the request `id` failed, or (without one) something else did. */
  error: v.strictObject({
    id: v.optional(id),
    code: v.pipe(v.string(), v.maxLength(64)),
    message: text,
  }),
} as const satisfies Record<ControlType, v.GenericSchema>;

export type ControlMessage = {
  [T in ControlType]: {
    readonly type: T;
    readonly body: v.InferOutput<(typeof controlSchemas)[T]>;
  };
}[ControlType];

/** A frame of media bytes. */
export interface MediaMessage {
  readonly type: MediaType;
  /** Bits of {@link frameFlags}. */
  readonly flags: number;
  /** Sequence number of this direction and type, modulo 2³². A step of more than one is a drop by the sender. */
  readonly sequence: number;
  /** Capture or playout time, CLOCK_MONOTONIC in ns (the clock of `process.hrtime.bigint()`). */
  readonly timestampNs: bigint;
  /** Valid until the handler returns; copy what must live longer. */
  readonly payload: Buffer;
}

export type Message = ControlMessage | MediaMessage;
