import type { PointerMode } from './hid-messages.ts';
import { type KeyUsage, modifierBit } from './key-codes.ts';
import { maxHeldKeys } from './limits.ts';
import { consumerReport, keyboardReport, systemReport } from './reports.ts';

interface PressedKey extends KeyUsage {
  readonly press: number;
}

/** Somebody who holds keys: a viewer, or what types a text. */
interface Owner {
  /** Keys by {@link keyId}, each with the number of its press. */
  readonly keys: Map<number, PressedKey>;
  mode: PointerMode;
  buttons: number;
}

/**
 * Who holds which keys and buttons, and what the host therefore sees: the union. A key that two hold is up
 * when both let it go.
 *
 * INVARIANTS: an owner that holds nothing is not kept; the union is made of owners alone, so with the last of
 * them everything is up.
 */
export class HeldState {
  readonly #owners = new Map<string, Owner>();
  #presses = 0;

  /** The owner presses or lets go a key; false when that changes nothing, or it holds as many as it may. */
  setKey(owner: string, key: KeyUsage, down: boolean): boolean {
    const id = keyId(key);
    if (!down) {
      const held = this.#owners.get(owner);
      if (held === undefined || !held.keys.delete(id)) return false;
      this.#forgetIdle(owner, held);
      return true;
    }
    const held = this.#ownerOf(owner);
    if (held.keys.has(id) || held.keys.size >= maxHeldKeys) return false;
    this.#presses += 1;
    held.keys.set(id, { ...key, press: this.#presses });
    return true;
  }

  /** All buttons of the owner from now on, in that mode alone. */
  setButtons(owner: string, mode: PointerMode, mask: number): void {
    const held = this.#ownerOf(owner);
    held.mode = mode;
    held.buttons = mask;
    this.#forgetIdle(owner, held);
  }

  /** All the owner held is up; false when it held nothing. */
  release(owner: string): boolean {
    return this.#owners.delete(owner);
  }

  releaseAll(): boolean {
    const held = this.#owners.size > 0;
    this.#owners.clear();
    return held;
  }

  holds(owner: string): boolean {
    return this.#owners.has(owner);
  }

  /** Owners that hold something. */
  get owners(): readonly string[] {
    return [...this.#owners.keys()];
  }

  /** Different keys held. */
  get keyCount(): number {
    return this.#keys().size;
  }

  /** Different buttons held, of either pointer. */
  get buttonCount(): number {
    return bitsOf(this.buttons('absolute')) + bitsOf(this.buttons('relative'));
  }

  /** The buttons held on that pointer, by anybody. */
  buttons(mode: PointerMode): number {
    let mask = 0;
    for (const owner of this.#owners.values()) if (owner.mode === mode) mask |= owner.buttons;
    return mask;
  }

  /** The modifiers somebody holds, as in the keyboard report. */
  get modifiers(): number {
    let mask = 0;
    for (const key of this.#keys().values()) mask |= modifierBit(key);
    return mask;
  }

  keyboard(): Uint8Array {
    const keys: number[] = [];
    let modifiers = 0;
    for (const key of this.#keys().values()) {
      if (key.page !== 'keyboard') continue;
      const bit = modifierBit(key);
      if (bit === 0) keys.push(key.usage);
      modifiers |= bit;
    }
    return keyboardReport(modifiers, keys);
  }

  /** The report holds one usage: the newest. */
  consumer(): Uint8Array {
    let newest = { usage: 0, press: 0 };
    for (const key of this.#keys().values()) {
      if (key.page === 'consumer' && key.press > newest.press) newest = key;
    }
    return consumerReport(newest.usage);
  }

  system(): Uint8Array {
    let mask = 0;
    for (const { page, usage } of this.#keys().values()) {
      if (page === 'system') mask |= 1 << (usage - 0x81);
    }
    return systemReport(mask);
  }

  #keys(): ReadonlyMap<number, PressedKey> {
    const all = new Map<number, PressedKey>();
    for (const { keys } of this.#owners.values()) for (const [id, key] of keys) all.set(id, key);
    return all;
  }

  #ownerOf(name: string): Owner {
    const known = this.#owners.get(name);
    if (known !== undefined) return known;
    const owner: Owner = { keys: new Map(), mode: 'absolute', buttons: 0 };
    this.#owners.set(name, owner);
    return owner;
  }

  #forgetIdle(name: string, { keys, buttons }: Owner): void {
    if (keys.size === 0 && buttons === 0) this.#owners.delete(name);
  }
}

const pageNumbers = { keyboard: 0, consumer: 1, system: 2 } as const;

function keyId({ page, usage }: KeyUsage): number {
  return (pageNumbers[page] << 16) | usage;
}

function bitsOf(mask: number): number {
  let count = 0;
  for (let rest = mask; rest > 0; rest &= rest - 1) count += 1;
  return count;
}
