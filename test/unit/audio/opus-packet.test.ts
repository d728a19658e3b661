import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opusPacketSamples } from '../../../src/audio/opus-packet.ts';

const toc = (config: number, code: number): number => (config << 3) | code;

test('the duration of every configuration is RFC 6716 table 2', () => {
  const milliseconds = [
    ...[10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60],
    ...[10, 20, 10, 20],
    ...[2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20],
  ];
  assert.equal(milliseconds.length, 32);
  milliseconds.forEach((ms, config) => {
    assert.equal(opusPacketSamples(Buffer.from([toc(config, 0), 1])), ms * 48, `config ${config}`);
  });
});

test('two frames count twice, and a counted packet by its count', () => {
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 1), 0])), 1_920);
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 2), 0])), 1_920);
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 3), 6, 0])), 5_760);
});

test('a DTX packet of one byte has its full duration', () => {
  assert.equal(opusPacketSamples(Buffer.from([toc(9, 0)])), 960);
});

test('what is no packet lasts nothing', () => {
  assert.equal(opusPacketSamples(Buffer.alloc(0)), 0);
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 3)])), 0, 'no count');
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 3), 0])), 0, 'no frames');
  assert.equal(opusPacketSamples(Buffer.from([toc(31, 3), 7])), 0, 'over 120 ms');
});
