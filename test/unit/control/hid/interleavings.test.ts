import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ReportKind } from '../../../../src/control/hid/hid-host.ts';
import { validUsage } from '../../../../src/control/hid/hid-messages.ts';
import { type KeyUsage, modifierBit } from '../../../../src/control/hid/key-codes.ts';
import { reportBytes } from '../../../../src/control/hid/reports.ts';
import { type HidBench, hidBench } from '../../../fixtures/hid-bench.ts';
import type { TestViewer } from '../../../fixtures/hid-viewer.ts';

/** Few keys, so that viewers meet on them. */
const keys: readonly KeyUsage[] = [
  ...[0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0xe0, 0xe1, 0xe6].map((usage) => ({
    page: 'keyboard' as const,
    usage,
  })),
  { page: 'consumer', usage: 0xe9 },
  { page: 'system', usage: 0x82 },
];

const viewers = 3;
const who = fc.nat({ max: viewers - 1 });
const whichKey = fc.nat({ max: keys.length - 1 });
const key = fc.record({
  do: fc.constant('key' as const),
  who,
  key: whichKey,
  down: fc.boolean(),
});
const buttons = fc.record({
  do: fc.constant('buttons' as const),
  who,
  mode: fc.constantFrom('absolute' as const, 'relative' as const),
  mask: fc.nat({ max: 7 }),
});
const release = fc.record({ do: fc.constant('release' as const), who });
const silence = fc.record({ do: fc.constant('silence' as const), who });
const leave = fc.record({ do: fc.constant('leave' as const), who });

/** The viewers of a bench, each in a place; one that left is replaced by a new one. */
function places(bench: HidBench): TestViewer[] {
  return Array.from({ length: viewers }, (_, index) => bench.viewer(`s${index}`));
}

const lastOf = ({ host }: HidBench, kind: ReportKind) =>
  host.reports(kind).at(-1) ?? Array(reportBytes[kind]).fill(0);

describe('interleavings of viewers', () => {
  it('give the host the union of what each holds, step by step', async () => {
    const step = fc.oneof({ weight: 6, arbitrary: key }, buttons, release, silence, leave);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const bench = await hidBench();
        const pages = places(bench);
        const held = pages.map(() => ({ keys: new Set<number>(), mode: 'absolute', mask: 0 }));
        for (const each of steps) {
          const page = pages[each.who];
          const mine = held[each.who];
          assert.ok(page && mine);
          if (each.do === 'key') {
            const pressed = keys[each.key];
            assert.ok(pressed);
            page.send({ type: 'key', ...pressed, down: each.down });
            if (each.down) mine.keys.add(each.key);
            else mine.keys.delete(each.key);
          } else if (each.do === 'buttons') {
            const { mode, mask } = each;
            page.send({ type: 'button', mode, mask, x: 0, y: 0 });
            Object.assign(mine, { mode, mask });
          } else {
            if (each.do === 'release') page.send({ type: 'release' });
            if (each.do === 'leave') {
              page.close();
              pages[each.who] = bench.viewer();
            }
            for (let ms = 0; each.do === 'silence' && ms < 120; ms += 20) {
              for (const other of pages) if (other !== page) other.alive(0);
              await bench.clock.advance(20);
            }
            Object.assign(mine, { keys: new Set(), mask: 0 });
          }
          for (const other of pages) if (each.do !== 'silence' || other !== page) other.alive(0);
          await bench.clock.settle();
          assertUnion(bench, held);
        }
      }),
      { numRuns: 120 },
    );
  });

  it('leave nothing held and nothing unanswered after all left, whatever host and viewers did', async () => {
    const chaos = fc.oneof(
      { weight: 6, arbitrary: key },
      { weight: 2, arbitrary: buttons },
      release,
      leave,
      fc.record({
        do: fc.constant('wheel' as const),
        who,
        turn: fc.integer({ min: -999, max: 999 }),
      }),
      fc.record({ do: fc.constant('move' as const), who, x: fc.nat({ max: 32_767 }) }),
      fc.record({
        do: fc.constant('slide' as const),
        who,
        dx: fc.integer({ min: -32_767, max: 32_767 }),
      }),
      fc.record({ do: fc.constant('alive' as const), who, modifiers: fc.nat({ max: 255 }) }),
      fc.record({
        do: fc.constant('noise' as const),
        who,
        bytes: fc.uint8Array({ maxLength: 24 }),
      }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 130 }) }),
      fc.record({ do: fc.constant('poll' as const), ms: fc.nat({ max: 12 }) }),
      fc.record({
        do: fc.constant('hold' as const),
        kind: fc.constantFrom('keyboard' as const, 'absolute' as const, 'relative' as const),
        holds: fc.boolean(),
      }),
      fc.record({
        do: fc.constant('host' as const),
        state: fc.constantFrom('attached' as const, 'detached' as const, 'suspended' as const),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(chaos, { maxLength: 60, size: 'max' }), async (steps) => {
        const bench = await hidBench();
        const { host, clock, control } = bench;
        const pages = places(bench);
        const sent = new Map<TestViewer, number>();
        for (const each of steps) {
          if (each.do === 'wait') await clock.advance(each.ms);
          else if (each.do === 'poll') host.pollMs = each.ms;
          else if (each.do === 'host') host.become(each.state);
          else if (each.do === 'hold') {
            if (each.holds) host.held.add(each.kind);
            else host.held.delete(each.kind);
          } else {
            const page = pages[each.who];
            assert.ok(page);
            if (each.do === 'leave') {
              page.close();
              pages[each.who] = bench.viewer();
            } else if (act(page, each)) {
              sent.set(page, (sent.get(page) ?? 0) + 1);
            }
          }
        }
        host.hold(false);
        if (host.state !== 'attached') host.become('attached');
        await clock.advance(500);
        for (const page of pages) {
          assert.equal(page.toldOf('written').length, sent.get(page) ?? 0, 'each is answered once');
        }
        for (const page of pages) page.close();
        await clock.advance(3_000);
        const { heldKeys, heldButtons } = control.status();
        assert.deepEqual({ heldKeys, heldButtons }, { heldKeys: 0, heldButtons: 0 });
        assert.deepEqual(lastOf(bench, 'keyboard'), [0, 0, 0, 0, 0, 0, 0, 0]);
        assert.deepEqual(lastOf(bench, 'consumer'), [0, 0]);
        assert.deepEqual(lastOf(bench, 'system'), [0]);
        assert.equal(lastOf(bench, 'absolute')[0], 0);
        assert.equal(lastOf(bench, 'relative')[0], 0);
        assert.equal(clock.pending, 0, 'no timer is left');
        for (const { kind, report } of host.taken) assert.equal(report.length, reportBytes[kind]);
      }),
      { numRuns: 150 },
    );
  });
});

