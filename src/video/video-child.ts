import { type ChildProcessContext, ChildProtocol, parseConfig } from '../child/child-protocol.ts';
import type { Channel } from '../ipc/channel.ts';
import { type ControlMessage, frameFlags, type MediaMessage } from '../ipc/messages.ts';
import { encoderElementNames, resolveEncoder } from './encoder-choice.ts';
import { FrameSender } from './frame-sender.ts';
import { LiveSource, type SourceState } from './live-source.ts';
import type { Unit } from './native/pipeline.ts';
import type { OpenLivePipeline } from './one-pipeline.ts';
import { PictureEncoder } from './picture-encoder.ts';
import type { EncoderBoard } from './pipelines.ts';
import { SlateShow, slateIntervalMs } from './slate-show.ts';
import { slateTitle } from './source-fault.ts';
import { codecOf, type EffectiveVideoConfig, videoConfigSchema } from './video-config.ts';
import { readPicture } from './video-frames.ts';
import { VideoMeter } from './video-meter.ts';
import type { VideoEvent } from './video-stats.ts';

export interface VideoChildOptions extends ChildProcessContext {
  readonly channel: Pick<Channel, 'send' | 'sendMedia' | 'on'>;
  readonly openPipeline: OpenLivePipeline;
  /** Which of these GStreamer elements are installed; undefined when that takes too long to say. */
  readonly presentElements: (names: readonly string[]) => Promise<ReadonlySet<string> | undefined>;
  readonly exists: (path: string) => boolean;
  readonly board: EncoderBoard;
  readonly nowNs: () => bigint;
}

/** What a picture of main's was sent with. */
interface SegmentPicture {
  readonly timestampNs: bigint;
}

/** Opening a device takes a moment; the slate comes when it takes longer. */
const openingMs = 1_000;

/** An encoder of pictures that main sends no more is ended. */
const segmentIdleMs = 2_000;

/**
 * The video child's part of the protocol: takes configurations, keeps the host's picture coming or shows
 * why there is none, and encodes the pictures main sends. Call `tick()` once a second.
 */
export class VideoChild {
  readonly #options: VideoChildOptions;
  readonly #protocol: ChildProtocol<EffectiveVideoConfig>;
  readonly #sender: FrameSender;
  readonly #source: LiveSource;
  readonly #meter = new VideoMeter();
  #config: EffectiveVideoConfig | undefined;
  #slateEncoder: PictureEncoder<{ readonly drawnNs: bigint }> | undefined;
  #slate: SlateShow | undefined;
  #segments: PictureEncoder<SegmentPicture> | undefined;
  #lastSegmentMs = 0;
  #noPictureSinceMs = 0;
  #beat: NodeJS.Timeout | undefined;
  #size = { width: 0, height: 0 };
  #hangs = false;
  #present: Promise<ReadonlySet<string> | undefined> | undefined;

