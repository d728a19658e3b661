import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BearerToken } from '../../../src/api/bearer-token.ts';

const right = 'Bearer correct-horse-battery';
const wrong = 'Bearer incorrect-horse-battery';

function tries(token: BearerToken, address: string, header: string | undefined = wrong): string {
  try {
    token.check(header, address);
    return 'let in';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a bearer token', () => {
  it('lets in who has it, whatever the case of the scheme', () => {
    const token = new BearerToken('correct-horse-battery');
    assert.equal(tries(token, '10.0.0.1', right), 'let in');
    assert.equal(tries(token, '10.0.0.1', right.replace('Bearer', 'bearer')), 'let in');
  });

  for (const header of [
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic Y29ycmVjdA==',
    'correct-horse-battery',
    'Bearer correct-horse-battery extra',
    'Bearer correct-horse-batter',
    'Bearer correct-horse-batteryy',
  ]) {
    it(`refuses ${JSON.stringify(header)}`, () => {
      const token = new BearerToken('correct-horse-battery');
      assert.throws(() => token.check(header, '10.0.0.1'), { code: 'API_TOKEN_REFUSED' });
    });
  }

  it('lets no address try more than ten at once, and ten a minute, not even with the right one', () => {
    let nowMs = 0;
    const token = new BearerToken('correct-horse-battery', () => nowMs);
    for (let n = 0; n < 10; n += 1) assert.equal(tries(token, '10.0.0.1'), 'API_TOKEN_REFUSED');
    assert.equal(tries(token, '10.0.0.1'), 'API_TOO_MANY_TRIES');
    assert.equal(tries(token, '10.0.0.1', right), 'API_TOO_MANY_TRIES');
    assert.equal(tries(token, '10.0.0.2', right), 'let in', 'another address');
    nowMs = 6_000;
    assert.equal(tries(token, '10.0.0.1'), 'API_TOKEN_REFUSED');
    assert.equal(tries(token, '10.0.0.1'), 'API_TOO_MANY_TRIES');
    nowMs = 66_000;
    assert.equal(tries(token, '10.0.0.1', right), 'let in');
  });

  it('counts the addresses of one IPv6 /64, and both forms of an IPv4 address, as one', () => {
    const token = new BearerToken('correct-horse-battery', () => 0);
    const addresses = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:2:1:2:3:4'];
    for (let n = 0; n < 10; n += 1) tries(token, addresses[n % addresses.length] ?? '');
    assert.equal(tries(token, '2001:db8:1:2::77'), 'API_TOO_MANY_TRIES');
    assert.equal(tries(token, '2001:db8:1:3::1'), 'API_TOKEN_REFUSED');
    for (let n = 0; n < 10; n += 1) tries(token, n % 2 === 0 ? '10.0.0.9' : '::ffff:10.0.0.9');
    assert.equal(tries(token, '10.0.0.9'), 'API_TOO_MANY_TRIES');
  });

  it('remembers a thousand addresses and no more', () => {
    const token = new BearerToken('correct-horse-battery', () => 0);
    for (let n = 0; n < 10; n += 1) tries(token, '192.0.2.1');
    for (let n = 0; n < 1_000; n += 1) tries(token, `10.1.${n >> 8}.${n & 255}`);
    assert.equal(tries(token, '192.0.2.1'), 'API_TOKEN_REFUSED', 'forgotten');
  });
});
