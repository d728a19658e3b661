/** The Network Information API, as far as it is used; not in every browser, nor in TypeScript's DOM types. */
export interface NetworkInformation extends EventTarget {
  /** `wifi`, `ethernet`, `cellular`, …; undefined on most desktops. */
  readonly type?: string;
}

/**
 * Calls `onChange` when the machine has another network: it is online again, or it is of another kind.
 * The browser also says how fast the network seems, which is none of that. Until the returned function
 * is called.
 */
export function watchNetwork(
  target: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>,
  information: NetworkInformation | undefined,
  onChange: () => void,
): () => void {
  let type = information?.type;
  const changed = () => {
    if (information?.type === type) return;
    type = information?.type;
    if (type !== 'none') onChange();
  };
  target.addEventListener('online', onChange);
  information?.addEventListener('change', changed);
  return () => {
    target.removeEventListener('online', onChange);
    information?.removeEventListener('change', changed);
  };
}
