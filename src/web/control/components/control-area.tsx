import { useEffect, useRef } from 'preact/hooks';
import type { LayoutName } from '../../../control/hid/layouts/layout-names.ts';
import type { ControlActions } from '../control-actions.ts';
import type { ControlState } from '../control-state.ts';
import { captureWords, leaveKeys } from '../control-words.ts';
import type { KeyboardPlatform } from '../key-tracker.ts';
import { HostCard } from './host-card.tsx';
import { PowerCard } from './power-card.tsx';
import { SerialCard } from './serial-card.tsx';

/** What the device has of the host's control, and nothing of what it has not. */
export function ControlArea({
  state,
  layout,
  platform,
  hasPicture,
  pad,
  actions,
  onLeft,
}: {
  readonly state: ControlState;
  readonly layout: LayoutName;
  readonly platform: KeyboardPlatform;
  readonly hasPicture: boolean;
  /** What stands in for a picture. */
  readonly pad: { current: HTMLElement | null };
  readonly actions: ControlActions;
  /** Takes what is to be done when the keyboard is given back. */
  readonly onLeft: (onLeft: () => void) => void;
}) {
  const enterButton = useRef<HTMLButtonElement>(null);
  useEffect(() => onLeft(() => enterButton.current?.focus()), [onLeft]);
  const { hid, serial, power, errors } = state;
  const hasPower = power && (power.kind !== 'none' || power.wake.length > 0);
  return (
    <>
      {hid && !hasPicture && <Pad state={state} platform={platform} pad={pad} />}
      {hid && (
        <HostCard
          state={state}
          hid={hid}
          layout={layout}
          platform={platform}
          actions={actions.host}
          enterButton={enterButton}
        />
      )}
      {hasPower && <PowerCard power={power} error={errors.power} actions={actions.power} />}
      {serial && serial.port !== '' && (
        <SerialCard
          serial={serial}
          error={errors.serial}
          leaveKeys={leaveKeys(platform)}
          actions={actions.serial}
        />
      )}
    </>
  );
}

/** A place to click into where there is no picture. */
function Pad({
  state,
  platform,
  pad,
}: {
  readonly state: ControlState;
  readonly platform: KeyboardPlatform;
  readonly pad: { current: HTMLElement | null };
}) {
  const { captured } = state.capture;
  return (
    <section
      class={captured ? 'control-pad control-pad-on' : 'control-pad'}
      // Focused by a click or by the button beside it: in the tab order it would be a trap.
      tabIndex={-1}
      ref={pad}
      aria-label="In place of the host’s picture: click to use its keyboard and mouse"
    >
      <p>
        {captured
          ? captureWords(state.capture, state.pointerMode, platform)
          : 'Click here, and keyboard and mouse go to the host.'}
      </p>
    </section>
  );
}
