import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isLoopback } from '../../../src/api/loopback.ts';

it('knows this machine, however a socket writes its address', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1']) {
    assert.ok(isLoopback(address), address);
  }
});

it('takes nothing else for it', () => {
  for (const address of [
    ...['0.0.0.0', '192.0.2.7', '128.0.0.1', '126.255.255.255'],
    ...['::', '::2', '::ffff:192.0.2.7', 'fe80::1', 'fe80::1%eth0', '::127.0.0.1', 'localhost', ''],
  ]) {
    assert.ok(!isLoopback(address), address);
  }
});