type Act =
  | { do: 'key'; key: number; down: boolean }
  | { do: 'buttons'; mode: 'absolute' | 'relative'; mask: number }
  | { do: 'release' }
  | { do: 'wheel'; turn: number }
  | { do: 'move'; x: number }
  | { do: 'slide'; dx: number }
  | { do: 'alive'; modifiers: number }
  | { do: 'noise'; bytes: Uint8Array };

/** Does it; true when it is to be answered. */
function act(page: TestViewer, each: Act): boolean {
  switch (each.do) {
    case 'key': {
      const pressed = keys[each.key];
      assert.ok(pressed && validUsage(pressed.page, pressed.usage));
      page.send({ type: 'key', ...pressed, down: each.down });
      return true;
    }
    case 'buttons':
      page.send({ type: 'button', mode: each.mode, mask: each.mask, x: 0, y: 0 });
      return true;
    case 'wheel':
      page.send({ type: 'wheel', vertical: each.turn, horizontal: -each.turn });
      return true;
    case 'release':
      page.send({ type: 'release' });
      return false;
    case 'move':
      page.send({ type: 'move-absolute', x: each.x, y: 0 });
      return false;
    case 'slide':
      page.send({ type: 'move-relative', dx: each.dx, dy: 1 });
      return false;
    case 'alive':
      page.alive(each.modifiers);
      return false;
    case 'noise':
      // A first byte of 0 makes it no message, so that none of it is to be answered.
      page.raw(Uint8Array.of(0, ...each.bytes));
      return false;
  }
}

function assertUnion(
  bench: HidBench,
  held: readonly {
    readonly keys: ReadonlySet<number>;
    readonly mode: string;
    readonly mask: number;
  }[],
): void {
  const all = [...new Set(held.flatMap((each) => [...each.keys]))].flatMap(
    (index) => keys[index] ?? [],
  );
  const plain = all.filter((each) => each.page === 'keyboard' && modifierBit(each) === 0);
  const [modifiers, , ...usages] = lastOf(bench, 'keyboard');
  assert.equal(
    modifiers,
    all.reduce((mask, each) => mask | modifierBit(each), 0),
  );
  const expected = plain.length > 6 ? Array(6).fill(1) : plain.map(({ usage }) => usage).sort();
  assert.deepEqual(usages.filter((usage) => usage !== 0).sort(), expected.sort());
  const isHeld = (page: string) => all.some((each) => each.page === page);
  assert.equal(lastOf(bench, 'consumer')[0], isHeld('consumer') ? 0xe9 : 0);
  assert.equal(lastOf(bench, 'system')[0], isHeld('system') ? 2 : 0);
  for (const mode of ['absolute', 'relative'] as const) {
    const mask = held.reduce((sum, each) => (each.mode === mode ? sum | each.mask : sum), 0);
    assert.equal(lastOf(bench, mode)[0], mask, mode);
  }
  assert.equal(bench.control.status().heldKeys, all.length);
}
