import type { MicrophoneStatus } from '../api/schema.ts';
import type { CaptureChoice, CaptureListener } from './microphone-capture.ts';
import { type MicrophoneEvent, type MicrophonePhase, nextPhase } from './microphone-machine.ts';
import { CaptureError, type CaptureTrouble } from './microphone-trouble.ts';

/** Why the microphone is not as it was asked to be. */
export type MicrophoneNotice =
  | { readonly kind: 'trouble'; readonly trouble: CaptureTrouble }
  /** Another viewer took the microphone; or somebody at the device turned it off. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'released' }
  /** The microphone chosen while speaking could not be opened; the one before goes on. */
  | { readonly kind: 'kept' }
  /** The session did not come back in time. */
  | { readonly kind: 'disconnected' }
  /** The device's own words. */
  | { readonly kind: 'refused'; readonly message: string };

export interface MicrophoneState {
  readonly phase: MicrophonePhase;
  /** Sound of this browser goes out now. */
  readonly open: boolean;
  /** Muted here. Nobody else's unmute opens it. */
  readonly muted: boolean;
  /** An unmute was asked for and is not answered yet. */
  readonly unmuting: boolean;
  /** The push-to-talk key or button is held. */
  readonly talking: boolean;
  /** The system or the hardware silences the source. */
  readonly sourceMuted: boolean;
  /** Who holds the microphone instead, and since when (`performance.now()` ms); while refused. */
  readonly holder: { readonly session: string; readonly sinceMs: number } | undefined;
  readonly notice: MicrophoneNotice | undefined;
}

export const microphoneOff: MicrophoneState = {
  phase: 'off',
  open: false,
  muted: false,
  unmuting: false,
  talking: false,
  sourceMuted: false,
  holder: undefined,
  notice: undefined,
};

/** What of a MediaStreamTrack is needed here. */
export interface SoundTrack {
  enabled: boolean;
  stop(): void;
}

export interface MicrophoneControllerOptions<T extends SoundTrack> {
  readonly api: {
    /** Rejects with an error of code MICROPHONE_HELD where another viewer holds the microphone. */
    start(request: { session: string; takeover: boolean }): Promise<MicrophoneStatus>;
    stop(request: { session: string }): Promise<MicrophoneStatus>;
    setMute(muted: boolean): Promise<MicrophoneStatus>;
    status(): Promise<MicrophoneStatus>;
  };
  /** Rejects with a CaptureError. */
  readonly capture: (choice: CaptureChoice, listener: CaptureListener) => Promise<T>;
  /** Sends the track instead of what was sent; undefined sends nothing. */
  readonly send: (track: T | undefined) => void;
  readonly onChange: (state: MicrophoneState) => void;
  /** Calls `action` later, unless the returned function is called first. */
  readonly later: (delayMs: number, action: () => void) => () => void;
  readonly nowMs: () => number;
}

/**
 * How long a lost session may take to return before the microphone is let go. The person spoke when the
 * network failed and the same page lives on, so it comes back on by itself within this time, by asking for
 * the floor like anybody else; later, or in a page that was left or loaded again, it never does.
 */
export const resumeWithinMs = 15_000;

/**
 * This browser's microphone: asks the browser for the sound and the device for the floor, and sends
 * when it has both. What the browser gives is let go at once when the device gives the floor away.
 *
 * INVARIANTS: a track is captured in `starting`, `on` and `resuming` only; one is sent in `on` only;
 * `track.enabled` is true only while `state.open`.
 */
export class MicrophoneController<T extends SoundTrack> {
  readonly #options: MicrophoneControllerOptions<T>;
  #state: MicrophoneState = microphoneOff;
  #choice: CaptureChoice;
  #pushToTalk = false;
  #session: string | undefined;
  #track: T | undefined;
  /** The session that was given the floor. */
  #floor: string | undefined;
  /** Answers to older questions than these are of no interest. */
  #captures = 0;
  #floorRequests = 0;
  #mutes = 0;
  /** What the device is asked reaches it in the order it was asked in. */
  #asked: Promise<unknown> = Promise.resolve();
  /** The device's events have not yet shown what it answered last; until then they may be older than the answer. */
  #unconfirmed = false;
  #cancelResume: () => void = () => undefined;

  constructor(options: MicrophoneControllerOptions<T>, choice: CaptureChoice) {
    this.#options = options;
    this.#choice = choice;
  }

  get state(): MicrophoneState {
    return this.#state;
  }

  /** What is captured, and sent while `on`. */
  get track(): T | undefined {
    return this.#track;
  }

