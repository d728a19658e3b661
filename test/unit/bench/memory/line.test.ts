import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lineThrough } from '../../../bench/memory/line.ts';

const hours = Array.from({ length: 60 }, (_, n) => n / 60);

describe('the line through points', () => {
  it('has the slope of points on a line, without error', () => {
    const { slope, slopeError } = lineThrough(
      hours,
      hours.map((x) => 80 + 3 * x),
    );
    assert.ok(Math.abs(slope - 3) < 1e-9 && slopeError < 1e-9);
  });

  it('has an error that the noise explains', () => {
    const { slope, slopeError } = lineThrough(
      hours,
      hours.map((x, n) => 80 + 3 * x + (n % 2 === 0 ? 0.1 : -0.1)),
    );
    assert.ok(Math.abs(slope - 3) < 3 * slopeError);
    assert.ok(slopeError > 0.02 && slopeError < 0.1, `${slopeError}`);
  });

  it('is less sure of points that resemble their neighbours', () => {
    const steps = lineThrough(
      hours,
      hours.map((_, n) => (n % 20 < 10 ? 80 : 80.2)),
    );
    const noise = lineThrough(
      hours,
      hours.map((_, n) => (n % 2 === 0 ? 80 : 80.2)),
    );
    assert.ok(steps.slopeError > 2 * noise.slopeError);
  });

  it('says nothing of two points', () => {
    assert.ok(Number.isNaN(lineThrough([0, 1], [1, 2]).slope));
  });
});
