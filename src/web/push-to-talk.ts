/** Keys that can be held to talk. */
export const talkKeys = ['t', 'v', 'space', 'backquote'] as const;
export type TalkKey = (typeof talkKeys)[number];

export const talkKeyNames: Readonly<Record<TalkKey, string>> = {
  t: 'T',
  v: 'V',
  space: 'Space',
  backquote: '`',
};

/** What of a KeyboardEvent is looked at. */
export interface TalkKeyEvent {
  readonly key: string;
  readonly repeat: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

const keysOf: Readonly<Record<TalkKey, string>> = { t: 't', v: 'v', space: ' ', backquote: '`' };

/** Whether an event is of the key, with or without Shift. */
export function isTalkKey(key: TalkKey, event: Pick<TalkKeyEvent, 'key'>): boolean {
  return event.key.toLowerCase() === keysOf[key];
}

/**
 * Whether pressing the key at an element is meant for that element: letters are typed into text fields
 * and lists, and Space presses whatever has the focus.
 */
export function belongsToElement(
  key: TalkKey,
  { tag, type }: { tag: string; type: string },
): boolean {
  if (tag === 'textarea' || tag === 'select') return true;
  if (tag === 'input' && !['checkbox', 'radio', 'range'].includes(type)) return true;
  return key === 'space' && ['input', 'button', 'a', 'summary'].includes(tag);
}

export interface PushToTalkOptions {
  /** The key in force; undefined while there is none. */
  readonly key: () => TalkKey | undefined;
  readonly onTalk: (talking: boolean) => void;
}

/** Follows the push-to-talk key; what takes the keyboard or the page away ends the talking. */
export class PushToTalk {
  readonly #options: PushToTalkOptions;
  #held: TalkKey | undefined;

  constructor(options: PushToTalkOptions) {
    this.#options = options;
  }

  start(): void {
    document.addEventListener('keydown', (event) => this.#down(event));
    document.addEventListener('keyup', (event) => this.#up(event));
    window.addEventListener('blur', () => this.#release());
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#release();
    });
  }

  #down(event: KeyboardEvent): void {
    const key = this.#options.key();
    if (key === undefined || !isTalkKey(key, event)) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { target } = event;
    const element = target instanceof HTMLElement ? target : document.body;
    const type = element instanceof HTMLInputElement ? element.type : '';
    if (belongsToElement(key, { tag: element.localName, type })) return;
    // Space would scroll.
    event.preventDefault();
    if (event.repeat || this.#held !== undefined) return;
    this.#held = key;
    this.#options.onTalk(true);
  }

  #up(event: KeyboardEvent): void {
    if (this.#held !== undefined && isTalkKey(this.#held, event)) this.#release();
  }

  #release(): void {
    // Said even where no key is held: the button to hold is let go of in the same way.
    this.#held = undefined;
    this.#options.onTalk(false);
  }
}
