import * as v from 'valibot';
import { EarshotError, isEarshotError, messageOf } from '../../errors/earshot-error.ts';
import type { Channel } from '../../ipc/channel.ts';
import { type ControlMessage, frameFlags } from '../../ipc/messages.ts';
import type { Log } from '../../log/log.ts';
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

export interface AudioOutputOptions {
  readonly channel: Pick<Channel, 'send' | 'sendMedia'>;
  readonly openCapture: (options: OpenCaptureOptions) => OutputCapture;
  readonly version: string;
  readonly log: Log;
  /** Called once, when the process should end with this code. */
  readonly onEnd: (exitCode: number) => void;
}

/** The largest Opus packet the capture makes (MAX_PACKET_BYTES in settings.h); it bounds the bitrate. */
const maxPacketBytes = 1_275;

/** Exit code that says that no other start will help (EX_CONFIG). */
const exitBadConfig = 78;

/** How long a change may take until it is answered; a driver that hangs holds it up, main does not wait. */
const configureDeadlineMs = 1_000;

/** A call to ALSA that has not returned for so long is reported, and then ends the process. */
const busyReportMs = 5_000;
const busyExitMs = 60_000;

/**
 * The audio-output child's part of the protocol: takes configurations, runs one capture, and sends its
 * packets, events and numbers to the main process. Call `tick()` once a second.
 */
export class AudioOutput {
  readonly #options: AudioOutputOptions;
  #capture: OutputCapture | undefined;
  #config: OutputConfig | undefined;
  #xruns = 0;
  #lostSamples = 0;
  #reportedBusy = false;
  #lastChange: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(options: AudioOutputOptions) {
    this.#options = options;
  }

  /** Says hello; from then on the main process drives. */
  start(): void {
    const { channel, version } = this.#options;
    channel.send('hello', { role: 'audio-output', pid: process.pid, version });
  }

  /** Ends the capture; idempotent. */
  stop(): void {
    this.#ended = true;
    if (this.#capture?.close() === false) {
      this.#options.log.error({ device: this.#config?.device }, 'the capture thread hangs in ALSA');
    }
    this.#capture = undefined;
  }

  /** Sends what is reported once a second. */
  tick(): void {
    if (this.#capture === undefined) return;
    const stats = this.#capture.stats();
    const blocked = stats.busyMs > busyReportMs;
    this.#options.channel.send('stats', { stats: { ...outputStats(stats, blocked) } });
    if (this.#xruns > 0) {
      this.#event({ name: 'xrun', data: { lostSamples: this.#lostSamples } });
      this.#options.log.warn(
        { xruns: this.#xruns, lostSamples: this.#lostSamples },
        'sound was lost',
      );
      this.#xruns = 0;
      this.#lostSamples = 0;
    }
    this.#watch(blocked, stats.busyMs);
  }

  #watch(blocked: boolean, busyMs: number): void {
    const device = this.#config?.device ?? '';
    if (blocked && !this.#reportedBusy) {
      const error = 'a call to ALSA does not return';
      this.#event({ name: 'device-lost', data: { device, error, retryMs: 0 } });
      this.#options.log.error({ device, busyMs }, 'a call to ALSA does not return');
    }
    this.#reportedBusy = blocked;
    // A new process gets a new connection to whatever hangs; a minute is too slow to count as a crash loop.
    if (busyMs > busyExitMs) this.#end(1);
  }

  /** Takes a message of the main process. */
  receive(message: ControlMessage): void {
    if (message.type === 'configure') {
      const { id, config } = message.body;
      this.#lastChange = this.#lastChange
        .then(() => this.#configure(id, config))
        .catch((error: unknown) => this.#fail(id, error));
    } else if (message.type === 'stop') {
      this.#end(0);
    }
  }

  async #configure(id: number, fields: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.#ended) return;
    const config = parseConfig(fields);
    const effective = effectiveConfig(config);
    if (this.#capture === undefined) {
      this.#capture = this.#options.openCapture({
        settings: effective,
        onPackets: (packets) => this.#sendPackets(packets),
        onEvent: (event) => this.#report(event),
      });
      this.#config = effective;
      this.#options.channel.send('ready', { id, effective });
      return;
    }
    await withinDeadline(this.#capture.configure(effective));
    this.#config = effective;
    this.#options.channel.send('configured', { id, effective });
  }

  /** A configuration that cannot be: said to main; fatal when the process has no other to run with. */
  #fail(id: number, error: unknown): void {
    const known = isEarshotError(error)
      ? error
      : new EarshotError('AUDIO_DEVICE_FAILED', messageOf(error), { cause: error });
    this.#options.log.error({ code: known.code, error: known.message }, 'configuration refused');
    this.#options.channel.send('error', { id, code: known.code, message: known.message });
    if (this.#capture === undefined)
      this.#end(known.exitCode === exitBadConfig ? exitBadConfig : 1);
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

  #event({ name, data }: OutputEvent): void {
    this.#options.channel.send('event', { name, data });
  }

  #end(exitCode: number): void {
    if (this.#ended) return;
    this.stop();
    this.#options.onEnd(exitCode);
  }
}

/** Throws CONFIG_INVALID naming the key, the value and what is allowed. */
function parseConfig(fields: Readonly<Record<string, unknown>>): OutputConfig {
  const result = v.safeParse(outputConfigSchema, fields);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const key = v.getDotPath(issue) ?? 'config';
  throw new EarshotError('CONFIG_INVALID', `${key}: ${issue.message}`, {
    details: { key, received: issue.received, expected: issue.expected },
  });
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

async function withinDeadline(change: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, configureDeadlineMs);
  });
  await Promise.race([change, deadline]);
  clearTimeout(timer);
}
