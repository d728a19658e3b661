import type { ComponentChildren } from 'preact';

/** A button that acts for as long as it is held, by finger, mouse, Space or Enter. */
export function HoldButton({
  held,
  disabled,
  shortcut,
  onHold,
  children,
}: {
  readonly held: boolean;
  readonly disabled: boolean;
  /** The key that does the same, where there is one. */
  readonly shortcut: string | undefined;
  readonly onHold: (held: boolean) => void;
  readonly children: ComponentChildren;
}) {
  const byKey = (event: KeyboardEvent, isHeld: boolean): void => {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    event.preventDefault();
    if (!event.repeat) onHold(isHeld);
  };
  return (
    <button
      type="button"
      class={held ? 'button hold-button hold-held' : 'button hold-button'}
      disabled={disabled}
      aria-pressed={held}
      aria-keyshortcuts={shortcut}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        // The finger may slide off the button while it speaks.
        event.currentTarget.setPointerCapture(event.pointerId);
        onHold(true);
      }}
      onPointerUp={() => onHold(false)}
      onPointerCancel={() => onHold(false)}
      onLostPointerCapture={() => onHold(false)}
      // A long touch is not a question for a menu here.
      onContextMenu={(event) => event.preventDefault()}
      onKeyDown={(event) => byKey(event, true)}
      onKeyUp={(event) => byKey(event, false)}
      onBlur={() => onHold(false)}
    >
      {children}
    </button>
  );
}
