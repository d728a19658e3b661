import type { ControlState } from '../control-state.ts';
import { captureWords } from '../control-words.ts';
import type { KeyboardPlatform } from '../key-tracker.ts';

/** Over the picture, in full screen too: that the keyboard goes to the host, and how to have it back. */
export function ControlBadge({
  state,
  platform,
}: {
  readonly state: ControlState;
  readonly platform: KeyboardPlatform;
}) {
  if (!state.capture.captured) return null;
  return (
    <p class="control-badge">
      <span class="state-lamp" aria-hidden="true" />{' '}
      {captureWords(state.capture, state.pointerMode, platform)}
    </p>
  );
}
