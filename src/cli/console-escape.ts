import { usageError } from './command.ts';

/** What a key after the escape key asks for. */
export const consoleActions = {
  '.': { action: 'detach', summary: 'leave the console' },
  b: { action: 'break', summary: 'send a break' },
  t: { action: 'takeover', summary: 'take the place of the console that writes' },
  '?': { action: 'help', summary: 'show this' },
} as const satisfies Record<string, { readonly action: string; readonly summary: string }>;

export type ConsoleAction = (typeof consoleActions)[keyof typeof consoleActions]['action'];

/** Bytes for the host, or something for the command itself. */
export type ConsoleInput =
  | { readonly bytes: Uint8Array }
  | { readonly action: ConsoleAction }
  /** A key that stands for nothing. */
  | { readonly unknown: string };

export const defaultEscape = '^]';

/** The byte of a control key written as `^A` … `^_`. Throws CLI_USAGE. */
export function escapeByte(text: string): number {
  const [, letter] = /^\^([a-zA-Z[\\\]^_])$/.exec(text) ?? [];
  if (letter === undefined) {
    throw usageError(`"${text}" is no control key; write it as ^] or ^A … ^Z.`);
  }
  return letter.charCodeAt(0) & 0x1f;
}

/** Takes the keys that are for the command out of what is typed: the escape key, and the key after it. */
export class ConsoleEscape {
  readonly #escape: number;
  #escaped = false;

  constructor(escapeKey: number) {
    this.#escape = escapeKey;
  }

  /** What `bytes` mean, in order; the escape key twice is one for the host. */
  read(bytes: Uint8Array): ConsoleInput[] {
    const inputs: ConsoleInput[] = [];
    let from = 0;
    for (const [at, byte] of bytes.entries()) {
      if (this.#escaped) {
        this.#escaped = false;
        // The escape key itself is sent with what follows it.
        if (byte === this.#escape) from = at;
        else {
          inputs.push(meaning(byte));
          from = at + 1;
        }
      } else if (byte === this.#escape) {
        if (at > from) inputs.push({ bytes: bytes.subarray(from, at) });
        this.#escaped = true;
        from = at + 1;
      }
    }
    if (from < bytes.length) inputs.push({ bytes: bytes.subarray(from) });
    return inputs;
  }
}

function meaning(byte: number): ConsoleInput {
  const key = String.fromCharCode(byte).toLowerCase();
  const known: Readonly<Record<string, { readonly action: ConsoleAction }>> = consoleActions;
  const action = Object.hasOwn(known, key) ? known[key]?.action : undefined;
  return action === undefined ? { unknown: key } : { action };
}
