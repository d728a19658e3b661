import type { ServerResponse } from 'node:http';
import type { ApiCounts } from './api-counts.ts';
import type { ApiEvents } from './schema.ts';
import { processEvent } from './service-events.ts';
import type { Services } from './services.ts';
import { defaultStreamLimits, type TextStreamLimits, TextStreams } from './text-stream.ts';

/** Time after which a browser whose stream broke off tries again, in ms. */
const retryMs = 1_000;

/**
 * GET /api/v1/events: Server-Sent Events. A new stream begins with the state as it is, so that a page
 * that comes back has missed nothing; each event is then formatted once for all streams.
 */
export class EventStreams {
  readonly #services: Services;
  readonly #streams: TextStreams;
  #unsubscribe: (() => void) | undefined;

  constructor(options: {
    readonly services: Services;
    readonly counts: ApiCounts;
    readonly limits?: TextStreamLimits;
  }) {
    this.#services = options.services;
    this.#streams = new TextStreams({
      limits: options.limits ?? defaultStreamLimits,
      counts: options.counts,
      keepAlive: ': here\n\n',
    });
  }

  start(): void {
    this.#unsubscribe ??= this.#services.events.subscribe((name, data) => {
      if (this.#streams.size > 0) this.#streams.writeAll(formatEvent(name, data));
    });
  }

  stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#streams.stop();
  }

  /** Begins a stream. Throws API_TOO_MANY_STREAMS. */
  open(outgoing: ServerResponse): void {
    // First what can fail, while an error can still be answered.
    const start = `retry: ${retryMs}\n\n${this.#snapshot()}`;
    const stream = this.#streams.open(outgoing, {
      contentType: 'text/event-stream; charset=utf-8',
      onClose: () => undefined,
    });
    stream.write(start);
  }

  #snapshot(): string {
    const { audio, microphone, video, hid, serial, power, children } = this.#services;
    const picture = video.status();
    const status = audio.status();
    const { device, deviceState: state, deviceError: error } = status;
    return [
      formatEvent('audio-quality-changed', audio.quality()),
      formatEvent('audio-mute-changed', audio.mute()),
      formatEvent('audio-device-changed', { device, state, error }),
      formatEvent('audio-metrics-update', status),
      formatEvent('microphone-state-changed', microphone.status()),
      formatEvent('microphone-quality-changed', microphone.quality()),
      formatEvent('microphone-metrics-update', microphone.metrics()),
      ...(picture === null ? [] : [formatEvent('video-state-changed', picture)]),
      ...(hid === undefined ? [] : [formatEvent('hid-state-changed', hid.status())]),
      formatEvent('serial-state-changed', serial.status()),
      formatEvent('power-state-changed', power.status()),
      ...children.statuses().map((child) => formatEvent(processEvent(child.name), child)),
    ].join('');
  }
}

/** One event of the stream (JSON has no line ends of its own, so one `data` line is enough). */
export function formatEvent<N extends keyof ApiEvents>(name: N, data: ApiEvents[N]): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
