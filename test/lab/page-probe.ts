import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import * as v from 'valibot';

/** Asks a page what it receives, through test/e2e/page/probe.ts. */

const inboundAudioSchema = v.object({
  /** ms of the Unix epoch. */
  timestamp: v.number(),
  packetsReceived: v.number(),
  packetsLost: v.number(),
  bytesReceived: v.number(),
  totalSamplesReceived: v.number(),
  concealedSamples: v.number(),
  silentConcealedSamples: v.number(),
  /** Seconds, summed over jitterBufferEmittedCount samples. */
  jitterBufferDelay: v.number(),
  jitterBufferEmittedCount: v.number(),
});
export type InboundAudio = v.InferOutput<typeof inboundAudioSchema>;

const inboundVideoSchema = v.object({
  /** ms of the Unix epoch. */
  timestamp: v.number(),
  packetsReceived: v.number(),
  packetsLost: v.number(),
  bytesReceived: v.number(),
  framesDecoded: v.number(),
  keyFramesDecoded: v.number(),
  framesDropped: v.number(),
  frameWidth: v.number(),
  frameHeight: v.number(),
  freezeCount: v.number(),
  /** Seconds. */
  totalFreezesDuration: v.number(),
  /** Seconds, summed over jitterBufferEmittedCount pictures. */
  jitterBufferDelay: v.number(),
  jitterBufferEmittedCount: v.number(),
  pliCount: v.number(),
  nackCount: v.number(),
});
export type InboundVideo = v.InferOutput<typeof inboundVideoSchema>;

const flashSchema = v.object({ unixMs: v.number(), bright: v.boolean() });
export type SeenFlash = v.InferOutput<typeof flashSchema>;

const frameSchema = v.object({
  sequenceNumber: v.number(),
  rtpTimestamp: v.number(),
  samples: v.number(),
  arrivalMs: v.number(),
});
export type ReceivedFrame = v.InferOutput<typeof frameSchema>;

const chirpSchema = v.object({ unixMs: v.number(), correlation: v.number() });
export type HeardChirp = v.InferOutput<typeof chirpSchema>;

const candidateSchema = v.object({
  candidate: v.string(),
  sdp_mid: v.nullable(v.string()),
  sdp_mline_index: v.nullable(v.number()),
});
export type Candidate = v.InferOutput<typeof candidateSchema>;

let bundle: Promise<string> | undefined;

async function bundleProbe(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../e2e/page/probe.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'chrome120',
    logLevel: 'warning',
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('esbuild made nothing of the probe');
  return file.text;
}

export class PageProbe {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Puts the probe into every document `page` loads from now on. With `frames`, every received packet is recorded, which costs the page some time. */
  static async install(page: Page, { frames = false } = {}): Promise<PageProbe> {
    bundle ??= bundleProbe();
    if (frames) await page.addInitScript('globalThis.earshotRecordFrames = true;');
    await page.addInitScript(await bundle);
    return new PageProbe(page);
  }

  /** Numbers of the received sound; undefined before there is any. */
  async inboundAudio(): Promise<InboundAudio | undefined> {
    const stats: unknown = await this.#page.evaluate('earshotProbe.inboundAudio()');
    // Some counters appear with the first samples played.
    const result = v.safeParse(inboundAudioSchema, stats);
    return result.success ? result.output : undefined;
  }

  /** Numbers of the received picture; undefined before there is any. */
  async inboundVideo(): Promise<InboundVideo | undefined> {
    const stats: unknown = await this.#page.evaluate('earshotProbe.inboundVideo()');
    const result = v.safeParse(inboundVideoSchema, stats);
    return result.success ? result.output : undefined;
  }

  /** Looks at the pictures of the page's video element from now on; false while it has none. */
  async watchFlashes(): Promise<boolean> {
    return v.parse(v.boolean(), await this.#page.evaluate('earshotProbe.watchFlashes()'));
  }

  /** Pictures shown since `watchFlashes`. */
  async picturesSeen(): Promise<number> {
    return v.parse(v.number(), await this.#page.evaluate('earshotProbe.picturesSeen()'));
  }

  /** When the middle of the picture turned bright or dark, since the last call. */
  async takeFlashes(): Promise<SeenFlash[]> {
    return v.parse(v.array(flashSchema), await this.#page.evaluate('earshotProbe.takeFlashes()'));
  }

  /** Notes when the page's video element shows a picture, from the first call on; false while it has none. */
  async watchPictures(): Promise<boolean> {
    return v.parse(v.boolean(), await this.#page.evaluate('earshotProbe.watchPictures()'));
  }

  /** When pictures were shown since the last call, ms of the Unix epoch, oldest first. */
  async takePictures(): Promise<number[]> {
    const times: unknown = await this.#page.evaluate('earshotProbe.takePictures()');
    return v.parse(v.array(v.number()), times);
  }

  /** Where the received media comes from. Throws without a connection. */
  async remoteAddress(): Promise<{ address: string; port: number }> {
    const remote: unknown = await this.#page.evaluate('earshotProbe.remoteAddress()');
    return v.parse(v.object({ address: v.string(), port: v.number() }), remote);
  }

  /** The connection state of each peer connection the page made, oldest first. */
  async connectionStates(): Promise<string[]> {
    const states: unknown = await this.#page.evaluate('earshotProbe.connectionStates()');
    return v.parse(v.array(v.string()), states);
  }

  /** Every packet received so far; only with `frames`. */
  async frames(): Promise<ReceivedFrame[]> {
    return v.parse(v.array(frameSchema), await this.#page.evaluate('earshotProbe.frames()'));
  }

  /** Chirps in the last six seconds of what came out of the received track. */
  async chirps(): Promise<HeardChirp[]> {
    return v.parse(v.array(chirpSchema), await this.#page.evaluate('earshotProbe.chirps()'));
  }

  /** Answers an offer that came from elsewhere than Earshot. */
  async answer(offer: string): Promise<string> {
    const answer: unknown = await this.#page.evaluate(
      `earshotProbe.rival.answer(${JSON.stringify(offer)})`,
    );
    return v.parse(v.string(), answer);
  }

  /** Answers an offer of a picture that came from elsewhere than Earshot, and shows it. */
  async watch(offer: string): Promise<string> {
    const answer: unknown = await this.#page.evaluate(
      `earshotProbe.rival.watch(${JSON.stringify(offer)})`,
    );
    return v.parse(v.string(), answer);
  }

  /** Answers an offer that came from elsewhere than Earshot, and sends the browser's microphone. */
  async speak(offer: string): Promise<string> {
    const answer: unknown = await this.#page.evaluate(
      `earshotProbe.rival.speak(${JSON.stringify(offer)})`,
    );
    return v.parse(v.string(), answer);
  }

  async takeCandidates(): Promise<Candidate[]> {
    const taken: unknown = await this.#page.evaluate('earshotProbe.rival.takeCandidates()');
    return v.parse(v.array(candidateSchema), taken);
  }

  async addCandidate(candidate: Candidate): Promise<void> {
    await this.#page.evaluate(`earshotProbe.rival.addCandidate(${JSON.stringify(candidate)})`);
  }
}
