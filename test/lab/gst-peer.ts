import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { vp8Speed, vp8Threads } from '../../src/video/pipelines.ts';
import type { Card } from './card-delay.ts';
import type { PageProbe } from './page-probe.ts';

/** The rival: GStreamer's webrtcbin sends a card's sound to a page that has the probe. */

export interface GstPeerOptions {
  readonly card: Card;
  readonly probe: PageProbe;
  /** Opus frame, ms. */
  readonly frameMs: 5 | 10 | 20 | 40;
  readonly bitrateBps?: number;
  /** 0–10; 10 is GStreamer's own default. */
  readonly complexity?: number;
}

export interface GstPeer {
  readonly pid: number;
  stop(): Promise<void>;
}

const messageSchema = v.variant('type', [
  v.object({ type: v.literal('offer'), sdp: v.string() }),
  v.object({ type: v.literal('candidate'), candidate: v.string(), mline: v.number() }),
  v.object({ type: v.literal('state'), state: v.string() }),
  v.object({ type: v.literal('error'), message: v.string() }),
]);
type Message = v.InferOutput<typeof messageSchema>;

const script = fileURLToPath(new URL('./gst-webrtc-peer.py', import.meta.url));
const connectDeadlineMs = 15_000;

/** The way back: the page's microphone into a card. */
export interface GstReceiverOptions {
  readonly card: Card;
  /** Its page speaks. */
  readonly probe: PageProbe;
  /** Opus frame and bitrate that the browser is asked for. */
  readonly frameMs: 10 | 20;
  readonly bitrateBps: number;
  /** What webrtcbin's jitter buffer holds, ms. */
  readonly latencyMs: number;
  /** Buffer and period of alsasink, ms. */
  readonly bufferMs: number;
  readonly periodMs: number;
  /** Whether alsasink plays by the clock (GStreamer's default), or each buffer as it comes. */
  readonly sync: boolean;
}

/** Starts the peer and resolves when media flows; `probe`'s page plays it. */
export function startGstPeer(options: GstPeerOptions): Promise<GstPeer> {
  const { card, probe, frameMs, bitrateBps = 128_000, complexity = 10 } = options;
  const args = [
    ...['--device', card.server.capturePcm(card.sink), '--frame', `${frameMs}`],
    ...['--bitrate', `${bitrateBps}`, '--complexity', `${complexity}`],
  ];
  return connectPeer(card.server.env, args, new Signaling(probe, (offer) => probe.answer(offer)));
}

/** Starts the peer and resolves when it is connected; it plays what `probe`'s page captures. */
export function startGstReceiver(options: GstReceiverOptions): Promise<GstPeer> {
  const { card, probe, frameMs, bitrateBps, latencyMs, bufferMs, periodMs, sync } = options;
  const args = [
    ...['--receive', '--device', card.server.feedPcm(card.sink), '--latency', `${latencyMs}`],
    ...['--buffer-time', `${bufferMs * 1_000}`, '--latency-time', `${periodMs * 1_000}`],
    ...['--sync', `${sync}`],
  ];
  const format = `minptime=10;useinbandfec=1;stereo=1;maxaveragebitrate=${bitrateBps}`;
  const wishes = `a=ptime:${frameMs}\r\na=fmtp:111 ${format}\r\n`;
  const speak = (offer: string): Promise<string> =>
    probe.speak(
      offer.replace(/^a=fmtp:111 .*\r\n/m, '').replace(/^a=rtpmap:111 .*\r\n/m, `$&${wishes}`),
    );
  return connectPeer(card.server.env, args, new Signaling(probe, speak));
}

/** A screen's picture to a page. */
export interface GstScreenPeerOptions {
  /** X display. */
  readonly display: string;
  /** Its page shows it. */
  readonly probe: PageProbe;
  readonly framesPerSecond: number;
  readonly bitrateKbps: number;
  /** Of its encoder; as many as Earshot's has on this machine by default. Its other settings are Earshot's. */
  readonly threads?: number;
}

/** Starts the peer and resolves when media flows; `probe`'s page shows the screen. */
export function startGstScreenPeer(options: GstScreenPeerOptions): Promise<GstPeer> {
  const board = { arch: process.arch, cores: availableParallelism() };
  const { display, probe, framesPerSecond, bitrateKbps, threads = vp8Threads(board) } = options;
  const args = [
    ...['--screen', display, '--frame-rate', `${framesPerSecond}`],
    ...['--bitrate', `${bitrateKbps * 1_000}`],
    ...['--threads', `${threads}`, `--cpu-used=${vp8Speed(board)}`],
  ];
  return connectPeer({}, args, new Signaling(probe, (offer) => probe.watch(offer)));
}

async function connectPeer(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  signaling: Signaling,
): Promise<GstPeer> {
  const child = spawn(
    'setpriv',
    // Debian's own Python: it has GStreamer's bindings, another one in PATH may not.
    ['--pdeathsig', 'KILL', '/usr/bin/python3', script, ...args],
    { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  try {
    await signaling.connect(child);
  } catch (error) {
    await end(child);
    throw error;
  }
  return { pid: child.pid ?? 0, stop: () => end(child) };
}

/** Carries descriptions and candidates between the process and the page. */
class Signaling {
  readonly #probe: PageProbe;
  readonly #answer: (offer: string) => Promise<string>;
  #child: ChildProcess | undefined;
  #work: Promise<void> = Promise.resolve();
  #fault = '';
  #connected = false;

  constructor(probe: PageProbe, answer: (offer: string) => Promise<string>) {
    this.#probe = probe;
    this.#answer = answer;
  }

  async connect(child: ChildProcess): Promise<void> {
    const { stdout } = child;
    if (stdout === null) throw new Error('the peer has no output');
    this.#child = child;
    child.once('exit', () => {
      this.#fault ||= 'the GStreamer peer ended';
    });
    createInterface(stdout).on('line', (line) => {
      const message = v.parse(messageSchema, JSON.parse(line));
      this.#work = this.#work
        .then(() => this.#act(message))
        .catch((error: unknown) => {
          this.#fault ||= String(error);
        });
    });
    const deadline = performance.now() + connectDeadlineMs;
    while (!this.#connected) {
      if (this.#fault !== '') throw new Error(this.#fault);
      if (performance.now() > deadline)
        throw new Error('the GStreamer peer did not connect in time');
      for (const { candidate, sdp_mline_index } of await this.#probe.takeCandidates()) {
        if (candidate !== '')
          this.#send({ type: 'candidate', candidate, mline: sdp_mline_index ?? 0 });
      }
      await delay(20);
    }
  }

  async #act(message: Message): Promise<void> {
    switch (message.type) {
      case 'offer':
        this.#send({ type: 'answer', sdp: await this.#answer(message.sdp) });
        return;
      case 'candidate':
        await this.#probe.addCandidate({
          candidate: message.candidate,
          sdp_mid: null,
          sdp_mline_index: message.mline,
        });
        return;
      case 'state':
        this.#connected ||= message.state === 'connected';
        return;
      case 'error':
        this.#fault = message.message;
    }
  }

  #send(message: Readonly<Record<string, unknown>>): void {
    this.#child?.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
