import * as v from 'valibot';
import {
  type ApiEvents,
  childStatusSchema,
  microphoneMetricsSchema,
  microphoneQualitySchema,
  microphoneStatusSchema,
  muteSchema,
  qualitySchema,
  statusSchema,
  videoStatusSchema,
} from '../api/schema.ts';

/** Events of the host's control, which its own part of the page listens to. */
type ControlEvent = Extract<keyof ApiEvents, `${'hid' | 'serial' | 'power'}-${string}`>;
type PageEvent = Exclude<keyof ApiEvents, ControlEvent>;

const eventSchemas: { readonly [N in PageEvent]: v.GenericSchema<unknown, ApiEvents[N]> } = {
  'audio-mute-changed': muteSchema,
  'audio-quality-changed': qualitySchema,
  'audio-device-changed': v.strictObject({
    device: v.string(),
    state: v.picklist(['opening', 'open']),
    error: v.string(),
  }),
  'audio-metrics-update': statusSchema.entries.audio,
  'audio-process-metrics': childStatusSchema,
  'microphone-state-changed': microphoneStatusSchema,
  'microphone-quality-changed': microphoneQualitySchema,
  'microphone-metrics-update': microphoneMetricsSchema,
  'microphone-process-metrics': childStatusSchema,
  'video-state-changed': videoStatusSchema,
  'video-metrics-update': videoStatusSchema,
  'video-process-metrics': childStatusSchema,
};

function isEvent(name: string): name is PageEvent {
  return name in eventSchemas;
}

/** What is called for each event, by name. */
export type EventHandlers = { readonly [N in PageEvent]: (data: ApiEvents[N]) => void };

export interface EventStreamOptions {
  readonly url: string;
  readonly handlers: EventHandlers;
  /** The stream is open (again): whatever happened in between was missed and must be asked for. */
  readonly onOpen: () => void;
  /** The stream is gone; it is opened again. */
  readonly onLost: () => void;
  /** Each new source, for who listens to other events. */
  readonly onSource: (source: EventSource) => void;
  /** Delays between tries where the browser itself gives up. */
  readonly backoff: () => Iterator<number>;
}

/** The device's events (Server-Sent Events), for as long as the page lives. */
export class EventStream {
  readonly #options: EventStreamOptions;
  #source: EventSource | undefined;
  #delays: Iterator<number>;
  #timer: number | undefined;

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.#delays = options.backoff();
  }

  start(): void {
    if (this.#source !== undefined) return;
    const source = new EventSource(this.#options.url);
    this.#source = source;
    source.onopen = () => {
      this.#delays = this.#options.backoff();
      this.#options.onOpen();
    };
    source.onerror = () => {
      this.#options.onLost();
      // The browser tries again by itself after a cut, but not after an answer that was no stream.
      if (source.readyState === EventSource.CLOSED) this.#tryLater();
    };
    for (const name of Object.keys(eventSchemas).filter(isEvent)) this.#listen(source, name);
    this.#options.onSource(source);
  }

  stop(): void {
    window.clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }

  #tryLater(): void {
    this.stop();
    this.#timer = window.setTimeout(() => this.start(), this.#delays.next().value);
  }

  #listen<N extends PageEvent>(source: EventSource, name: N): void {
    const schema: v.GenericSchema<unknown, ApiEvents[N]> = eventSchemas[name];
    source.addEventListener(name, (event: MessageEvent<unknown>) => {
      const data = parseJson(event.data);
      const result = v.safeParse(schema, data);
      // An event of a newer device that this page does not know is left aside; the next refresh has the state.
      if (result.success) this.#options.handlers[name](result.output);
    });
  }
}

function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
