import type { ServerResponse } from 'node:http';
import type { ApiCounts } from './api-counts.ts';
import type { TraceService } from './services.ts';
import { defaultStreamLimits, TextStreams } from './text-stream.ts';

/** GET /api/v1/trace: the times of each packet of the host's sound, as JSON lines, for some seconds. */
export class TraceStreams {
  readonly #trace: TraceService;
  readonly #streams: TextStreams;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: { readonly trace: TraceService; readonly counts: ApiCounts }) {
    this.#trace = options.trace;
    this.#streams = new TextStreams({
      limits: { ...defaultStreamLimits, maxStreams: 4 },
      counts: options.counts,
      keepAlive: '\n',
    });
  }

  /** Answers with the packets of the next `seconds`. Throws API_TOO_MANY_STREAMS. */
  open(outgoing: ServerResponse, { seconds }: { readonly seconds: number }): void {
    let unfollow = (): void => undefined;
    const stream = this.#streams.open(outgoing, {
      contentType: 'application/x-ndjson',
      onClose: () => {
        clearTimeout(timer);
        this.#timers.delete(timer);
        unfollow();
      },
    });
    const timer = setTimeout(() => {
      unfollow();
      stream.end();
    }, seconds * 1_000);
    this.#timers.add(timer);
    unfollow = this.#trace.follow((packet) => stream.write(`${JSON.stringify(packet)}\n`));
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#streams.stop();
  }
}
