import { Icon } from './icon.tsx';

/** Shown where the browser holds sound back until the viewer acts. */
export function PlayPanel({ onPlay }: { readonly onPlay: () => void }) {
  return (
    <section class="play-panel" aria-label="Start playing">
      <button type="button" class="play-button" onClick={onPlay}>
        <Icon name="play" />
        Play the host’s sound
      </button>
      <p>
        Your browser keeps pages silent until you press something. Press this once; to skip it next
        time, allow sound for this site in the browser’s settings.
      </p>
    </section>
  );
}
