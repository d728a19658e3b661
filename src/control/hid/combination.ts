import { EarshotError } from '../../errors/earshot-error.ts';
import { nearest } from '../../errors/nearest.ts';
import { allKeyNames, type KeyUsage, usageOfName } from './key-codes.ts';

/** Most keys of one combination. */
const maxKeys = 8;
/** Longest combination, in characters. */
const maxLength = 100;

/**
 * The keys of a combination such as `ctrl+alt+del`, in the order they go down. Names are those of key-codes.ts,
 * capital letters or not; a code such as `Slash` names a key by its place. Throws HID_KEY_UNKNOWN.
 */
export function parseCombination(combination: string): KeyUsage[] {
  const shown = JSON.stringify(combination.slice(0, maxLength));
  if (combination.length > maxLength) {
    throw unknown(`The combination ${shown}… is longer than ${maxLength} characters.`, combination);
  }
  const names = combination.split('+').map((name) => name.trim());
  if (names.length > maxKeys) {
    throw unknown(
      `${shown} has ${names.length} keys; at most ${maxKeys} are allowed.`,
      combination,
    );
  }
  const keys = names.map((name) => keyNamed(name, shown));
  const twice = keys.findIndex(
    (key, index) => keys.findIndex((each) => sameKey(each, key)) !== index,
  );
  if (twice >= 0) throw unknown(`${shown} names the key "${names[twice]}" twice.`, combination);
  return keys;
}

function sameKey(a: KeyUsage, b: KeyUsage): boolean {
  return a.page === b.page && a.usage === b.usage;
}

function keyNamed(name: string, shown: string): KeyUsage {
  const key = usageOfName(name);
  if (key !== undefined) return key;
  if (name === '') {
    throw unknown(`${shown} names no key; write names joined by +, such as ctrl+alt+del.`, name);
  }
  const guess = nearest(name, allKeyNames);
  const hint =
    guess === undefined ? 'names are such as ctrl, alt, f5, del, a' : `did you mean "${guess}"?`;
  throw unknown(`There is no key "${name.slice(0, 40)}" in ${shown}; ${hint}`, name, guess);
}

function unknown(message: string, key: string, guess?: string): EarshotError {
  return new EarshotError('HID_KEY_UNKNOWN', message, {
    details: { key: key.slice(0, maxLength), ...(guess !== undefined && { nearest: guess }) },
  });
}
