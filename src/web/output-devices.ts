/** An output of this browser's machine. */
export interface OutputDevice {
  /** Of enumerateDevices: an id of its own for each site. */
  readonly deviceId: string;
  readonly label: string;
}

/** What the page shows of the outputs. */
export interface OutputState {
  /** There is something to choose between. */
  readonly canChoose: boolean;
  readonly devices: readonly OutputDevice[];
  /** What came of the choice, as a sentence; empty when it is as chosen. */
  readonly note: string;
}

export const noOutputs: OutputState = { canChoose: false, devices: [], note: '' };

/** Outputs as the browser lists them; no entry has an id, or a name, before it may use a microphone. */
export type ListedDevice = Pick<MediaDeviceInfo, 'kind' | 'deviceId' | 'label'>;

export interface OutputDevicesOptions {
  /** False where the browser cannot play elsewhere than on its default. */
  readonly isSupported: boolean;
  readonly list: () => Promise<readonly ListedDevice[]>;
  /** Plays the track on an output, empty for the default; rejects where that cannot be. */
  readonly setTrackSink: (deviceId: string) => Promise<void>;
  /** The same for the fast lane. */
  readonly setFastSink: (deviceId: string) => Promise<void>;
  readonly onChange: (state: OutputState) => void;
  /** Why the fast lane cannot play where the track does, as a sentence; empty when it can. */
  readonly onFastObstacle: (obstacle: string) => void;
}

const goneNote = 'The chosen output is not there; the default one plays.';
const fastObstacle = 'This browser plays the fast lane on its default output only.';

/**
 * Where the host's sound is played: the output chosen, on both lanes, or the default as long as that
 * one is not there.
 *
 * INVARIANT: outputs are set one after the other, and the newest choice last.
 */
export class OutputDevices {
  readonly #options: OutputDevicesOptions;
  #wanted = '';
  /** What each lane plays on. */
  #track = '';
  #fast = '';
  #devices: readonly OutputDevice[] = [];
  #hasDefaultEntry = false;
  #work: Promise<void> = Promise.resolve();

  constructor(options: OutputDevicesOptions) {
    this.#options = options;
  }

  /** The output to play on, empty for the browser's default. Resolves when it is so, or cannot be. */
  choose(deviceId: string): Promise<void> {
    if (deviceId === this.#wanted) return this.#work;
    this.#wanted = deviceId;
    return this.#queue(() => this.#apply());
  }

  /** Devices came or went, or may be listed now. */
  refresh(): Promise<void> {
    return this.#queue(async () => {
      await this.#readList();
      await this.#apply();
    });
  }

  #queue(work: () => Promise<void>): Promise<void> {
    if (this.#options.isSupported) this.#work = this.#work.then(work);
    return this.#work;
  }

  async #readList(): Promise<void> {
    let listed: readonly ListedDevice[] = [];
    try {
      listed = await this.#options.list();
    } catch {
      // A browser that does not say: its default is the only choice.
    }
    const outputs = listed.filter(
      ({ kind, deviceId }) => kind === 'audiooutput' && deviceId !== '',
    );
    this.#hasDefaultEntry = outputs.some(({ deviceId }) => deviceId === 'default');
    // The default's second names (Chromium's for music and for calls) are no devices of their own.
    this.#devices = outputs
      .filter(({ deviceId }) => deviceId !== 'default' && deviceId !== 'communications')
      .map(({ deviceId, label }) => ({ deviceId, label }));
  }

  async #apply(): Promise<void> {
    const wanted = this.#wanted;
    if (!(await this.#playTrackOn(this.#isThere(wanted) ? wanted : '')))
      await this.#playTrackOn('');
    const follows = await this.#playFastOn(this.#track);
    this.#options.onFastObstacle(follows ? '' : fastObstacle);
    this.#options.onChange({
      canChoose: wanted !== '' || this.#devices.length > (this.#hasDefaultEntry ? 1 : 0),
      devices: this.#devices,
      note: this.#track === wanted ? '' : goneNote,
    });
  }

  /** A browser keeps an output that went away, in silence; so the list decides, where there is one. */
  #isThere(wanted: string): boolean {
    return this.#devices.length === 0 || this.#devices.some(({ deviceId }) => deviceId === wanted);
  }

  /** Says whether it plays there. */
  async #playTrackOn(deviceId: string): Promise<boolean> {
    if (deviceId === this.#track) return true;
    try {
      await this.#options.setTrackSink(deviceId);
      this.#track = deviceId;
      return true;
    } catch {
      // Gone, or not allowed: where it plays says so.
      return false;
    }
  }

  async #playFastOn(deviceId: string): Promise<boolean> {
    if (deviceId === this.#fast) return true;
    try {
      await this.#options.setFastSink(deviceId);
      this.#fast = deviceId;
      return true;
    } catch {
      // The track is used instead, and the page says why.
      return false;
    }
  }
}
