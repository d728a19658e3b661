import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import * as v from 'valibot';
import {
  serialportBinding,
  serialportBindingFile,
  serialportPlugin,
} from '../../scripts/serialport-binding.ts';
import { GadgetCable } from '../fixtures/gadget-cable.ts';
import { everyByte } from '../fixtures/serial-port-contract.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { type GuestProgram, guestDenied } from '../lab/guest/guest.ts';

/**
 * The console over a real USB cable of the kernel's: /dev/ttyGS0 is the device's end of the gadget's serial
 * port, /dev/ttyACM0 the modem that the host sees.
 */

const skip = guestDenied() ?? false;
const deadlineMs = 30_000;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const line = v.object({
  state: v.optional(v.string()),
  bytes: v.optional(v.string()),
});

/** The console in the guest, and what it told. */
class GuestConsole {
  readonly #program: GuestProgram;
  state = '';
  received = '';

  constructor(program: GuestProgram) {
    this.#program = program;
    createInterface({ input: program.stdout }).on('line', (text) => {
      const { state, bytes = '' } = v.parse(line, JSON.parse(text));
      this.state = state ?? this.state;
      this.received += bytes;
    });
  }

  say(request: object): void {
    this.#program.stdin.write(`${JSON.stringify(request)}\n`);
  }

  until(state: string): Promise<unknown> {
    return waitFor(`the port to be ${state}`, () => this.state === state, deadlineMs);
  }
}

/** The host's end of the cable while it is plugged in. */
class HostModem {
  readonly #cable: GadgetCable;
  received = '';

  private constructor(cable: GadgetCable) {
    this.#cable = cable;
    cable.guest.spawn(['cat', '/dev/ttyACM0']).stdout.on('data', (bytes: Buffer) => {
      this.received += hex(bytes);
    });
  }

  static async open(cable: GadgetCable): Promise<HostModem> {
    const settled = 'for i in $(seq 100); do [ -c /dev/ttyACM0 ] && break; sleep 0.1; done';
    await cable.guest.shell(`${settled}; stty -F /dev/ttyACM0 raw -echo -ignbrk -brkint -parmrk`);
    return new HostModem(cable);
  }

  async send(bytes: Uint8Array): Promise<void> {
    const writer = this.#cable.guest.spawn(['sh', '-c', 'cat >/dev/ttyACM0']);
    const closed = once(writer, 'close');
    writer.stdin.end(Buffer.from(bytes));
    await closed;
  }
}

let cable: GadgetCable;
let serial: GuestConsole;
let host: HostModem;

before(async () => {
  if (skip !== false) return;
  cable = await GadgetCable.start();
  const { scratch } = cable.guest;
  await build({
    entryPoints: [join(import.meta.dirname, '../fixtures/serial-console-program.ts')],
    outfile: join(scratch, 'serial-console-program.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    banner: {
      js: "import { createRequire as ownRequire } from 'node:module'; const require = ownRequire(import.meta.url);",
    },
    plugins: [serialportPlugin],
    logLevel: 'warning',
  });
  await copyFile(serialportBinding(), join(scratch, serialportBindingFile));
  const program = join(scratch, 'serial-console-program.mjs');
  serial = new GuestConsole(cable.guest.spawn(['node', program, '/dev/ttyGS0']));
  await cable.plugIn();
  await cable.untilState('attached');
  host = await HostModem.open(cable);
  await serial.until('open');
});
after(() => cable?.stop());

test('every value of a byte passes both ways', { skip }, async () => {
  await host.send(everyByte);
  await waitFor('the host’s bytes', () => serial.received.length >= 512, deadlineMs);
  assert.equal(serial.received, hex(everyByte));
  serial.say({ write: hex(everyByte) });
  await waitFor('the console’s bytes', () => host.received.length >= 512, deadlineMs);
  assert.equal(host.received, hex(everyByte));
});

test('a break arrives at the host as one', { skip }, async () => {
  host.received = '';
  serial.say({ breakMs: 250 });
  // Without a setting for it a terminal reads a break as a zero (termios(3), IGNBRK).
  await waitFor('the break', () => host.received === '00', deadlineMs);
});
