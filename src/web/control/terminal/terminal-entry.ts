import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { allowStyles, canAdoptSheets } from './allowed-styles.ts';
import { LeaveChord } from './leave-chord.ts';

/** Lines that can be scrolled back to: more than the device keeps bytes for. */
const scrollbackLines = 5_000;

const theme = {
  background: '#0b100f',
  foreground: '#e5ebe8',
  cursor: '#63c7bb',
  selectionBackground: '#2f5f5a',
} as const;

export interface TerminalOptions {
  /** Where it is drawn; its size is the terminal's. */
  readonly element: HTMLElement;
  /** What a person typed or pasted, as UTF-8. */
  readonly onInput: (bytes: Uint8Array<ArrayBuffer>) => void;
  /** Ctrl and Alt were pressed alone and let go: the person wants the keyboard back. */
  readonly onLeave: () => void;
}

/** A terminal on the page (assets/terminal-entry.js, loaded when a console is opened first). */
export class HostTerminal {
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #watch: ResizeObserver;
  readonly #encoder = new TextEncoder();
  readonly #disallowStyles: () => void;

  /** Throws an Error in words where this browser is too old for it. */
  constructor({ element, onInput, onLeave }: TerminalOptions) {
    if (!canAdoptSheets()) throw new Error('This browser is too old for the terminal.');
    this.#disallowStyles = allowStyles();
    const leave = new LeaveChord(onLeave);
    this.#terminal = new Terminal({
      scrollback: scrollbackLines,
      fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace',
      fontSize: 14,
      theme,
    });
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.open(element);
    this.#terminal.onData((text) => onInput(this.#encoder.encode(text)));
    // Reports of the mouse, in bytes of their own.
    this.#terminal.onBinary((text) => onInput(Uint8Array.from(text, (c) => c.charCodeAt(0))));
    this.#terminal.attachCustomKeyEventHandler((event) => {
      leave.take(event);
      return !this.#copies(event);
    });
    this.#watch = new ResizeObserver(() => this.#fit.fit());
    this.#watch.observe(element);
  }

  /** Columns and rows. */
  get size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#terminal.cols, rows: this.#terminal.rows };
  }

  /** Shows bytes of the host; what is no UTF-8 is shown as such. */
  write(bytes: Uint8Array): void {
    this.#terminal.write(bytes);
  }

  /** A word of the page's own, on a line of its own. */
  note(words: string): void {
    this.#terminal.write(`\r\n\x1b[7m ${words} \x1b[0m\r\n`);
  }

  /** Forgets all that was shown. */
  reset(): void {
    this.#terminal.reset();
  }

  focus(): void {
    this.#terminal.focus();
  }

  /** Leaves nothing behind. */
  close(): void {
    this.#watch.disconnect();
    this.#terminal.dispose();
    this.#disallowStyles();
  }

  /** Ctrl+Shift+C, since Ctrl+C is the host's; Ctrl+Shift+V is the browser's own way to paste. */
  #copies(event: KeyboardEvent): boolean {
    if (!event.ctrlKey || !event.shiftKey || event.altKey) return false;
    if (event.code === 'KeyV') return true;
    if (event.code !== 'KeyC') return false;
    event.preventDefault();
    // Unlike navigator.clipboard it is there over plain HTTP too; the terminal answers the event it makes.
    if (event.type === 'keydown') document.execCommand('copy');
    return true;
  }
}
