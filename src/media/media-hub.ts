import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { MicrophoneSettings } from '../audio/microphone-settings.ts';
import { defaultPreset, microphonePresets } from '../audio/presets.ts';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';
import { hidNotConfigured } from '../errors/hid-not-configured.ts';
import type { Log } from '../log/log.ts';
import { addFastLaneCounts, type FastLaneCounts, noFastLaneCounts } from './fast-lane-counts.ts';
import type { FastLaneSender } from './fast-lane-sender.ts';
import { FastLaneStream } from './fast-lane-stream.ts';
import type { HidHook } from './hid-channels.ts';
import { addHidCounts, type HidCounts, noHidCounts } from './hid-counts.ts';
import type { HidLane } from './hid-lane.ts';
import type { IceServer } from './ice-servers.ts';
import type {
  EncodedAudioFrame,
  EncodedVideoFrame,
  MediaStats,
  MicrophoneFrame,
  SessionStatus,
} from './media-types.ts';
import { NtpClock } from './ntp-clock.ts';
import { Peer } from './peer.ts';
import { addCounts, allDrops, noCounts, type PeerCounts } from './peer-counts.ts';
import { RtpClock } from './rtp-clock.ts';
import { type DeviceIceServers, Session } from './session.ts';
import type { SessionLimits } from './session-limits.ts';
import type { AvMessage, DeviceMessage } from './signaling-messages.ts';
import { UdpMux } from './udp-mux.ts';
import { type OfferedVideo, VideoBroadcast } from './video-broadcast.ts';
import { WeriftTransport } from './werift-transport.ts';

export interface MediaConfig {
  /** STUN and TURN servers for viewers and the device; none by default, and never one of our own. */
  readonly iceServers: readonly IceServer[];
  /** UDP ports to take one from, both ends included; both 0: any. */
  readonly udpPortMin: number;
  readonly udpPortMax: number;
  /** TCP port for viewers that UDP does not reach; `udp`: the UDP port's number, or a free one; 0, the default: none. */
  readonly tcpPort?: number | 'udp';
  /** Addresses to offer; empty: every address of the machine, and loopback when there is no other. */
  readonly addresses: readonly string[];
  readonly maxViewers: number;
  /** Offer the loopback addresses too; for a server that listens on this machine only. */
  readonly loopback?: boolean;
}

export interface MediaHubOptions {
  readonly config: MediaConfig;
  readonly log: Log;
  /** Deadlines of the sessions, for tests. */
  readonly limits?: Partial<SessionLimits>;
  /** Where viewers' keys and pointers go; undefined: they may open no channels for them. */
  readonly hid?: HidHook | undefined;
}

export interface MediaHubEvents {
  /** How many sessions can hear the host now: connected, or listening by the fast lane's WebSocket. */
  viewers: [number];
  /** A frame of the session that holds the microphone. Valid during the call only. */
  microphone: [MicrophoneFrame];
  /** How many viewers see the picture now: connected, and agreed to it. */
  'video-viewers': [number];
  /** The encoder is to make a keyframe; at most once in 300 ms. */
  'keyframe-wanted': [];
  /** What the encoder of the picture is to be set to, in kbps: as much as every viewer's path takes. */
  'video-bitrate': [number];
  /** What the viewer of that session says of sound and picture together. */
  av: [string, AvMessage];
  /** The session of that id is over: its WebSocket closed, or the device stops. */
  'session-closed': [string];
}

/** How often reports, deadlines and signs of life are looked at; nothing here needs to be exact. */
const tickMs = 250;

/** The viewer's end, as the API's media service opens it. */
interface Viewer {
  readonly id: string;
  receive(text: string): void;
  close(reason: string): void;
}

