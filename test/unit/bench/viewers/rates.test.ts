import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertReceived, type Rates, ratesBetween } from '../../../bench/viewers/rates.ts';

const least = { soundPacketsPerS: 45, videoPacketsPerS: 100, picturesPerS: 27 };
const enough: Rates = {
  ...{ soundPacketsPerS: 50, videoPacketsPerS: 180, picturesPerS: 30 },
  videoKbps: 1_700,
};

describe('what a viewer received', () => {
  it('is told per second of the time between the two looks', () => {
    const before = { atMs: 500, soundPackets: 10, videoPackets: 5, videoBytes: 100, pictures: 1 };
    const after = {
      ...{ atMs: 2_500, soundPackets: 110, videoPackets: 405 },
      ...{ videoBytes: 400_100, pictures: 61 },
    };
    assert.deepEqual(ratesBetween(before, after), {
      ...{ soundPacketsPerS: 50, videoPacketsPerS: 200, picturesPerS: 30 },
      videoKbps: 1_600,
    });
  });

  it('is enough when each viewer has the least of each', () => {
    assertReceived([enough, { ...least, videoKbps: 0 }], least);
  });

  for (const name of ['soundPacketsPerS', 'videoPacketsPerS', 'picturesPerS'] as const) {
    for (const value of [0, least[name] - 1, Number.NaN]) {
      it(`is refused with ${name} of ${value} at one viewer, and says of each what it received`, () => {
        assert.throws(() => assertReceived([enough, { ...enough, [name]: value }], least), {
          message: /^1 of 2 viewers received less than .*\nviewer 0: .*\nviewer 1: /,
        });
      });
    }
  }
});
