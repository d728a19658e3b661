import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { describeMicrophone } from '../microphone-text.ts';
import type { MicrophoneActions } from '../page-actions.ts';
import type { PageState } from '../page-state.ts';

/** Says that the microphone is on while its card is scrolled away. It lies over the page and moves nothing. */
export function LiveBadge({
  state,
  actions,
  card,
}: {
  readonly state: PageState;
  readonly actions: MicrophoneActions;
  readonly card: RefObject<HTMLElement | null>;
}) {
  const isOn = state.microphone.phase === 'on';
  const away = useAway(card);
  if (!isOn || !away) return null;
  const { tone, title } = describeMicrophone(state);
  const { muted } = state.microphone;
  return (
    <section class={`mic-badge mic-${tone}`} aria-label="Microphone state">
      <span class="state-lamp" aria-hidden="true" />
      <strong>Microphone {title.toLowerCase()}</strong>
      <button type="button" class="button" onClick={() => actions.setMuted(!muted)}>
        {muted ? 'Unmute' : 'Mute'}
      </button>
      <button type="button" class="button" onClick={actions.turnOff}>
        Turn off
      </button>
    </section>
  );
}

function useAway(card: RefObject<HTMLElement | null>): boolean {
  const [away, setAway] = useState(false);
  useEffect(() => {
    if (card.current === null) return;
    const observer = new IntersectionObserver(([entry]) => {
      setAway(entry?.isIntersecting === false);
    });
    observer.observe(card.current);
    return () => observer.disconnect();
  }, [card]);
  return away;
}
