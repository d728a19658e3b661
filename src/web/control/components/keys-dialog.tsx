import { Dialog } from './dialog.tsx';

/** What a browser or this machine's own desktop keeps for itself, and hosts often want. */
const combinations: readonly { readonly keys: string; readonly use: string }[] = [
  { keys: 'ctrl+alt+del', use: 'Sign-in, restart' },
  { keys: 'alt+tab', use: 'Next window' },
  { keys: 'alt+f4', use: 'Close window' },
  { keys: 'ctrl+shift+esc', use: 'Task manager' },
  { keys: 'ctrl+alt+t', use: 'Terminal' },
  { keys: 'meta', use: 'Start menu' },
  { keys: 'meta+l', use: 'Lock' },
  { keys: 'meta+r', use: 'Run' },
  { keys: 'ctrl+w', use: 'Close tab' },
  { keys: 'ctrl+alt+f1', use: 'Console 1' },
  { keys: 'ctrl+alt+f2', use: 'Console 2' },
  { keys: 'ctrl+alt+f7', use: 'Console 7' },
  { keys: 'alt+sysrq', use: 'Magic SysRq' },
  { keys: 'print', use: 'Screenshot' },
  { keys: 'f2', use: 'Firmware setup' },
  { keys: 'f12', use: 'Boot menu' },
  { keys: 'del', use: 'Firmware setup' },
  { keys: 'num', use: 'Num Lock' },
  { keys: 'caps', use: 'Caps Lock' },
  { keys: 'mute', use: 'Mute' },
  { keys: 'louder', use: 'Volume up' },
  { keys: 'quieter', use: 'Volume down' },
];

/** Combinations to press with one click. */
export function KeysDialog({
  error,
  onPress,
  onClose,
}: {
  readonly error: string;
  readonly onPress: (keys: string) => void;
  readonly onClose: () => void;
}) {
  return (
    <Dialog title="Press on the host" onClose={onClose}>
      <ul class="keys">
        {combinations.map(({ keys, use }) => (
          <li key={keys}>
            <button type="button" class="button keys-button" onClick={() => onPress(keys)}>
              <span class="keys-name">{keyTitle(keys)}</span> <span class="aside">{use}</span>
            </button>
          </li>
        ))}
      </ul>
      {error !== '' && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </Dialog>
  );
}

/** `Ctrl+Alt+Del` */
export function keyTitle(keys: string): string {
  return keys
    .split('+')
    .map((name) => name.slice(0, 1).toUpperCase() + name.slice(1))
    .join('+');
}
