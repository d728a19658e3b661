import { EarshotError } from '../../errors/earshot-error.ts';
import type { SerialTimers } from '../serial/serial-timers.ts';
import { type AtxFields, type AtxLine, LineCutter, readLine, writeLine } from './atx-lines.ts';

/** What the board may take to answer, in ms. */
export const answerMs = 500;

const lastId = 9_999;

interface Pending {
  readonly resolve: (fields: AtxFields) => void;
  readonly reject: (error: EarshotError) => void;
  readonly cancel: () => void;
}

/** Requests to the board and their answers, over whatever carries its lines. */
export class AtxLink {
  readonly #write: (bytes: Uint8Array) => boolean;
  readonly #onEvent: (name: string, fields: AtxFields) => void;
  readonly #timers: SerialTimers;
  readonly #cutter: LineCutter;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #garbledLines = 0;

  constructor(options: {
    /** False: the bytes could not be sent. */
    readonly write: (bytes: Uint8Array) => boolean;
    readonly onEvent: (name: string, fields: AtxFields) => void;
    readonly timers: SerialTimers;
  }) {
    this.#write = options.write;
    this.#onEvent = options.onEvent;
    this.#timers = options.timers;
    this.#cutter = new LineCutter({
      onLine: (text) => this.#receive(readLine(text)),
      onGarbage: () => this.#receive(undefined),
    });
  }

  /** Lines that could not be read, or answer nothing. */
  get garbledLines(): number {
    return this.#garbledLines;
  }

  receive(bytes: Uint8Array): void {
    this.#cutter.push(bytes);
  }

  /** Rejects with POWER_UNAVAILABLE when it is not answered in time, or with POWER_FAILED when the board refuses. */
  request(...words: readonly string[]): Promise<AtxFields> {
    this.#lastId = (this.#lastId % lastId) + 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      if (!this.#write(Buffer.from(writeLine({ kind: 'request', id, words }), 'latin1'))) {
        reject(unavailable('The line to the power board is not open, or full.'));
        return;
      }
      const cancel = this.#timers.after(answerMs, () => {
        this.#pending.delete(id);
        reject(unavailable(`The power board did not answer "${words[0]}" within ${answerMs} ms.`));
      });
      this.#pending.set(id, { resolve, reject, cancel });
    });
  }

  /** The line is gone: whoever waits for an answer is told. */
  reset(reason: string): void {
    this.#cutter.reset();
    for (const { cancel, reject } of this.#pending.values()) {
      cancel();
      reject(unavailable(reason));
    }
    this.#pending.clear();
  }

  #receive(line: AtxLine | undefined): void {
    if (line?.kind === 'event') {
      this.#onEvent(line.name, line.fields);
      return;
    }
    const pending =
      line === undefined || line.kind === 'request' ? undefined : this.#pending.get(line.id);
    if (line === undefined || line.kind === 'request' || pending === undefined) {
      this.#garbledLines += 1;
      return;
    }
    this.#pending.delete(line.id);
    pending.cancel();
    if (line.kind === 'done') pending.resolve(line.fields);
    else pending.reject(refused(line.word));
  }
}

/** The board is not there or does not answer; `reason` is a sentence. */
export function unavailable(reason: string): EarshotError {
  return new EarshotError('POWER_UNAVAILABLE', reason);
}

function refused(word: string): EarshotError {
  return new EarshotError('POWER_FAILED', `The power board refused with "${word}".`, {
    details: { word },
  });
}
