import { type IncomingMessage, request } from 'node:http';
import * as v from 'valibot';
import type { WebSocket } from 'ws';
import { errorBodySchema } from '../api/schema.ts';
import { type ErrorCode, errorCatalogue } from '../errors/catalogue.ts';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';

/** Where the main process listens for the command. */
export const defaultSocket = '/run/earshot/control.sock';

/** Longer than the server's own deadline, so that its answer is the one people see. */
const answerMs = 20_000;

/** An answer may have at most this many bytes. */
const maxAnswerBytes = 4 * 1024 * 1024;

/** A line of a stream may have at most this many characters. */
const maxLineLength = 64 * 1024;

/** Talks HTTP to the main process over its control socket. */
export class ControlClient {
  readonly #socket: string;
  readonly #answerMs: number;
  readonly #signal: AbortSignal | undefined;

  constructor(options: {
    readonly socket: string;
    readonly answerMs?: number;
    readonly signal?: AbortSignal | undefined;
  }) {
    this.#socket = options.socket;
    this.#answerMs = options.answerMs ?? answerMs;
    this.#signal = options.signal;
  }

  /** GET `path`. Throws the error the answer carries, CLI_NOT_RUNNING, CLI_SOCKET_REFUSED or CLI_NO_ANSWER. */
  get<S extends v.GenericSchema>(path: string, schema: S): Promise<v.InferOutput<S>> {
    return this.#json('GET', path, undefined, schema);
  }

  /** POST `body` to `path`; `answerMs` is how long the answer may take; errors as {@link get}. */
  post<S extends v.GenericSchema>(
    path: string,
    body: unknown,
    schema: S,
    answerMs = this.#answerMs,
  ): Promise<v.InferOutput<S>> {
    return this.#json('POST', path, body, schema, answerMs);
  }

  /** DELETE `path`; errors as {@link get}. */
  remove<S extends v.GenericSchema>(path: string, schema: S): Promise<v.InferOutput<S>> {
    return this.#json('DELETE', path, undefined, schema);
  }

  /** Opens the WebSocket at `path`, paused, so that no message is missed; errors as {@link get}. */
  async openSocket(path: string, protocol: string): Promise<WebSocket> {
    const { WebSocket } = await import('ws');
    const socket = new WebSocket(`ws+unix:${this.#socket}:${path}`, protocol, {
      handshakeTimeout: this.#answerMs,
      perMessageDeflate: false,
    });
    return new Promise((resolve, reject) => {
      socket.once('open', () => {
        socket.pause();
        resolve(socket);
      });
      // Later ones end in a close, which is told of its own.
      socket.on('error', (error) => reject(this.#connectError(error)));
      socket.once('unexpected-response', (outgoing, answer) => {
        this.#thrownBy(answer)
          .then(reject, reject)
          .finally(() => outgoing.destroy());
      });
    });
  }

  /** GET `path`, an answer of lines, until it or the signal ends. */
  async *lines(path: string): AsyncGenerator<string> {
    const answer = await this.#send('GET', path, undefined);
    let rest = '';
    try {
      for await (const chunk of answer.setEncoding('utf8')) {
        const lines = `${rest}${String(chunk)}`.split('\n');
        rest = (lines.pop() ?? '').slice(0, maxLineLength);
        for (const line of lines) if (line !== '') yield line;
      }
      if (rest !== '') yield rest;
    } catch (error) {
      if (this.#signal?.aborted === true) return;
      throw this.#noAnswer(`broke off: ${messageOf(error)}`, error);
    }
  }

  async #json<S extends v.GenericSchema>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body: unknown,
    schema: S,
    answerMs = this.#answerMs,
  ): Promise<v.InferOutput<S>> {
    const answer = await this.#send(method, path, body, answerMs);
    const result = v.safeParse(schema, await this.#parse(answer));
    if (result.success) return result.output;
    throw this.#noAnswer('answered in a way this release does not understand', result.issues);
  }

  async #parse(answer: IncomingMessage): Promise<unknown> {
    try {
      return JSON.parse(await readAll(answer));
    } catch (error) {
      throw this.#noAnswer(`sent an answer that cannot be read: ${messageOf(error)}`, error);
    }
  }

  /** Resolves with an answer of 200; any other is thrown as the error it carries. */
  async #send(
    method: string,
    path: string,
    body: unknown,
    answerMs = this.#answerMs,
  ): Promise<IncomingMessage> {
    const answer = await this.#exchange(method, path, body, answerMs);
    if (answer.statusCode === 200) return answer;
    throw await this.#thrownBy(answer);
  }

  /** The error that an answer carries. */
  async #thrownBy(answer: IncomingMessage): Promise<EarshotError> {
    const result = v.safeParse(errorBodySchema, await this.#parse(answer));
    if (!result.success) {
      return this.#noAnswer(`answered with status ${answer.statusCode}`, undefined);
    }
    const { code, message, details } = result.output.error;
    return new EarshotError(isErrorCode(code) ? code : 'INTERNAL', message, {
      ...(details && { details }),
    });
  }

  #exchange(
    method: string,
    path: string,
    body: unknown,
    answerMs: number,
  ): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = request({
        socketPath: this.#socket,
        method,
        path,
        agent: false,
        headers: {
          host: 'localhost',
          ...(text !== undefined && {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(text),
          }),
        },
        ...(this.#signal && { signal: this.#signal }),
      });
      const deadline = setTimeout(() => {
        outgoing.destroy(this.#noAnswer(`did not answer within ${answerMs / 1_000} s`, undefined));
      }, answerMs);
      outgoing.once('response', (answer) => {
        clearTimeout(deadline);
        resolve(answer);
      });
      outgoing.once('error', (error) => {
        clearTimeout(deadline);
        reject(error instanceof EarshotError ? error : this.#connectError(error));
      });
      outgoing.end(text);
    });
  }

  #connectError(cause: Error): EarshotError {
    const code = 'code' in cause ? cause.code : undefined;
    const options = { cause, details: { socket: this.#socket } };
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTSOCK') {
      return new EarshotError(
        'CLI_NOT_RUNNING',
        `No Earshot answers on ${this.#socket}; start it, or name its socket with --socket or EARSHOT_SOCKET.`,
        options,
      );
    }
    if (code === 'EACCES' || code === 'EPERM') {
      return new EarshotError(
        'CLI_SOCKET_REFUSED',
        `This user may not use ${this.#socket}; run the command as root or as a member of the socket's group.`,
        options,
      );
    }
    return this.#noAnswer(`did not answer: ${cause.message}`, cause);
  }

  #noAnswer(what: string, cause: unknown): EarshotError {
    return new EarshotError('CLI_NO_ANSWER', `Earshot on ${this.#socket} ${what}.`, {
      cause,
      details: { socket: this.#socket },
    });
  }
}

async function readAll(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > maxAnswerBytes) throw new Error(`it has more than ${maxAnswerBytes} bytes`);
  }
  return text;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}
