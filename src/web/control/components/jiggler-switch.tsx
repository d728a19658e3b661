import { useState } from 'preact/hooks';
import type { JigglerSettings } from '../../../control/hid/hid-status.ts';
import { maxJigglerSeconds, minJigglerSeconds } from '../../../control/hid/limits.ts';

/** Moves the pointer a little now and then, so that the host stays awake. */
export function JigglerSwitch({
  jiggler,
  onChange,
}: {
  readonly jiggler: JigglerSettings;
  readonly onChange: (change: Partial<JigglerSettings>) => void;
}) {
  const { enabled, seconds } = jiggler;
  // While it is typed it is the person's; the device hears of it when it is done.
  const [typed, setTyped] = useState<string>();
  const finish = (): void => {
    const wanted = Number(typed);
    setTyped(undefined);
    if (typed === undefined || typed === '' || wanted === seconds) return;
    onChange({ seconds: wanted });
  };
  return (
    <div class="jiggler">
      <button
        type="button"
        class="switch switch-calm"
        role="switch"
        aria-checked={enabled}
        onClick={() => onChange({ enabled: !enabled })}
      >
        <span class="switch-track" aria-hidden="true" />
        Keep the host awake
      </button>
      <label class="jiggler-seconds">
        <span class="aside">every</span>
        <input
          class="text-input"
          type="number"
          aria-label="Seconds between movements"
          min={minJigglerSeconds}
          max={maxJigglerSeconds}
          value={typed ?? seconds}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          onBlur={finish}
          onKeyDown={({ key }) => {
            if (key === 'Enter') finish();
          }}
        />
        <span class="aside">s</span>
      </label>
    </div>
  );
}