/** All viewers: takes each encoded frame once, and sends it to everyone who is connected. */
export class MediaHub extends EventEmitter<MediaHubEvents> {
  readonly #config: MediaConfig;
  readonly #log: Log;
  readonly #limits: Partial<SessionLimits>;
  readonly #hid: HidHook | undefined;
  readonly #mux: UdpMux;
  readonly #ntp: NtpClock;
  readonly #clock = new RtpClock();
  readonly #sessions = new Set<Session>();
  /** Counts of the sessions that have ended. */
  readonly #ended: PeerCounts = noCounts();
  readonly #endedFastLanes: FastLaneCounts = noFastLaneCounts();
  readonly #endedHid: HidCounts = noHidCounts();
  readonly #fastLane = new FastLaneStream();
  readonly #video = new VideoBroadcast<Session>({
    nowMs: () => performance.now(),
    onKeyframeWanted: () => this.emit('keyframe-wanted'),
    onViewers: (count) => this.emit('video-viewers', count),
    onBitrate: (kbps) => this.emit('video-bitrate', kbps),
  });
  #microphoneSettings: MicrophoneSettings = microphonePresets[defaultPreset];
  #sessionsTotal = 0;
  #connectionsFailed = 0;
  #framesPublished = 0;
  #gapsSkipped = 0;
  #listening = 0;
  #soundSent: ((session: string) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: MediaHubOptions) {
    super();
    this.#config = options.config;
    this.#log = options.log;
    this.#limits = options.limits ?? {};
    this.#hid = options.hid;
    this.#mux = new UdpMux({
      portMin: options.config.udpPortMin,
      portMax: options.config.udpPortMax,
      tcpPort: options.config.tcpPort ?? 0,
      addresses: options.config.addresses,
      loopback: options.config.loopback ?? false,
      log: options.log,
    });
    this.#ntp = new NtpClock({ unixMs: Date.now(), monotonicNs: process.hrtime.bigint() });
  }

  /** Opens the media port. Throws MEDIA_PORTS_EXHAUSTED. */
  async start(): Promise<void> {
    await this.#mux.start();
    const endpoints = await this.#mux.endpoints();
    this.#log.info(
      { addresses: endpoints.map(({ address, port }) => `${address} ${port}`) },
      'media port open',
    );
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** Ends every session and closes the port; idempotent. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#video.stop();
    const sessions = [...this.#sessions];
    await Promise.all(sessions.map((session) => this.#close(session, 'The device stops.')));
    await this.#mux.stop();
  }

  /** Sends one Opus packet to every viewer, on its track and where it asks on the fast lane. The payload is copied once, whoever listens. */
  publishAudio(frame: EncodedAudioFrame): void {
    this.#framesPublished += 1;
    const { samples, captureTimeNs } = frame;
    const step = this.#clock.step({ samples, captureTimeNs, bytes: frame.payload.length });
    if (step.skipped > 0) {
      this.#gapsSkipped += 1;
      this.#log.debug({ samples: step.skipped }, 'gap in the sound skipped');
    }
    if (!step.send) return;
    if (this.#listening === 0) {
      this.#fastLane.skip();
      return;
    }
    const sound = {
      payload: Buffer.from(frame.payload),
      samples,
      timestamp: step.timestamp,
      marker: step.marker,
      captureTimeNs,
      discontinuity: frame.discontinuity || step.skipped > 0,
    };
    const packet = this.#fastLane.next(sound);
    for (const session of this.#sessions) {
      // First those who wait for it the least.
      if (packet !== undefined) session.fastLane.sendSound(packet);
      session.sendSound(sound);
      this.#soundSent?.(session.id);
    }
  }

  /** Calls `listener` with the session whenever a packet of sound was written to its socket; undefined: no longer. */
  watchSound(listener: ((session: string) => void) | undefined): void {
    this.#soundSent = listener;
  }

  /** Sends one picture to every viewer who takes it. Nothing is done with nobody there. */
  publishVideo(frame: EncodedVideoFrame): void {
    this.#video.publish(frame);
  }

  /** Asks for a keyframe, as a viewer would who lost pictures. */
  requestKeyframe(): void {
    this.#video.requestKeyframe();
  }

  /** Sends one message to the viewer of a session; there may be none any more. */
  tell(id: string, message: DeviceMessage): void {
    this.#session(id)?.tell(message);
  }

  sessionIds(): readonly string[] {
    return [...this.#sessions].map(({ id }) => id);
  }

  /** RTP time of the picture captured then (90 kHz, 32 bits), as the viewer of that session sees it; undefined when it sees none. */
  videoRtpTime(id: string, captureTimeNs: bigint): number | undefined {
    const session = this.#session(id);
    return session && this.#video.rtpTime(session, captureTimeNs);
  }

  /** Whether offers carry a picture from now on, and which. Throws a RangeError when its range of bitrates is empty. */
  setVideo(video: OfferedVideo | undefined): void {
    this.#video.set(video);
  }

  /** Opens a session for a WebSocket; `sync`: sound and picture in one MediaStream. Throws MEDIA_TOO_MANY_VIEWERS. */
  openSession(viewer: {
    readonly send: (message: DeviceMessage) => void;
    readonly end: (reason: string) => void;
    readonly sync?: boolean;
  }): Viewer {
    const { maxViewers } = this.#config;
    if (this.#sessions.size >= maxViewers) {
      throw new EarshotError(
        'MEDIA_TOO_MANY_VIEWERS',
        `The device serves ${maxViewers} viewers at once, and all places are taken; close another page, or raise media.maxViewers.`,
        { details: { maxViewers } },
      );
    }
    const session = new Session({
      send: viewer.send,
      end: viewer.end,
      iceServers: this.#viewerIceServers(),
      createPeer: () => {
        const peer = this.#createPeer(viewer.sync);
        this.#video.follow(session, peer);
        return peer;
      },
      log: this.#log,
      nowMs: () => performance.now(),
      nowUs: () => Number(process.hrtime.bigint() / 1_000n),
      hid: this.#hid,
      limits: this.#limits,
    });
    this.#sessions.add(session);
    this.#sessionsTotal += 1;
    session.on('state', (state) => {
      if (state === 'failed') this.#connectionsFailed += 1;
      this.#countListening();
    });
    session.fastLane.on('listening', () => this.#countListening());
    session.on('microphone', (frame) => this.emit('microphone', frame));
    session.on('av', (message) => this.emit('av', session.id, message));
    session.start();
    return {
      id: session.id,
      receive: (text) => session.receive(text),
      close: (reason) => {
        this.#close(session, reason).catch((error: unknown) => {
          this.#log.warn({ error: messageOf(error) }, 'session did not close cleanly');
        });
      },
    };
  }

  /** The fast lane of a session. Throws MEDIA_SESSION_UNKNOWN. */
  fastLane(id: string): FastLaneSender {
    return this.#knownSession(id).fastLane;
  }

  /** Keyboard and pointer of a session. Throws MEDIA_SESSION_UNKNOWN, or HID_NOT_CONFIGURED where they go nowhere. */
  hid(id: string): HidLane {
    const { hid } = this.#knownSession(id);
    if (this.#hid === undefined) throw hidNotConfigured();
    return hid;
  }

  /**
   * Lets the microphone of one session through, and of no other; undefined: of none. False, and
   * nothing changes, when there is no such session. It lasts over media resets, until the session ends.
   */
  openMicrophone(id: string | undefined): boolean {
    if (id !== undefined && this.#session(id) === undefined) return false;
    for (const session of this.#sessions) session.holdMicrophone(session.id === id);
    return true;
  }

  /** What viewers' browsers are asked to encode their microphones with, in offers from now on. */
  setMicrophoneSettings(settings: MicrophoneSettings): void {
    this.#microphoneSettings = settings;
  }

  sessions(): SessionStatus[] {
    return [...this.#sessions].map((session) => {
      const video = this.#video.status(session, session.totals());
      return { ...session.status(), ...(video !== undefined && { video }) };
    });
  }

  stats(): MediaStats {
    const totals = noCounts();
    addCounts(totals, this.#ended);
    const fastLane = noFastLaneCounts();
    addFastLaneCounts(fastLane, this.#endedFastLanes);
    const hid = noHidCounts();
    addHidCounts(hid, this.#endedHid);
    for (const session of this.#sessions) {
      addCounts(totals, session.totals());
      addFastLaneCounts(fastLane, session.fastLane.counts);
      addHidCounts(hid, session.hid.counts);
    }
    let datagramsRefused = 0;
    for (const count of this.#mux.refusals().values()) datagramsRefused += count;
    return {
      sessionsActive: this.#sessions.size,
      sessionsTotal: this.#sessionsTotal,
      connectionsFailed: this.#connectionsFailed,
      framesPublished: this.#framesPublished,
      framesDropped: totals.framesDropped,
      packetsSent: totals.packetsSent,
      bytesSent: totals.bytesSent,
      packetsRetransmitted: totals.packetsRetransmitted,
      datagramsRefused,
      tcp: { ...this.#mux.tcpCounts() },
      microphonePackets: totals.microphonePackets,
      microphoneBytes: totals.microphoneBytes,
      microphoneLost: totals.microphoneLost,
      microphoneFramesDropped: allDrops(totals.microphoneDrops),
      microphoneDrops: totals.microphoneDrops,
      gapsSkipped: this.#gapsSkipped,
      fastLane,
      hid,
      video: this.#video.stats(totals),
    };
  }

  #session(id: string): Session | undefined {
    for (const session of this.#sessions) if (session.id === id) return session;
    return undefined;
  }

  #knownSession(id: string): Session {
    const session = this.#session(id);
    if (session !== undefined) return session;
    throw new EarshotError(
      'MEDIA_SESSION_UNKNOWN',
      'There is no viewer session of that id; it ends with its WebSocket.',
    );
  }

  #createPeer(sync = false): Peer {
    return new Peer({
      transport: new WeriftTransport({
        mux: this.#mux,
        iceServers: this.#config.iceServers,
        log: this.#log,
        sessionId: randomBytes(8).readBigUInt64BE() >> 1n,
        hid: this.#hid !== undefined,
      }),
      ntp: this.#ntp,
      nowNs: () => process.hrtime.bigint(),
      microphone: this.#microphoneSettings,
      video: this.#video.offer,
      sync,
    });
  }

  async #close(session: Session, reason: string): Promise<void> {
    if (this.#sessions.delete(session)) {
      this.#video.forget(session);
      // Before anything is waited for: whoever held the microphone has let go of it.
      session.holdMicrophone(false);
      this.emit('session-closed', session.id);
      await session.close(reason);
      addCounts(this.#ended, session.totals());
      addFastLaneCounts(this.#endedFastLanes, session.fastLane.counts);
      addHidCounts(this.#endedHid, session.hid.counts);
      session.removeAllListeners();
      session.fastLane.removeAllListeners();
    }
    this.#countListening();
  }

  #countListening(): void {
    let listening = 0;
    for (const session of this.#sessions) if (session.isListening) listening += 1;
    if (listening === this.#listening) return;
    this.#listening = listening;
    this.emit('viewers', listening);
  }

  #tick(): void {
    for (const session of this.#sessions) session.tick();
    this.#video.tick();
  }

  #viewerIceServers(): DeviceIceServers {
    return this.#config.iceServers.map(({ urls, username, credential }) => ({
      urls: [...urls],
      ...(username !== undefined && { username }),
      ...(credential !== undefined && { credential }),
    }));
  }
}
