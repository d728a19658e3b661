import type { Ref } from 'preact';
import { describeMicrophone, formatAge } from '../microphone-text.ts';
import type { MicrophoneActions } from '../page-actions.ts';
import type { PageState } from '../page-state.ts';
import type { Peaks } from '../stream-meter.ts';
import { HoldButton } from './hold-button.tsx';
import { Icon } from './icon.tsx';
import { LevelMeter } from './level-meter.tsx';
import { MicrophoneQuality } from './microphone-quality.tsx';
import { MicrophoneSound, TalkMode } from './microphone-settings.tsx';

/** This browser's microphone: on and off, what the host hears of it, and how it is captured. */
export function MicrophoneCard({
  state,
  actions,
  peaks,
  card,
}: {
  readonly state: PageState;
  readonly actions: MicrophoneActions;
  readonly peaks: () => Peaks | undefined;
  readonly card: Ref<HTMLElement>;
}) {
  const { microphone, preferences } = state;
  const { tone, title, detail } = describeMicrophone(state);
  return (
    <section class={`card microphone mic-${tone}`} aria-labelledby="microphone-title" ref={card}>
      <div class="mic-side">
        <h2 id="microphone-title">Microphone</h2>
        <div class="mic-head">
          <PowerButton state={state} actions={actions} />
          <p class="mic-words" role="status">
            <span class="mic-title">
              <span class="state-lamp" aria-hidden="true" />
              <strong>{title}</strong>
            </span>{' '}
            <span class="state-detail">{detail}</span>
          </p>
        </div>
        <Refusal state={state} actions={actions} />
        <LevelMeter peaks={peaks} label="Level of your microphone in decibels" />
        <div class="mic-row">
          <button
            type="button"
            class="button mic-mute"
            disabled={microphone.phase !== 'on'}
            aria-pressed={microphone.muted}
            aria-busy={microphone.unmuting}
            onClick={() => actions.setMuted(!microphone.muted)}
          >
            <Icon name={microphone.muted ? 'mic-off' : 'mic'} />
            {microphone.muted ? 'Unmute microphone' : 'Mute microphone'}
          </button>
          {preferences.microphone.pushToTalk && (
            <HoldButton
              held={microphone.talking}
              disabled={microphone.phase !== 'on' || microphone.muted}
              onHold={actions.talk}
            >
              Hold to talk
            </HoldButton>
          )}
        </div>
        <TalkMode preferences={preferences} actions={actions} />
      </div>
      <div class="mic-side">
        <MicrophoneQuality quality={microphone.quality} onChoose={actions.chooseQuality} />
        <MicrophoneSound microphone={microphone} preferences={preferences} actions={actions} />
      </div>
    </section>
  );
}

function PowerButton({
  state,
  actions,
}: {
  readonly state: PageState;
  readonly actions: MicrophoneActions;
}) {
  const { phase, unavailable } = state.microphone;
  const isOn = phase === 'on' || phase === 'resuming';
  const waits = phase === 'starting';
  const off = phase === 'off' || phase === 'refused';
  return (
    <button
      type="button"
      class={isOn ? 'mic-power mic-power-on' : 'mic-power'}
      disabled={off && (unavailable !== undefined || state.session === undefined)}
      onClick={() => (off ? actions.turnOn() : actions.turnOff())}
    >
      <Icon name="mic" />
      <span class="mic-power-words">
        {isOn ? 'Turn off' : waits ? 'Cancel' : phase === 'refused' ? 'Try again' : 'Turn on'}
      </span>
    </button>
  );
}

/** Who speaks instead, and the way around; or where this page has a microphone. */
function Refusal({
  state,
  actions,
}: {
  readonly state: PageState;
  readonly actions: MicrophoneActions;
}) {
  const { phase, holder, unavailable } = state.microphone;
  if (unavailable === 'insecure') {
    return (
      <p class="mic-notice">
        {state.httpsUrl === '' ? (
          'Open this page at the device’s https address instead.'
        ) : (
          <>
            Open <a href={state.httpsUrl}>{state.httpsUrl}</a> instead. The first time, the browser
            asks whether to trust the device’s own certificate.
          </>
        )}
      </p>
    );
  }
  if (phase !== 'refused') return null;
  return (
    <div class="mic-notice">
      <p>
        {holder === undefined
          ? 'Another viewer holds the microphone.'
          : `Viewer ${holder.session.slice(0, 8)} has held it for ${formatAge(performance.now() - holder.sinceMs)}.`}
      </p>
      <button type="button" class="button" onClick={actions.takeOver}>
        Take over
      </button>
      <button type="button" class="button" onClick={actions.turnOff}>
        Leave it
      </button>
    </div>
  );
}
