import type { Picture, PictureOptions } from './picture/picture.ts';
import type { PicturePart } from './picture/picture-part.ts';
import type { PictureState } from './picture/picture-state.ts';
import type { SyncNotice } from './session.ts';
import type { StatsReport } from './stats.ts';

/** What the page shows of the picture. */
export interface PagePictureState {
  /** The device has a picture. */
  readonly offered: boolean;
  /** Undefined until it is loaded, and on a device without a picture. */
  readonly part: PicturePart | undefined;
  readonly picture: PictureState | undefined;
  /** Why the part could not be loaded; empty while nothing is wrong. */
  readonly trouble: string;
}

export const noPagePicture: PagePictureState = {
  offered: false,
  part: undefined,
  picture: undefined,
  trouble: '',
};

export interface PagePictureOptions extends Omit<PictureOptions, 'onChange'> {
  readonly load: () => Promise<PicturePart>;
  readonly onPageChange: (state: PagePictureState) => void;
}

/** The picture's place on the page: loads what shows it once the device offers one, and passes on what is for it. */
export class PagePicture {
  readonly #options: PagePictureOptions;
  #state = noPagePicture;
  #picture: Picture | undefined;
  #isLoading = false;
  #stream: MediaStream | undefined;

  constructor(options: PagePictureOptions) {
    this.#options = options;
  }

  /** The element and its engine, once loaded. */
  get picture(): Picture | undefined {
    return this.#picture;
  }

  /** Whether a connection has a picture to come; undefined: there is no connection. */
  negotiated(hasVideo: boolean | undefined): void {
    // A connection that is built anew keeps the picture's place.
    if (hasVideo === undefined || hasVideo === this.#state.offered) return;
    this.#set({ offered: hasVideo });
    if (hasVideo) void this.#load();
  }

  attach(stream: MediaStream | undefined): void {
    this.#stream = stream;
    this.#picture?.attach(stream);
    if (stream !== undefined) void this.#load();
  }

  received(report: StatsReport): void {
    this.#picture?.received(report);
  }

  notice(notice: SyncNotice): void {
    this.#picture?.notice(notice);
  }

  checkSync(): void {
    this.#picture?.checkSync();
  }

  stop(): void {
    this.#picture?.stop();
    this.#stream = undefined;
  }

  async #load(): Promise<void> {
    if (this.#isLoading || this.#picture !== undefined) return;
    this.#isLoading = true;
    try {
      const part = await this.#options.load();
      const { load: _load, onPageChange: _onPageChange, ...options } = this.#options;
      this.#picture = new part.Picture({
        ...options,
        onChange: (picture) => this.#set({ picture }),
      });
      this.#set({ part, trouble: '' });
      this.#picture.attach(this.#stream);
    } catch {
      // Tried again with the next connection.
      this.#set({ trouble: 'The part of the page that shows the picture did not load.' });
    }
    this.#isLoading = false;
  }

  #set(change: Partial<PagePictureState>): void {
    this.#state = { ...this.#state, ...change };
    this.#options.onPageChange(this.#state);
  }
}
