import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
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

/** Starts the peer and resolves when media flows; `probe`'s page plays it. */
export async function startGstPeer(options: GstPeerOptions): Promise<GstPeer> {
  const { card, probe, frameMs, bitrateBps = 128_000, complexity = 10 } = options;
  const child = spawn(
    'setpriv',
    [
      // Debian's own Python: it has GStreamer's bindings, another one in PATH may not.
      ...['--pdeathsig', 'KILL', '/usr/bin/python3', script],
      ...['--device', card.server.capturePcm(card.sink), '--frame', `${frameMs}`],
      ...['--bitrate', `${bitrateBps}`, '--complexity', `${complexity}`],
    ],
    { env: { ...process.env, ...card.server.env }, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const signaling = new Signaling(child, probe);
  try {
    await signaling.connect();
  } catch (error) {
    await end(child);
    throw error;
  }
  return { pid: child.pid ?? 0, stop: () => end(child) };
}

/** Carries descriptions and candidates between the process and the page. */
class Signaling {
  readonly #child: ChildProcess;
  readonly #probe: PageProbe;
  #work: Promise<void> = Promise.resolve();
  #fault = '';
  #connected = false;

  constructor(child: ChildProcess, probe: PageProbe) {
    this.#child = child;
    this.#probe = probe;
  }

  async connect(): Promise<void> {
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the peer has no output');
    this.#child.once('exit', () => {
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
        this.#send({ type: 'answer', sdp: await this.#probe.answer(message.sdp) });
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
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
