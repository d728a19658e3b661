import type { ServerResponse } from 'node:http';
import type { ApiCounts } from './api-counts.ts';
import type { LogService } from './services.ts';
import { defaultStreamLimits, type TextStreamLimits, TextStreams } from './text-stream.ts';

/** GET /api/v1/logs: the last log lines as JSON lines, and those that follow. */
export class LogStreams {
  readonly #logs: LogService;
  readonly #streams: TextStreams;

  constructor(options: {
    readonly logs: LogService;
    readonly counts: ApiCounts;
    readonly limits?: TextStreamLimits;
  }) {
    this.#logs = options.logs;
    this.#streams = new TextStreams({
      limits: options.limits ?? { ...defaultStreamLimits, maxStreams: 8, maxQueuedBytes: 8 << 20 },
      counts: options.counts,
      keepAlive: '\n',
    });
  }

  /** Answers with the last `lines` lines; with `follow` until the reader leaves. Throws API_TOO_MANY_STREAMS. */
  open(outgoing: ServerResponse, { lines, follow }: { lines: number; follow: boolean }): void {
    let unfollow = (): void => undefined;
    const stream = this.#streams.open(outgoing, {
      contentType: 'application/x-ndjson',
      onClose: () => unfollow(),
    });
    const recent = this.#logs.recent(lines);
    if (recent.length > 0) stream.write(`${recent.join('\n')}\n`);
    if (follow) unfollow = this.#logs.follow((line) => stream.write(`${line}\n`));
    else stream.end();
  }

  stop(): void {
    this.#streams.stop();
  }
}
