import type { SoundNumbers } from '../../audio/playout/sound-playout.ts';
import {
  fastLanePingMs,
  fastLaneSilenceMs,
  messageTypeOf,
  readPong,
  unknownReport,
  writePing,
} from '../../media/fast-lane-packets.ts';
import { ClockTie } from './clock-tie.ts';
import { channelLink, type LaneLink, type LinkEvents, relayLink, socketLink } from './lane-link.ts';
import type {
  LaneVia,
  PlayoutAnswer,
  PlayoutCommand,
  WorkerCommand,
  WorkerEvent,
} from './lane-messages.ts';
import { RedundancyWish } from './redundancy-wish.ts';
import { SoundReception } from './sound-reception.ts';
import { PortSink, RingSink } from './sound-sink.ts';

/** Pings whose answers are still of use. */
const maxOpenPings = 32;

/** How long the sound may stand still while the audio context says that it runs: it answers messages all the same. */
const standstillMs = 1_500;

/** The fast lane's receiving end, in the worker. */
export interface LaneReceiverOptions {
  readonly post: (event: WorkerEvent) => void;
  readonly now: () => number;
}

interface Carrier {
  readonly link: LaneLink;
  isOpen: boolean;
  lastMessageMs: number;
}

/**
 * Receives over whichever link is open (of two, the data channel), asks the device for sound by its
 * pings, and says four times a second how the lane does.
 *
 * INVARIANTS: one link of each kind at most; one timer besides the reception's; after `failed` or
 * `stopped` nothing is received and nothing is posted.
 */
