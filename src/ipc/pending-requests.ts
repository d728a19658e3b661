import { type ErrorCode, errorCatalogue } from '../errors/catalogue.ts';
import { EarshotError } from '../errors/earshot-error.ts';
import type { ControlMessage, ControlType } from './messages.ts';

/** Requests and the messages that answer them; `error` with the id answers any. */
const replyTypes = {
  configure: ['ready', 'configured'],
  ping: ['pong'],
} as const satisfies Partial<Record<ControlType, readonly ControlType[]>>;

export type RequestType = keyof typeof replyTypes;
export type ReplyMessage<T extends RequestType = RequestType> = Extract<
  ControlMessage,
  { type: (typeof replyTypes)[T][number] }
>;

export interface RequestOptions {
  /** Milliseconds until the request is rejected with IPC_TIMEOUT. */
  readonly deadlineMs: number;
  /** Gives the request up; it is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

interface Pending {
  readonly type: RequestType;
  readonly settle: (outcome: ReplyMessage | { readonly failure: unknown }) => void;
}

/** Requests on their way: each ends exactly once, by its reply, an error, its deadline, its signal or the close. */
export class PendingRequests {
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #timeouts = 0;

  get size(): number {
    return this.#pending.size;
  }

  /** Requests that met their deadline. */
  get timeouts(): number {
    return this.#timeouts;
  }

  /** Opens a request: `send` is called with its id. Rejects with IPC_TIMEOUT, the signal's reason, or the peer's error. */
  open(
    type: RequestType,
    { deadlineMs, signal }: RequestOptions,
    send: (id: number) => void,
  ): Promise<ReplyMessage> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const settle: Pending['settle'] = (outcome) => {
        if (!this.#pending.delete(id)) return;
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        if ('failure' in outcome) reject(outcome.failure);
        else resolve(outcome);
      };
      // After a stall of this process the timer comes before a reply that has long arrived: let that come first.
      const timer = setTimeout(() => setImmediate(expire), deadlineMs);
      const expire = () => {
        if (!this.#pending.has(id)) return;
        this.#timeouts += 1;
        settle({ failure: timeoutError(type, deadlineMs) });
      };
      const abort = () => settle({ failure: signal?.reason });
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.set(id, { type, settle });
      try {
        send(id);
      } catch (failure) {
        settle({ failure });
      }
    });
  }

  /** Ends the request that `message` answers; false when it answers none. */
  answer(message: ControlMessage): boolean {
    if (message.type === 'error') {
      const pending =
        message.body.id === undefined ? undefined : this.#pending.get(message.body.id);
      pending?.settle({ failure: peerError(message.body.code, message.body.message) });
      return pending !== undefined;
    }
    if (!isReply(message)) return false;
    const pending = this.#pending.get(message.body.id);
    if (pending === undefined || !answers(pending.type, message.type)) return false;
    pending.settle(message);
    return true;
  }

  /** Rejects whatever is still waiting. */
  rejectAll(failure: EarshotError): void {
    for (const pending of [...this.#pending.values()]) pending.settle({ failure });
  }
}

function isReply(message: ControlMessage): message is ReplyMessage {
  return message.type === 'ready' || message.type === 'configured' || message.type === 'pong';
}

function answers(request: RequestType, reply: ReplyMessage['type']): boolean {
  const types: readonly string[] = replyTypes[request];
  return types.includes(reply);
}

function timeoutError(type: RequestType, deadlineMs: number): EarshotError {
  return new EarshotError('IPC_TIMEOUT', `No answer to ${type} within ${deadlineMs} ms.`, {
    details: { type, deadlineMs },
  });
}

/** The peer's error as one of ours; a code that is not in the catalogue is kept in the details. */
function peerError(code: string, message: string): EarshotError {
  if (isCode(code)) return new EarshotError(code, message);
  return new EarshotError('INTERNAL', message, { details: { peerCode: code } });
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}
