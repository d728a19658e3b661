import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isAlive, waitFor } from '../fixtures/wait-for.ts';
import { type Guest, guestDenied, startGuest } from '../lab/guest/guest.ts';

/** A Linux kernel of the test's own. */

const skip = guestDenied() ?? false;
const deadlineMs = 60_000;

let guest: Guest;
before(async () => {
  if (skip !== false) return;
  guest = await startGuest({
    forward: [
      { protocol: 'tcp', guestPort: 8_080 },
      { protocol: 'udp', guestPort: 9_090 },
    ],
  });
});
after(() => guest?.stop());

test('a program runs in a kernel of its own, and says how it ended', { skip }, async () => {
  const { stdout, stderr, code } = await guest.run(['sh', '-c', 'uname -r; echo no >&2; exit 3']);
  assert.match(stdout, /^6\.\d+\.\d+-\d+-amd64\n$/);
  assert.deepEqual([stderr, code], ['no\n', 3]);
  const missing = await guest.run(['nosuchprogram']);
  assert.equal(missing.code, 127);
  assert.match(missing.stderr, /nosuchprogram.*No such file/);
  await assert.rejects(guest.shell('echo why >&2; false'), /ended in the guest with 1: why/);
  await assert.rejects(guest.run(['sleep', '60'], { timeoutMs: 300 }), /ended .* SIGKILL/);
});

test('more than fits into any pipe comes whole, of several programs at once', {
  skip,
}, async () => {
  const line = 'head -c 3000000 /dev/zero | tr "\\0" x';
  const all = await Promise.all([guest.shell(line), guest.shell(line)]);
  for (const text of all) assert.ok(text.length === 3_000_000 && !/[^x]/.test(text));
});

test('the checkout runs with its Node and modules, and cannot be written', { skip }, async () => {
  const file = fileURLToPath(import.meta.url);
  assert.equal(await guest.shell(`cat '${file}'`), await readFile(file, 'utf8'));
  const words = "import('valibot').then(() => console.log(process.version))";
  assert.equal(await guest.shell(`node -e "${words}"`), `${process.version}\n`);
  await assert.rejects(guest.shell(`touch '${file}'`), /Read-only/);
});

test('both write the scratch directory', { skip }, async () => {
  await writeFile(join(guest.scratch, 'here'), 'from here');
  assert.equal(await guest.shell(`cat ${guest.scratch}/here`), 'from here');
  await guest.shell(`echo -n from there >${guest.scratch}/there`);
  assert.equal(await readFile(join(guest.scratch, 'there'), 'utf8'), 'from there');
  await writeFile(join(guest.scratch, 'here'), 'changed');
  assert.equal(await guest.shell(`cat ${guest.scratch}/here`), 'changed');
});

test('a program that was started is fed, heard and killed', { skip }, async () => {
  const echo = guest.spawn(['cat']);
  let heard = '';
  echo.stdout.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  echo.stdin.write('one ');
  await waitFor('the echo', () => heard === 'one ', deadlineMs);
  echo.stdin.end('two');
  assert.deepEqual(await once(echo, 'close'), [0, null]);
  assert.equal(heard, 'one two');
  assert.equal(echo.kill(), false);

  // It and what it started.
  const family = guest.spawn(['sh', '-c', 'sleep 6543 & wait']);
  const sleeping = async () => (await guest.run(['busybox', 'pidof', 'sleep'])).code === 0;
  await waitFor('its child', sleeping, deadlineMs);
  const gone = once(family, 'close');
  assert.equal(family.kill(), true);
  assert.deepEqual(await gone, [null, 'SIGTERM']);
  await waitFor('the end of its child', async () => !(await sleeping()), deadlineMs);
});

test('its ports are reached from here, and this machine from there', { skip }, async () => {
  const port = guest.hostPort('tcp', 8_080);
  const serve = "require('http').createServer((_, a) => a.end('hello')).listen(8080)";
  const server = guest.spawn(['node', '-e', serve]);
  const page = await waitFor(
    'the page',
    () =>
      fetch(`http://127.0.0.1:${port}/`)
        .then((answer) => answer.text())
        .catch(() => undefined),
    deadlineMs,
  );
  assert.equal(page, 'hello');
  server.kill();

  const mirror =
    "const s = require('dgram').createSocket('udp4'); s.bind(9090, () => console.log('on')); s.on('message', (m, from) => s.send(m, from.port, from.address))";
  const udp = guest.spawn(['node', '-e', mirror]);
  await once(udp.stdout, 'data');
  const socket = createSocket('udp4');
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(deadlineMs) });
  socket.send('datagram', guest.hostPort('udp', 9_090), '127.0.0.1');
  assert.equal(String((await answer)[0]), 'datagram');
  socket.close();
  udp.kill();

  const here = createServer((_, response) => response.end('from the machine')).listen(0);
  await once(here, 'listening');
  const address = here.address();
  const here8 = typeof address === 'object' ? address?.port : 0;
  const fetched = await guest.shell(`busybox wget -qO- http://10.0.2.2:${here8}/`);
  assert.equal(fetched, 'from the machine');
  here.close();
  assert.throws(() => guest.hostPort('tcp', 1), /tcp port 1 is not forwarded/);
});

test("the kernel's stand-ins for hardware are there", { skip }, async () => {
  const modules = [
    ...['vivid', 'dummy_hcd', 'libcomposite', 'usb_f_hid', 'usb_f_acm', 'usb_f_uac2', 'usbhid'],
    ...['cdc_acm', 'hid_generic', 'evdev', 'uinput', 'snd_aloop', 'snd_dummy', 'sch_netem'],
  ];
  await guest.shell(`modprobe -a ${modules.join(' ')}`);
  const seen = await guest.shell(
    'ls -d /dev/video0 /dev/snd/pcmC0D0c /sys/class/udc/dummy_udc.0 /sys/kernel/config/usb_gadget /sys/kernel/debug/usb',
  );
  assert.equal(seen.split('\n').length, 6);
});

test('a guest that does not come up says what its console said', { skip }, async () => {
  await assert.rejects(startGuest({ bootDeadlineMs: 1 }), (error: unknown) => {
    assert.ok(error instanceof Error && error.cause instanceof Error);
    return /it said last/.test(error.message) && /not in 1 ms/.test(error.cause.message);
  });
});

test('it ends with the process that started it, and stopping it leaves nothing', {
  skip,
}, async () => {
  const module = new URL('../lab/guest/guest.ts', import.meta.url).href;
  const script = `import { startGuest } from '${module}'; const guest = await startGuest(); console.log(guest.pid, guest.scratch); setInterval(() => {}, 1000);`;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(starter.stdout, 'data');
  const [pid, scratch = ''] = String(line).trim().split(' ');
  assert.ok(await isAlive(Number(pid)));
  starter.kill('SIGKILL');
  await waitFor('its end', async () => !(await isAlive(Number(pid))));
  // Nobody was left to take it away.
  await rm(scratch, { recursive: true });

  const running = guest.spawn(['sleep', '1000']);
  const ended = once(running, 'close');
  await guest.stop();
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  assert.equal(await isAlive(guest.pid), false);
  assert.equal(existsSync(guest.scratch), false);
  await guest.stop();
});
