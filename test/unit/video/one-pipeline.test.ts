import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { OnePipeline } from '../../../src/video/one-pipeline.ts';
import { FakePipeline, settled } from '../../fixtures/fake-pipeline.ts';

let made: FakePipeline[];
let hangs: number;
let place: OnePipeline;

beforeEach(() => {
  made = [];
  hangs = 0;
  place = new OnePipeline(() => {
    hangs += 1;
  });
});

/** Makes one that ends late. */
function make(): FakePipeline {
  const pipeline = new FakePipeline({ description: '', onUnit() {}, onEvent() {} });
  pipeline.endsAtOnce = false;
  made.push(pipeline);
  return pipeline;
}

test('one is made at once where there is none, and no second beside it', () => {
  place.open(make);
  place.open(make);
  assert.equal(made.length, 1);
  assert.equal(place.running, made[0]);
});

test('the next is made when the one before has ended, not when it is closed', async () => {
  place.open(make);
  place.close();
  assert.ok(made[0]?.closed);
  assert.equal(place.running, undefined);
  place.open(make);
  place.open(make);
  await settled();
  assert.equal(made.length, 1);
  await made[0]?.end();
  assert.equal(made.length, 2);
  assert.equal(place.running, made[1]);
});

test('the last that was asked for is made, and none after another close', async () => {
  const asked: string[] = [];
  const ask = (name: string) => () => {
    asked.push(name);
    return make();
  };
  place.open(ask('first'));
  place.close();
  place.open(ask('second'));
  place.close();
  place.open(ask('third'));
  place.open(ask('fourth'));
  await made[0]?.end();
  assert.deepEqual(asked, ['first', 'fourth']);
  place.close();
  place.open(ask('fifth'));
  place.close();
  await made[1]?.end();
  assert.deepEqual(asked, ['first', 'fourth']);
  place.open(ask('sixth'));
  assert.equal(place.running, made[2]);
});

test('one that is given up is told once, and its place stays taken', async () => {
  place.open(make);
  place.close();
  place.open(make);
  await made[0]?.end(false);
  assert.equal(hangs, 1);
  place.close();
  place.open(make);
  await settled();
  assert.deepEqual([made.length, hangs], [1, 1]);
});
