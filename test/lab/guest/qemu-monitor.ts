import type { Socket } from 'node:net';
import * as v from 'valibot';

const answerSchema = v.looseObject({
  return: v.optional(v.unknown()),
  error: v.optional(v.looseObject({ desc: v.string() })),
});

/** QEMU's machine protocol (docs/interop/qmp-spec), for one question at a time. */
export class QemuMonitor {
  readonly #socket: Socket;
  #text = '';
  #waiting: ((line: string) => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8').on('data', (text: string) => this.#take(text));
    socket.on('error', () => socket.destroy());
    socket.write('{"execute":"qmp_capabilities"}\n');
  }

  /** What the human's monitor prints for a command. Throws after the deadline and with what QEMU refuses. */
  async print(command: string, deadlineMs = 10_000): Promise<string> {
    const question = { 'command-line': command };
    const answered = new Promise<string>((resolve, reject) => {
      const late = () => reject(new Error(`QEMU did not answer "${command}" in ${deadlineMs} ms`));
      const timer = setTimeout(late, deadlineMs);
      this.#waiting = (line) => {
        clearTimeout(timer);
        resolve(line);
      };
    });
    this.#socket.write(
      `${JSON.stringify({ execute: 'human-monitor-command', arguments: question, id: 1 })}\n`,
    );
    const { return: printed, error } = v.parse(answerSchema, JSON.parse(await answered));
    if (error !== undefined) throw new Error(`QEMU refuses "${command}": ${error.desc}`);
    return String(printed);
  }

  #take(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    // Greetings and events have no id.
    const answer = lines.find((line) => line.includes('"id": 1'));
    if (answer !== undefined) this.#waiting?.(answer);
  }
}