  /** Asks for the microphone; with `takeover`, from whoever holds it. */
  press({ takeover = false }: { readonly takeover?: boolean } = {}): void {
    if (!this.#move('press', { notice: undefined, holder: undefined, muted: false })) return;
    void this.#open();
    void this.#askFloor(takeover);
  }

  /** Lets the microphone go. */
  stop(): void {
    this.#end('stop', undefined);
  }

  /** The session's id, or undefined while there is none. */
  sessionChanged(session: string | undefined): void {
    if (session === this.#session) return;
    const hadSession = this.#session !== undefined;
    this.#session = session;
    this.#floor = undefined;
    if (hadSession) this.#sessionLost();
    if (session === undefined || !this.#move('session-back')) return;
    this.#cancelResume();
    void this.#askFloor(false);
  }

  /** The device says how its microphone stands: an event, or the answer to a question. */
  received(status: MicrophoneStatus): void {
    if (this.#floor === undefined) return;
    if (this.#agrees(status)) {
      if (!status.muted) this.#unconfirmed = false;
    } else if (this.#unconfirmed) void this.#verify(status);
    else this.#obey(status);
  }

  /** Mutes at once; unmutes when the device has agreed. */
  async setMuted(muted: boolean): Promise<void> {
    if (this.#state.phase !== 'on') return;
    const request = ++this.#mutes;
    // Muting is this browser's own decision and waits for nobody.
    if (muted) this.#set({ muted: true });
    this.#set({ unmuting: !muted, notice: undefined });
    try {
      await this.#ask(() => this.#options.api.setMute(muted));
      if (request !== this.#mutes) return;
      this.#unconfirmed = !muted;
      this.#set({ muted, unmuting: false });
    } catch (error) {
      if (request !== this.#mutes) return;
      this.#set({ unmuting: false, notice: { kind: 'refused', message: messageOf(error) } });
    }
  }

  /** Whether sound goes out only while {@link talk} says so. */
  setPushToTalk(pushToTalk: boolean): void {
    this.#pushToTalk = pushToTalk;
    this.#set({ talking: false });
  }

  /** Opens and closes the microphone in push-to-talk, without a round trip: no first syllable is lost. */
  talk(talking: boolean): void {
    if (talking !== this.#state.talking) this.#set({ talking: talking && this.#pushToTalk });
  }

  /** What to capture from now on; what is being captured is replaced. */
  setChoice(choice: CaptureChoice): void {
    if (JSON.stringify(choice) === JSON.stringify(this.#choice)) return;
    this.#choice = choice;
    const { phase } = this.#state;
    if (phase === 'on' || phase === 'starting' || phase === 'resuming') void this.#open();
  }

  /** What stood in the way may be gone: a device came, or the person changed the permission. */
  troubleMayBeOver(troubles: readonly CaptureTrouble[]): void {
    const { notice } = this.#state;
    if (notice?.kind === 'trouble' && troubles.includes(notice.trouble)) {
      this.#set({ notice: undefined });
    }
  }

  async #open(): Promise<void> {
    const capture = ++this.#captures;
    let own: T | undefined;
    const isCurrent = (): boolean => own !== undefined && own === this.#track;
    try {
      own = await this.#options.capture(this.#choice, {
        onEnded: () => {
          if (isCurrent()) this.#ended();
        },
        onSourceMuted: (sourceMuted) => {
          if (isCurrent()) this.#set({ sourceMuted });
        },
      });
      if (capture !== this.#captures) own.stop();
      else this.#captured(own);
    } catch (error) {
      if (capture !== this.#captures) return;
      // What was chosen instead cannot be had; what there was is better than nothing.
      if (this.#track !== undefined) this.#set({ notice: { kind: 'kept' } });
      else this.#end('failed', noticeOf(error));
    }
  }

  /** The device was pulled out; another may be left. */
  #ended(): void {
    this.#dropTrack();
    void this.#open();
  }

  #captured(track: T): void {
    const last = this.#track;
    track.enabled = false;
    this.#track = track;
    if (this.#state.phase === 'on') this.#options.send(track);
    last?.stop();
    this.#set({ sourceMuted: false, notice: undefined });
    this.#startSending();
  }

  async #askFloor(takeover: boolean): Promise<void> {
    const request = ++this.#floorRequests;
    const session = this.#session;
    if (session === undefined) {
      this.#end('failed', { kind: 'disconnected' });
      return;
    }
    try {
      const status = await this.#ask(() => this.#options.api.start({ session, takeover }));
      if (request === this.#floorRequests) {
        this.#floor = session;
        this.#unconfirmed = true;
        // It was this session's already, and somebody had muted it.
        if (status.muted) this.#set({ muted: true });
        if (status.holder?.session === session) this.#startSending();
        else void this.#verify(status);
      } else if (this.#state.phase === 'off') this.#release(session);
    } catch (error) {
      if (request !== this.#floorRequests) return;
      if (codeOf(error) === 'MICROPHONE_HELD') await this.#refused();
      else this.#end('failed', { kind: 'refused', message: messageOf(error) });
    }
  }

  async #refused(): Promise<void> {
    this.#letGo();
    const request = this.#floorRequests;
    const holder = await this.#options.api.status().then(
      (status) => status.holder,
      () => null,
    );
    if (request !== this.#floorRequests) return;
    const sinceMs = this.#options.nowMs() - (holder?.heldMs ?? 0);
    this.#move('held', {
      holder: holder === null ? undefined : { session: holder.session, sinceMs },
    });
  }

  #startSending(): void {
    if (this.#track === undefined || this.#floor === undefined || !this.#move('ready')) return;
    this.#options.send(this.#track);
    // A new holder begins unmuted at the device; one that was cut off while muted stays so.
    if (this.#state.muted) void this.setMuted(true);
  }

  #sessionLost(): void {
    this.#floorRequests += 1;
    const wasTold = this.#move('session-lost', { talking: false, holder: undefined });
    if (!wasTold || this.#state.phase !== 'resuming') return;
    this.#options.send(undefined);
    this.#cancelResume();
    this.#cancelResume = this.#options.later(resumeWithinMs, () =>
      this.#end('failed', { kind: 'disconnected' }),
    );
  }

  #agrees(status: MicrophoneStatus): boolean {
    // Somebody else's unmute changes nothing here: this browser's own mute stays.
    return status.holder?.session === this.#floor && (!status.muted || this.#state.muted);
  }

  /** An event that may be older than the device's last answer: asks which is true. */
  async #verify(event: MicrophoneStatus): Promise<void> {
    const floorRequests = this.#floorRequests;
    const mutes = this.#mutes;
    // A device that does not answer is taken at its word: the microphone closes rather than stays open.
    const status = await this.#options.api.status().catch(() => event);
    if (floorRequests !== this.#floorRequests || mutes !== this.#mutes) return;
    if (this.#floor !== undefined && !this.#agrees(status)) this.#obey(status);
  }

  #obey(status: MicrophoneStatus): void {
    if (status.holder?.session !== this.#floor) {
      // It is not ours to give back.
      this.#floor = undefined;
      this.#end('floor-lost', { kind: status.holder === null ? 'released' : 'taken' });
    } else if (status.muted) {
      this.#mutes += 1;
      this.#set({ muted: true, unmuting: false });
    }
  }

  #end(event: MicrophoneEvent, notice: MicrophoneNotice | undefined): void {
    if (nextPhase(this.#state.phase, event) === undefined) return;
    const session = this.#session;
    this.#letGo();
    this.#move(event, { ...microphoneOff, notice });
    if (event !== 'floor-lost' && session !== undefined) this.#release(session);
  }

  #letGo(): void {
    this.#captures += 1;
    this.#floorRequests += 1;
    this.#mutes += 1;
    this.#floor = undefined;
    this.#cancelResume();
    this.#options.send(undefined);
    this.#dropTrack();
  }

  #dropTrack(): void {
    if (this.#track === undefined) return;
    this.#track.enabled = false;
    this.#track.stop();
    this.#track = undefined;
  }

  #release(session: string): void {
    // Nothing is sent any more, and the device frees what a session holds when that ends.
    this.#ask(() => this.#options.api.stop({ session })).catch(() => undefined);
  }

  #ask(request: () => Promise<MicrophoneStatus>): Promise<MicrophoneStatus> {
    const answer = this.#asked.then(request);
    this.#asked = answer.catch(() => undefined);
    return answer;
  }

  #move(event: MicrophoneEvent, change: Partial<MicrophoneState> = {}): boolean {
    const phase = nextPhase(this.#state.phase, event);
    if (phase === undefined) return false;
    this.#set({ ...change, phase });
    return true;
  }

  #set(change: Partial<MicrophoneState>): void {
    const next = { ...this.#state, ...change };
    const open = next.phase === 'on' && !next.muted && (!this.#pushToTalk || next.talking);
    if (this.#track !== undefined) this.#track.enabled = open;
    this.#state = { ...next, open };
    this.#options.onChange(this.#state);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function noticeOf(error: unknown): MicrophoneNotice {
  return error instanceof CaptureError
    ? { kind: 'trouble', trouble: error.trouble }
    : { kind: 'trouble', trouble: 'unknown' };
}
