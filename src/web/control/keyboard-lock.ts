/** The part of the Keyboard Lock API (WICG) that is used; TypeScript does not have it. */
export interface LockableKeyboard {
  lock(): Promise<void>;
  unlock(): void;
}

/** The browser's keyboard where it can be locked: Chromium, in a secure context. */
export function lockableKeyboard(): LockableKeyboard | undefined {
  const found: unknown = Reflect.get(navigator, 'keyboard');
  return isLockable(found) ? found : undefined;
}

function isLockable(value: unknown): value is LockableKeyboard {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof Reflect.get(value, 'lock') === 'function' &&
    typeof Reflect.get(value, 'unlock') === 'function'
  );
}
