/**
 * Frames between two real processes over a socket on fd 3: Opus-sized (160 bytes) and large (1 MiB
 * video). The peer is Node's own `process.send` with `advanced` serialization, the floor a bare socket;
 * all take turns, and the median of the rounds counts.
 */
import { headerBytes } from '../../src/ipc/framing.ts';
import { type BenchOptions, type BenchResult, median, percentile, round } from './bench.ts';
import {
  builtinEcho,
  builtinPeer,
  channelEcho,
  channelPeer,
  type Echo,
  type Peer,
  rawPeer,
} from './ipc/peers.ts';

const opusPayload = Buffer.alloc(160, 1);
const largePayload = Buffer.alloc(1024 * 1024, 1);
const echoTurns = 3;

interface Sizes {
  readonly rounds: number;
  readonly frames: number;
  readonly largeFrames: number;
  readonly roundTrips: number;
}

interface Rates {
  readonly framesPerS: number[];
  readonly largeMBps: number[];
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1_000;
}

async function measureRound(peer: Peer, rates: Rates, sizes: Sizes): Promise<void> {
  const smallS = await timed(() => peer.burst(opusPayload, sizes.frames));
  rates.framesPerS.push(sizes.frames / smallS);
  const largeS = await timed(() => peer.burst(largePayload, sizes.largeFrames));
  rates.largeMBps.push((sizes.largeFrames * largePayload.length) / 1e6 / largeS);
}

/** p50 and p95 of one frame there and back, in µs, with nothing else under way; the two take turns. */
async function measureEchoes(count: number) {
  const echoes: readonly Echo[] = await Promise.all([channelEcho(), builtinEcho()]);
  const times = echoes.map((): number[] => []);
  try {
    // The first turn warms up and is thrown away.
    for (let turn = 0; turn <= echoTurns; turn += 1) {
      for (const [which, echo] of echoes.entries()) {
        for (let index = 0; index < count; index += 1) {
          const us = (await timed(() => echo.roundTrip(opusPayload))) * 1e6;
          if (turn > 0) times[which]?.push(us);
        }
      }
    }
  } finally {
    await Promise.all(echoes.map((echo) => echo.close()));
  }
  return times.map((us) => ({ p50: round(median(us)), p95: round(percentile(us, 0.95)) }));
}

async function measureRates(sizes: Sizes, progress: BenchOptions['progress']) {
  const opened = await Promise.all([channelPeer(), builtinPeer(), rawPeer(headerBytes)]);
  const [channel, builtin, raw] = opened;
  const rates = [channel, builtin, raw].map((): Rates => ({ framesPerS: [], largeMBps: [] }));
  try {
    // The first round warms up and is thrown away.
    for (let index = 0; index <= sizes.rounds; index += 1) {
      progress(index === 0 ? 'warming up' : `round ${index} of ${sizes.rounds}`);
      for (const [which, peer] of opened.entries()) {
        const into = index === 0 ? undefined : rates[which];
        await measureRound(peer, into ?? { framesPerS: [], largeMBps: [] }, sizes);
      }
    }
    if (channel.lost() > 0) throw new Error(`${channel.lost()} frames were lost`);
  } finally {
    await Promise.all(opened.map((peer) => peer.close()));
  }
  return rates.map(({ framesPerS, largeMBps }) => ({
    framesPerS: Math.round(median(framesPerS)),
    largeMBps: Math.round(median(largeMBps)),
  }));
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const sizes: Sizes = short
    ? { rounds: 1, frames: 20_000, largeFrames: 100, roundTrips: 200 }
    : { rounds: 7, frames: 200_000, largeFrames: 1_000, roundTrips: 3_000 };
  const [ours, peer, floor] = await measureRates(sizes, progress);
  if (ours === undefined || peer === undefined || floor === undefined) {
    throw new Error('a way of moving frames was not measured');
  }
  progress('round trips');
  const [roundTripUs, peerRoundTripUs] = await measureEchoes(sizes.roundTrips);
  return {
    fields: {
      framesPerS: ours.framesPerS,
      usPerFrame: round(1e6 / ours.framesPerS, 2),
      largeMBps: ours.largeMBps,
      roundTripUs,
      peer: { name: 'process.send, advanced', ...peer, roundTripUs: peerRoundTripUs },
      floor: { name: 'bare socket', ...floor },
      ratio: round(ours.framesPerS / peer.framesPerS, 2),
      largeRatio: round(ours.largeMBps / peer.largeMBps, 2),
      floorRatio: round(ours.framesPerS / floor.framesPerS, 2),
      largeFloorRatio: round(ours.largeMBps / floor.largeMBps, 2),
    },
    budgets: [
      { name: 'framesPerS', value: ours.framesPerS, is: 'at least', limit: 50_000 },
      { name: 'largeMBps', value: ours.largeMBps, is: 'at least', limit: 500 },
    ],
  };
}
