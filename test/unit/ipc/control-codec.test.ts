import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EarshotError } from '../../../src/errors/earshot-error.ts';
import { decodeControl, encodeControl } from '../../../src/ipc/control-codec.ts';
import type { ControlType } from '../../../src/ipc/messages.ts';

function refusal(type: ControlType, text: string): EarshotError {
  try {
    decodeControl(type, Buffer.from(text));
  } catch (error) {
    assert.ok(error instanceof EarshotError);
    assert.equal(error.code, 'IPC_INVALID_MESSAGE');
    return error;
  }
  assert.fail(`${type} ${text} was accepted`);
}

describe('control messages', () => {
  it('come back as they were', () => {
    const bodies: [ControlType, object][] = [
      ['hello', { role: 'video', pid: 1, version: '1.2.3' }],
      ['configure', { id: 1, config: { device: 'hw:CARD=Ü', nested: { on: true } } }],
      ['ready', { id: 1, effective: {} }],
      ['stop', {}],
      ['event', { name: 'xrun', data: { lostSamples: 480 } }],
      ['error', { code: 'CONFIG_INVALID', message: 'no' }],
      ['error', { id: 7, code: 'CONFIG_INVALID', message: 'no' }],
    ];
    for (const [type, body] of bodies) {
      assert.deepEqual(decodeControl(type, encodeControl(type, body)), { type, body });
    }
  });

  it('that are too large are not sent', () => {
    assert.throws(() => encodeControl('stats', { stats: { text: 'x'.repeat(65_536) } }), {
      code: 'IPC_MESSAGE_TOO_LARGE',
      message: /^The stats message has \d+ bytes; at most 65536 are allowed\.$/,
    });
  });

  it('that are no JSON are refused', () => {
    assert.match(refusal('stats', '{').message, /is not JSON/);
    assert.match(refusal('stats', '').message, /is not JSON/);
    assert.match(refusal('stats', '\xff').message, /is not JSON/);
  });

  it('that do not match their schema are refused, naming the key', () => {
    assert.match(refusal('event', '{"name":5,"data":{}}').message, /invalid at name/);
    assert.match(refusal('stop', '{"now":true}').message, /now/);
    assert.match(refusal('hello', '{"role":"root","pid":1,"version":""}').message, /role/);
    assert.match(refusal('ping', '[]').message, /ping/);
    assert.match(refusal('ping', 'null').message, /ping/);
    assert.match(refusal('ping', '{"id":1.5}').message, /id/);
  });

  it('keep the id of the request they carry, for the answer', () => {
    assert.equal(refusal('configure', '{"id":9,"config":5}').details['id'], 9);
    assert.equal(refusal('configure', '{"id":-9,"config":5}').details['id'], undefined);
    assert.equal(refusal('configure', '{"id":').details['id'], undefined);
  });
});
