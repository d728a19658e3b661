import {
  type ChildProcessContext,
  ChildProtocol,
  parseConfig,
} from '../../child/child-protocol.ts';
import type { Channel } from '../../ipc/channel.ts';
import { type ControlMessage, frameFlags, type MediaMessage } from '../../ipc/messages.ts';
import type { EncoderSettings } from '../encoder-settings.ts';
import type {
  CapturedPacket,
  CaptureEvent,
  CaptureSettings,
  CaptureStats,
  OpenCaptureOptions,
} from '../native/binding.ts';
import { type OutputConfig, outputConfigSchema } from './output-config.ts';
import type { OutputEvent, OutputStats } from './output-stats.ts';
import { packetTimesData } from './packet-times.ts';
import { SegmentSound, type SoundEncoder } from './segment-sound.ts';

/** A capture, as far as this drives one. */
export interface OutputCapture {
  configure(settings: CaptureSettings): Promise<void>;
  stats(): CaptureStats;
  close(): boolean;
}

export interface AudioOutputOptions extends ChildProcessContext {
  readonly channel: Pick<Channel, 'send' | 'sendMedia'>;
  readonly openCapture: (options: OpenCaptureOptions) => OutputCapture;
  /** Makes the encoder of segments. */
  readonly openEncoder: (settings: EncoderSettings) => SoundEncoder;
}

/** The largest Opus packet the capture makes (MAX_PACKET_BYTES in settings.h); it bounds the bitrate. */
const maxPacketBytes = 1_275;

/**
 * The audio-output child's part of the protocol: takes configurations, runs one capture, and sends its
 * packets, events and numbers to the main process; encodes the sound of segments between. Call `tick()` once
 * a second.
 */
export class AudioOutput {
  readonly #options: AudioOutputOptions;
  readonly #protocol: ChildProtocol<OutputConfig>;
  readonly #segments: SegmentSound;
  #capture: OutputCapture | undefined;
  #xruns = 0;
  #lostSamples = 0;

  constructor(options: AudioOutputOptions) {
    this.#options = options;
    this.#segments = new SegmentSound({
      openEncoder: options.openEncoder,
      send: (packet) => options.channel.sendMedia({ type: 'opus', ...packet }),
      refuse: (reason) => options.log.warn({ reason }, 'sound of a segment refused'),
    });
    this.#protocol = new ChildProtocol({
      ...options,
      role: 'audio-output',
      library: 'ALSA',
      failure: 'AUDIO_DEVICE_FAILED',
      parse: (fields) => effectiveConfig(parseConfig(outputConfigSchema, fields)),
      open: (settings) => {
        this.#segments.configure(settings.encoder);
        this.#capture = options.openCapture({
          settings,
          onPackets: (packets) => this.#sendPackets(packets),
          onEvent: (event) => this.#report(event),
        });
      },
      configure: async (settings) => {
        this.#segments.configure(settings.encoder);
        await this.#capture?.configure(settings);
      },
      close: () => this.#close(),
    });
  }

  /** Says hello; from then on the main process drives. */
  start(): void {
    this.#protocol.start();
  }

  /** Ends the capture; idempotent. */
  stop(): void {
    this.#protocol.stop();
  }

  /** Takes a message of the main process. */
  receive(message: ControlMessage): void {
    this.#protocol.receive(message);
  }

  /** Takes the sound of a segment; nothing else comes this way. */
  receiveMedia(message: MediaMessage): void {
    if (message.type === 'pcm') this.#segments.take(message);
  }

  /** Sends what is reported once a second. */
  tick(): void {
    if (this.#capture === undefined) return;
    const stats = this.#capture.stats();
    const blocked = this.#protocol.watch(stats.busyMs);
    this.#options.channel.send('stats', { stats: { ...outputStats(stats, blocked) } });
    if (this.#xruns === 0) return;
    const lost = { lostSamples: this.#lostSamples };
    this.#event({ name: 'xrun', data: lost });
    this.#options.log.warn({ xruns: this.#xruns, ...lost }, 'sound was lost');
    this.#xruns = 0;
    this.#lostSamples = 0;
  }

  #close(): boolean {
    this.#segments.close();
    const ended = this.#capture?.close() ?? true;
    this.#capture = undefined;
    return ended;
  }

  /** Per packet: one frame object and the channel's own copy. */
  #sendPackets(packets: readonly CapturedPacket[]): void {
    const traces = this.#protocol.config?.trace === true;
    // Before it is sent: the main process may have it before this goes on.
    const sentNs = traces ? process.hrtime.bigint() : 0n;
    for (const { payload, captureTimeNs, discontinuity } of packets) {
      this.#options.channel.sendMedia({
        type: 'opus',
        payload,
        timestampNs: captureTimeNs,
        flags: discontinuity ? frameFlags.discontinuity : 0,
      });
    }
    if (traces) this.#tellTimes(packets, sentNs);
  }

  #tellTimes(packets: readonly CapturedPacket[], sentNs: bigint): void {
    const times = packets.map(({ captureTimeNs: captureNs, encodedNs }) => ({
      ...{ captureNs, encodedNs, sentNs },
    }));
    this.#options.channel.send('event', { name: 'trace', data: packetTimesData(times) });
  }

  #report(event: CaptureEvent): void {
    switch (event.name) {
      case 'opened': {
        const { name: _, ...data } = event;
        this.#options.log.info(data, 'device opened');
        this.#event({ name: 'device-opened', data });
        break;
      }
      case 'lost': {
        const { name: _, ...data } = event;
        this.#options.log.warn(data, 'device lost');
        this.#event({ name: 'device-lost', data });
        break;
      }
      case 'xrun':
        this.#xruns += 1;
        this.#lostSamples += event.lostSamples;
        break;
      case 'realtime-refused':
        this.#options.log.warn({ error: event.error }, 'no real-time scheduling');
        this.#event({ name: 'realtime-refused', data: { error: event.error } });
        break;
    }
  }

  #event(event: OutputEvent): void {
    this.#protocol.event(event);
  }
}

/** What the capture really runs with: a packet has a largest size, so long frames bound the bitrate. */
function effectiveConfig(config: OutputConfig): OutputConfig {
  const most = Math.floor((maxPacketBytes * 8_000) / config.encoder.frameMs);
  const bitrateBps = Math.min(config.encoder.bitrateBps, most);
  return { ...config, encoder: { ...config.encoder, bitrateBps } };
}

function outputStats(capture: CaptureStats, blocked: boolean): OutputStats {
  const { busyMs: _, ...stats } = capture;
  const open = stats.deviceRateHz > 0 && !blocked;
  return { deviceState: open ? 'open' : 'opening', ...stats };
}
