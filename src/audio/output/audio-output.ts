import type { Channel } from '../../ipc/channel.ts';
import { type ControlMessage, frameFlags } from '../../ipc/messages.ts';
import { type AudioProcess, ChildProtocol, parseConfig } from '../child-protocol.ts';
import type {
  CapturedPacket,
  CaptureEvent,
  CaptureSettings,
  CaptureStats,
  OpenCaptureOptions,
} from '../native/binding.ts';
import { type OutputConfig, outputConfigSchema } from './output-config.ts';
import type { OutputEvent, OutputStats } from './output-stats.ts';

/** A capture, as far as this drives one. */
export interface OutputCapture {
  configure(settings: CaptureSettings): Promise<void>;
  stats(): CaptureStats;
  close(): boolean;
}

export interface AudioOutputOptions extends AudioProcess {
  readonly channel: Pick<Channel, 'send' | 'sendMedia'>;
  readonly openCapture: (options: OpenCaptureOptions) => OutputCapture;
}

/** The largest Opus packet the capture makes (MAX_PACKET_BYTES in settings.h); it bounds the bitrate. */
const maxPacketBytes = 1_275;

/**
 * The audio-output child's part of the protocol: takes configurations, runs one capture, and sends its
 * packets, events and numbers to the main process. Call `tick()` once a second.
 */
export class AudioOutput {
  readonly #options: AudioOutputOptions;
  readonly #protocol: ChildProtocol<OutputConfig>;
  #capture: OutputCapture | undefined;
  #xruns = 0;
  #lostSamples = 0;

  constructor(options: AudioOutputOptions) {
    this.#options = options;
    this.#protocol = new ChildProtocol({
      ...options,
      role: 'audio-output',
      parse: (fields) => effectiveConfig(parseConfig(outputConfigSchema, fields)),
      open: (settings) => {
        this.#capture = options.openCapture({
          settings,
          onPackets: (packets) => this.#sendPackets(packets),
          onEvent: (event) => this.#report(event),
        });
      },
      configure: async (settings) => this.#capture?.configure(settings),
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
    const ended = this.#capture?.close() ?? true;
    this.#capture = undefined;
    return ended;
  }

  /** Per packet: one frame object and the channel's own copy. */
  #sendPackets(packets: readonly CapturedPacket[]): void {
    for (const { payload, captureTimeNs, discontinuity } of packets) {
      this.#options.channel.sendMedia({
        type: 'opus',
        payload,
        timestampNs: captureTimeNs,
        flags: discontinuity ? frameFlags.discontinuity : 0,
      });
    }
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
