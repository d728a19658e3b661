import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type DataChannelName,
  dataChannelKinds,
  isReliable,
  kindOf,
} from '../../../src/media/data-channel-kinds.ts';
import { openMessage } from '../../fixtures/sctp-packets.ts';

const names: readonly DataChannelName[] = ['fast-lane', 'keys', 'pointer'];

describe('the kinds of data channels', () => {
  test('are told by label, protocol, type and retransmissions', () => {
    for (const name of names) {
      const kind = dataChannelKinds[name];
      assert.equal(kindOf(openMessage(kind), names), name);
      assert.equal(kindOf(openMessage(kind), []), undefined);
      for (const type of [0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0xff]) {
        const expected = type === kind.type ? name : undefined;
        assert.equal(kindOf(openMessage({ ...kind, type }), names), expected, `${name} ${type}`);
      }
      for (const change of [{ label: `${kind.label}x` }, { label: '' }, { protocol: '' }]) {
        assert.equal(kindOf(openMessage({ ...kind, ...change }), names), undefined);
      }
      const again = kindOf(openMessage({ ...kind, reliability: 1 }), names);
      // RFC 8832 §5.1: ignored on a reliable channel.
      assert.equal(again, isReliable(name) ? name : undefined);
    }
    assert.deepEqual(names.map(isReliable), [false, true, false]);
  });

  test('are none of anything shorter, longer or torn', () => {
    const open = openMessage(dataChannelKinds.keys);
    for (let length = 0; length < open.length; length += 1) {
      assert.equal(kindOf(open.subarray(0, length), names), undefined);
    }
    assert.equal(kindOf(Buffer.concat([open, Buffer.alloc(1)]), names), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        assert.equal(kindOf(Buffer.from(bytes), names), undefined);
      }),
    );
  });
});
