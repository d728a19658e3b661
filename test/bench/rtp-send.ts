/**
 * CPU of this process for one 1,200-byte RTP packet, in µs: as fast as they go, and paced as video is
 * (14 packets every 16 ms). Ours as a packet of sound goes, one by one, and as a picture goes, which is put
 * into 14 packets first and leaves as one batch. The floor is a bare connected socket that sends ready bytes;
 * werift's own transport is the peer. All take turns, and the median of the rounds counts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, type BenchResult, median, round } from './bench.ts';
import {
  bareSender,
  ownSender,
  type Sender,
  videoSender,
  weriftSender,
} from './rtp-send/senders.ts';

const packetsPerFrame = 14;
const frameMs = 16;

interface Sizes {
  readonly rounds: number;
  readonly burstPackets: number;
  readonly pacedFrames: number;
}

function cpuUs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

async function startSink(): Promise<{ child: ChildProcess; port: number }> {
  const path = fileURLToPath(new URL('./rtp-send/sink.ts', import.meta.url));
  const child = spawn(process.execPath, [path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, port: Number(line) };
}

async function burst(sender: Sender, packets: number): Promise<number> {
  const before = process.cpuUsage();
  for (let sent = 0; sent < packets; sent += packetsPerFrame * 4) {
    sender.send(packetsPerFrame * 4);
    await turn();
  }
  return cpuUs(before) / packets;
}

async function paced(sender: Sender, frames: number): Promise<number> {
  const before = process.cpuUsage();
  const startMs = performance.now();
  for (let frame = 1; frame <= frames; frame += 1) {
    sender.send(packetsPerFrame);
    await sleep(Math.max(1, startMs + frame * frameMs - performance.now()));
  }
  return cpuUs(before) / (frames * packetsPerFrame);
}

async function measure(senders: readonly Sender[], sizes: Sizes, progress: (text: string) => void) {
  const figures = new Map(
    senders.map(({ name }) => [name, { burstUs: [] as number[], pacedUs: [] as number[] }]),
  );
  // Paced first: what a burst leaves to collect would be paid for by the next paced stretch. The first
  // round of each warms up and is thrown away.
  for (const kind of ['pacedUs', 'burstUs'] as const) {
    for (let index = 0; index <= sizes.rounds; index += 1) {
      progress(`${kind === 'pacedUs' ? 'paced' : 'burst'}, round ${index} of ${sizes.rounds}`);
      for (const sender of senders) {
        const us =
          kind === 'pacedUs'
            ? await paced(sender, sizes.pacedFrames)
            : await burst(sender, sizes.burstPackets);
        if (index > 0) figures.get(sender.name)?.[kind].push(us);
      }
    }
  }
  return (name: string) => {
    const { burstUs = [], pacedUs = [] } = figures.get(name) ?? {};
    return { burstUs: round(median(burstUs)), pacedUs: round(median(pacedUs)) };
  };
}

export async function run({ short, progress }: BenchOptions): Promise<BenchResult> {
  const sizes = short
    ? { rounds: 2, burstPackets: 2_000, pacedFrames: 15 }
    : { rounds: 9, burstPackets: 40_000, pacedFrames: 150 };
  const { child, port } = await startSink();
  const senders = [
    await bareSender(port),
    await ownSender(port),
    await videoSender(port, packetsPerFrame),
    await weriftSender(port),
  ];
  try {
    const median = await measure(senders, sizes, progress);
    const own = median('own');
    const video = median('video');
    const floor = median('floor');
    const werift = median('werift');
    const ratio = round(own.pacedUs / floor.pacedUs, 2);
    return {
      fields: {
        burstUs: own.burstUs,
        pacedUs: own.pacedUs,
        videoBurstUs: video.burstUs,
        videoPacedUs: video.pacedUs,
        floorBurstUs: floor.burstUs,
        floorPacedUs: floor.pacedUs,
        weriftBurstUs: werift.burstUs,
        weriftPacedUs: werift.pacedUs,
        ratio,
        videoRatio: round(video.pacedUs / floor.pacedUs, 2),
      },
      budgets: [{ name: 'ratio', value: ratio, is: 'at most', limit: 1.5 }],
    };
  } finally {
    child.stdin?.end();
    await once(child, 'exit');
    await closeAll(senders);
  }
}

/** All of them, whatever one says: an open socket would keep the benchmark from ending. Throws what the first one said. */
async function closeAll(senders: readonly Sender[]): Promise<void> {
  const closed = await Promise.allSettled(senders.map((sender) => sender.close()));
  for (const result of closed) if (result.status === 'rejected') throw result.reason;
}