  constructor(options: VideoChildOptions) {
    this.#options = options;
    this.#sender = new FrameSender({
      channel: options.channel,
      onKeyframeWanted: () => this.#forceKeyframes(),
    });
    this.#source = new LiveSource({
      ...options,
      nowMs: () => this.#nowMs(),
      onUnit: (unit, discontinuity) => this.#sendLive(unit, discontinuity),
      onState: (state) => this.#stateChanged(state),
      onOpened: () => this.#opened(),
      onLost: (lost) =>
        this.#event({ name: 'device-lost', data: { device: this.#device(), ...lost } }),
      onHang: () => this.#hang(),
    });
    this.#protocol = new ChildProtocol({
      ...options,
      role: 'video',
      library: 'GStreamer',
      failure: 'VIDEO_DEVICE_FAILED',
      parse: (fields) => this.#effective(fields),
      open: (config) => this.#open(config),
      configure: async (config) => this.#configure(config),
      close: () => this.#close(),
    });
  }

  /** Says hello; from then on the main process drives. */
  start(): void {
    this.#protocol.start();
  }

  /** Ends what is open; idempotent. */
  stop(): void {
    this.#protocol.stop();
  }

  /** Takes a message of the main process. */
  receive(message: ControlMessage): void {
    this.#protocol.receive(message);
  }

  /** Takes a picture to encode; what is no picture is counted. */
  receiveMedia({ type, flags, timestampNs, payload }: MediaMessage): void {
    if (type !== 'picture' || this.#segments === undefined) return;
    const picture = readPicture(payload);
    this.#lastSegmentMs = this.#nowMs();
    // A clip begins anew: nothing of the one before is in its pictures, nor on its way.
    if ((flags & frameFlags.discontinuity) !== 0) this.#segments.close();
    if ((flags & frameFlags.keyframe) !== 0) this.#segments.forceKeyframe();
    const durationMs = 1_000 / (this.#config?.framesPerSecond ?? 30);
    const taken =
      picture !== undefined &&
      this.#segments.encode({ ...picture, durationMs, about: { timestampNs } });
    if (!taken) this.#meter.segmentRefused();
  }

  /** Sends what is reported once a second. */
  tick(): void {
    const config = this.#config;
    if (config === undefined) return;
    const numbers = this.#source.numbers();
    this.#protocol.watch(numbers.busyMs);
    const stats = this.#meter.read({
      config,
      nowMs: this.#nowMs(),
      state: this.#source.state,
      size: this.#size,
      numbers,
      unsent: this.#sender.dropped,
    });
    this.#options.channel.send('stats', { stats: { ...stats } });
    if (this.#nowMs() - this.#lastSegmentMs > segmentIdleMs) this.#segments?.close();
  }

  async #effective(fields: Readonly<Record<string, unknown>>): Promise<EffectiveVideoConfig> {
    const config = parseConfig(videoConfigSchema, fields);
    // GStreamer is asked once; the encoder of an unchanged choice stays.
    this.#present ??= this.#options.presentElements(encoderElementNames);
    return { ...config, encoder: resolveEncoder(config.encoder, await this.#present) };
  }

  #open(config: EffectiveVideoConfig): void {
    const { openPipeline, board, log, nowNs } = this.#options;
    const parts = { openPipeline, board, log, onHang: () => this.#hang() };
    this.#slateEncoder = new PictureEncoder(config, {
      ...parts,
      onUnit: (unit, { drawnNs }, begins) => this.#sendSlate(unit, drawnNs, begins),
    });
    this.#segments = new PictureEncoder(config, {
      ...parts,
      onUnit: (unit, { timestampNs }, begins) => this.#sendSegment(unit, timestampNs, begins),
    });
    this.#slate = new SlateShow({ encoder: this.#slateEncoder, nowMs: () => this.#nowMs(), nowNs });
    this.#beat = setInterval(() => this.#look(), slateIntervalMs);
    this.#configure(config);
  }

  #configure(config: EffectiveVideoConfig): void {
    const before = this.#config;
    this.#config = config;
    this.#slateEncoder?.configure(config);
    this.#segments?.configure(config);
    if (before?.encoder !== config.encoder) {
      const { encoder } = config;
      this.#event({ name: 'encoder', data: { encoder, codec: codecOf(encoder) } });
    }
    if (before?.active !== config.active) this.#noPictureSinceMs = this.#nowMs();
    this.#source.configure(config);
    if (!config.active) this.#slate?.end();
    if (before !== undefined && config.keyframes > before.keyframes) this.#forceKeyframes();
  }

  /** What does not end by itself is ended with the process (handle.c). */
  #close(): boolean {
    clearInterval(this.#beat);
    this.#source.stop();
    this.#slate?.end();
    this.#segments?.close();
    return !this.#hangs;
  }

  #look(): void {
    this.#source.look();
    this.#showSlate();
  }

  #showSlate(): void {
    const config = this.#config;
    const { state } = this.#source;
    if (config === undefined || !config.active || state.signal === 'ok') return;
    const opening = state.signal === 'opening';
    if (opening && this.#nowMs() - this.#noPictureSinceMs < openingMs) return;
    this.#slate?.show(slateTitle(state), config);
  }

  #forceKeyframes(): void {
    this.#source.forceKeyframe();
    this.#segments?.forceKeyframe();
    this.#slate?.forceKeyframe();
  }

  #sendLive(unit: Unit, discontinuity: boolean): void {
    this.#setSize(unit);
    this.#slate?.setSize(unit);
    this.#meter.live(unit.payload.length);
    this.#sender.send({ ...unit, timestampNs: unit.captureTimeNs, discontinuity, segment: false });
  }

  #sendSlate(unit: Unit, timestampNs: bigint, discontinuity: boolean): void {
    if (this.#source.state.signal === 'ok') return;
    this.#setSize(unit);
    this.#meter.slate();
    this.#sender.send({ ...unit, timestampNs, discontinuity, segment: false });
  }

  #sendSegment(unit: Unit, timestampNs: bigint, discontinuity: boolean): void {
    this.#meter.segment();
    this.#sender.send({ ...unit, timestampNs, discontinuity, segment: true });
  }

  #setSize({ width, height }: Unit): void {
    if (width === this.#size.width && height === this.#size.height) return;
    this.#size = { width, height };
    const codec = codecOf(this.#config?.encoder ?? 'vp8');
    this.#event({ name: 'format', data: { codec, width, height } });
  }

  #opened(): void {
    this.#options.log.info({ device: this.#device() }, 'device opened');
    this.#event({ name: 'device-opened', data: { device: this.#device() } });
  }

  #stateChanged({ signal, reason }: SourceState): void {
    this.#event({ name: 'signal', data: { signal, reason, device: this.#device() } });
    if (signal === 'ok') this.#slate?.end();
    else if (this.#config?.active === true && signal !== 'opening') this.#showSlate();
  }

  /** A driver that held its pipeline may hold whatever comes after: another process begins anew. */
  #hang(): void {
    if (this.#hangs) return;
    this.#hangs = true;
    const error = 'a call to GStreamer does not return';
    this.#event({ name: 'device-lost', data: { device: this.#device(), error, retryMs: 0 } });
    this.#options.log.error({ device: this.#device() }, 'the capture hangs, so this process ends');
    this.#options.onEnd(1);
  }

  #device(): string {
    return this.#config?.device ?? '';
  }

  #nowMs(): number {
    return Number(this.#options.nowNs() / 1_000n) / 1_000;
  }

  #event(event: VideoEvent): void {
    this.#protocol.event(event);
  }
}
