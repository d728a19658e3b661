import type { StateText } from '../state-text.ts';
import { Countdown } from './countdown.tsx';
import { Icon } from './icon.tsx';

/** The connection in words, and the two ways to give it a push. */
export function StateStrip({
  text,
  canReset,
  onRetry,
  onReset,
}: {
  readonly text: StateText;
  readonly canReset: boolean;
  readonly onRetry: () => void;
  readonly onReset: () => void;
}) {
  const { tone, title, detail, retryAtMs } = text;
  return (
    <section class={`state state-${tone}`} aria-label="Connection">
      <span class="state-lamp" aria-hidden="true" />
      <p class="state-words">
        <span role="status">
          <strong>{title}</strong> <span class="state-detail">{detail}</span>
        </span>
        {retryAtMs !== undefined && (
          <span class="state-detail">
            {' '}
            Trying again <Countdown untilMs={retryAtMs} />.
          </span>
        )}
      </p>
      {retryAtMs !== undefined && (
        <button type="button" class="button" onClick={onRetry}>
          Try now
        </button>
      )}
      {canReset && (
        <button
          type="button"
          class="button"
          title="Builds the media connection anew; the session lives on"
          onClick={onReset}
        >
          <Icon name="reset" />
          Reset media
        </button>
      )}
    </section>
  );
}