export class LaneReceiver {
  readonly #post: (event: WorkerEvent) => void;
  readonly #now: () => number;
  readonly #tie = new ClockTie();
  readonly #wish = new RedundancyWish();
  readonly #pings = new Map<number, number>();
  readonly #carriers: Record<LaneVia, Carrier | undefined> = {
    channel: undefined,
    websocket: undefined,
  };
  #reception: SoundReception | undefined;
  #relayed: LinkEvents | undefined;
  #playout: MessagePort | undefined;
  #playoutNumbers: SoundNumbers | undefined;
  /** When the worklet was last seen to have given out more. */
  #advancedMs = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #pingId = 0;
  #running = false;
  /** The link dropped last takes its last words along. */
  #closing: Promise<void> = Promise.resolve();
  #delayMs = -1;
  #isSounding = false;

  constructor({ post, now }: LaneReceiverOptions) {
    this.#post = post;
    this.#now = now;
  }

  handle(command: WorkerCommand): void {
    switch (command.type) {
      case 'begin':
        this.#begin(command.playout, command.ring);
        break;
      case 'channel':
        this.#take('channel', (events) => channelLink(command.channel, events));
        break;
      case 'relay-opened':
        this.#take('channel', (events) => this.#relay(events));
        break;
      case 'relay-closed':
        this.#relayed?.onClosed();
        break;
      case 'relayed':
        this.#relayed?.onMessage(command.bytes);
        break;
      case 'drop-channel':
        this.#drop('channel');
        break;
      case 'socket':
        this.#take('websocket', (events) => socketLink(command.url, events));
        break;
      case 'drop-socket':
        this.#drop('websocket');
        break;
      case 'audio':
        this.#setRunning(command.running);
        break;
      case 'delay':
        this.#delayMs = command.delayMs;
        this.#isSounding = command.isSounding;
        break;
      case 'stop':
        this.#stop();
        void this.#closing.then(() => this.#post({ type: 'stopped' }));
        break;
    }
  }

  #begin(playout: MessagePort, ring: SharedArrayBuffer | undefined): void {
    this.#playout = playout;
    playout.onmessage = ({ data }: MessageEvent<PlayoutAnswer>) => this.#answered(data);
    this.#reception = new SoundReception({
      sink: ring === undefined ? new PortSink(playout) : new RingSink(ring),
      now: this.#now,
      onFailed: (reason) => this.#fail(reason),
    });
    this.#timer = setInterval(() => this.#tick(), fastLanePingMs);
  }

  #setRunning(running: boolean): void {
    this.#running = running;
    this.#advancedMs = this.#now();
    this.#reception?.setRunning(running);
    this.#ping();
  }

  /** Takes a new link of one kind in place of the one there was. */
  #take(via: LaneVia, open: (events: LinkEvents) => LaneLink): void {
    this.#drop(via);
    let carrier: Carrier | undefined;
    const events: LinkEvents = {
      onOpen: () => {
        if (carrier !== undefined && this.#carriers[via] === carrier) this.#opened(via, carrier);
      },
      onMessage: (bytes) => {
        if (carrier !== undefined) carrier.lastMessageMs = this.#now();
        this.#received(bytes);
      },
      onClosed: () => {
        if (this.#carriers[via] !== carrier) return;
        this.#drop(via);
        this.#post({ type: 'closed', via });
      },
    };
    carrier = { link: open(events), isOpen: false, lastMessageMs: this.#now() };
    this.#carriers[via] = carrier;
    // It may have opened on its way here.
    if (carrier.link.isOpen) this.#opened(via, carrier);
  }

  #relay(events: LinkEvents): LaneLink {
    this.#relayed = events;
    return relayLink((bytes) => this.#post({ type: 'relay', bytes }));
  }

  #drop(via: LaneVia): void {
    const carrier = this.#carriers[via];
    if (carrier !== undefined) this.#closing = carrier.link.close();
    this.#carriers[via] = undefined;
    if (via === 'channel') this.#relayed = undefined;
  }

  #opened(via: LaneVia, carrier: Carrier): void {
    if (carrier.isOpen) return;
    carrier.isOpen = true;
    carrier.lastMessageMs = this.#now();
    this.#tie.reset();
    this.#post({ type: 'opened', via });
    this.#ping();
  }

  get #open(): LaneLink | undefined {
    const { channel, websocket } = this.#carriers;
    return [channel, websocket].find((carrier) => carrier?.link.isOpen === true)?.link;
  }

  #received(bytes: Uint8Array): void {
    const reception = this.#reception;
    if (reception === undefined) return;
    if (messageTypeOf(bytes) !== 'pong') {
      reception.take(bytes);
      return;
    }
    const pong = readPong(bytes);
    const sentMs = pong === undefined ? undefined : this.#pings.get(pong.id);
    if (pong === undefined || sentMs === undefined) {
      reception.malformed += 1;
      return;
    }
    this.#pings.delete(pong.id);
    this.#tie.note({
      sentMs,
      deviceReceivedMs: pong.receivedUs / 1_000,
      deviceSentMs: pong.sentUs / 1_000,
      receivedMs: this.#now(),
    });
  }

  #answered({ numbers, taken }: PlayoutAnswer): void {
    if (numbers.frame !== this.#playoutNumbers?.frame) this.#advancedMs = this.#now();
    this.#playoutNumbers = numbers;
    const reception = this.#reception;
    if (reception === undefined) return;
    reception.noteTaken(taken);
    reception.targetMs = numbers.targetMs;
    this.#postNumbers(reception, numbers);
  }

  #tick(): void {
    const nowMs = this.#now();
    const ask: PlayoutCommand = { type: 'ask' };
    this.#playout?.postMessage(ask);
    if (this.#running && nowMs - this.#advancedMs > standstillMs) {
      this.#fail('The sound output stands still.');
      return;
    }
    for (const via of ['channel', 'websocket'] as const) this.#closeSilent(via, nowMs);
    this.#ping();
  }

  /** Half a connection looks like an open one for minutes. */
  #closeSilent(via: LaneVia, nowMs: number): void {
    const carrier = this.#carriers[via];
    if (carrier?.link.isOpen !== true) return;
    if (nowMs - carrier.lastMessageMs < fastLaneSilenceMs) return;
    this.#drop(via);
    this.#post({ type: 'closed', via });
  }

  #ping(): void {
    const link = this.#open;
    if (link === undefined) return;
    this.#pingId = (this.#pingId + 1) >>> 0;
    this.#sendPing(link, this.#running);
  }

  #sendPing(link: LaneLink, wantsSound: boolean): void {
    const oldest = this.#pings.keys().next();
    if (this.#pings.size >= maxOpenPings && oldest.done !== true) this.#pings.delete(oldest.value);
    this.#pings.set(this.#pingId, this.#now());
    const bytes = writePing({
      id: this.#pingId,
      wantsSound,
      wantsRedundancy: this.#wish.isOn,
      report: this.#report(),
    });
    link.send(new Uint8Array(bytes));
  }

  #report(): Parameters<typeof writePing>[0]['report'] {
    const playout = this.#playoutNumbers;
    const reception = this.#reception;
    if (playout === undefined || reception === undefined) return unknownReport;
    const { received, recovered, lost, late } = reception.counts;
    return {
      isSounding: this.#isSounding,
      delayMs: this.#delayMs,
      targetMs: playout.targetMs,
      jitterMs: playout.jitterMs,
      roundTripMs: this.#tie.roundTripMs ?? -1,
      driftPpm: playout.driftPpm,
      received,
      lost,
      recovered,
      late: late + playout.late,
      malformed: reception.malformed,
      concealedMs: playout.concealedSamples / 48,
      underrunMs: playout.underrunSamples / 48,
    };
  }

  #postNumbers(reception: SoundReception, playout: SoundNumbers): void {
    const { received, recovered, lost, late, dropped } = reception.counts;
    const nowMs = this.#now();
    this.#post({
      type: 'numbers',
      numbers: {
        playout,
        offsetMs: this.#tie.offsetMs,
        roundTripMs: this.#tie.roundTripMs ?? -1,
        received,
        recovered,
        lost,
        late: late + playout.late,
        malformed: reception.malformed,
        dropped,
        isPaused: reception.isPaused,
        redundancy: this.#wish.update(nowMs, { received, recovered, lost }),
        ...reception.tick(),
      },
    });
  }

  #fail(reason: string): void {
    this.#stop();
    this.#post({ type: 'failed', reason });
  }

  #stop(): void {
    clearInterval(this.#timer);
    const link = this.#open;
    if (link !== undefined) this.#sendPing(link, false);
    this.#drop('channel');
    this.#drop('websocket');
    this.#running = false;
    this.#reception?.stop();
    this.#reception = undefined;
    if (this.#playout !== undefined) this.#playout.onmessage = null;
    this.#playout?.close();
    this.#playout = undefined;
  }
}
