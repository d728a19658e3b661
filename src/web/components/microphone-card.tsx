import type { Ref } from 'preact';
import { describeMicrophone } from '../microphone-text.ts';
import type { MicrophoneActions } from '../page-actions.ts';
import type { PageState } from '../page-state.ts';
import { talkKeyNames } from '../push-to-talk.ts';
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
        {microphone.unavailable === 'insecure' && <SecureAddress url={state.httpsUrl} />}
        <LevelMeter peaks={peaks} label="Level of your microphone in decibels" />
        {microphone.phase === 'refused' ? (
          <TakeOver actions={actions} />
        ) : (
          <MuteAndTalk state={state} actions={actions} />
        )}
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

/** What a person does while the microphone is on; the same room whatever the state. */
function MuteAndTalk({
  state,
  actions,
}: {
  readonly state: PageState;
  readonly actions: MicrophoneActions;
}) {
  const { microphone, preferences } = state;
  const { pushToTalk, talkKey } = preferences.microphone;
  return (
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
      {pushToTalk && (
        <HoldButton
          held={microphone.talking}
          disabled={microphone.phase !== 'on' || microphone.muted}
          shortcut={preferences.shortcuts ? talkKeyNames[talkKey] : undefined}
          onHold={actions.talk}
        >
          Hold to talk
        </HoldButton>
      )}
    </div>
  );
}

/** In place of what is of no use while another viewer speaks. */
function TakeOver({ actions }: { readonly actions: MicrophoneActions }) {
  return (
    <div class="mic-row">
      <button type="button" class="button" onClick={actions.takeOver}>
        Take over
      </button>
      <button type="button" class="button" onClick={actions.turnOff}>
        Leave it
      </button>
    </div>
  );
}

/** Where this page has a microphone. */
function SecureAddress({ url }: { readonly url: string }) {
  return (
    <p class="mic-notice">
      {url === '' ? (
        'Open this page at the device’s https address instead.'
      ) : (
        <span>
          Open <a href={url}>{url}</a> instead. The first time, the browser asks whether to trust
          the device’s own certificate.
        </span>
      )}
    </p>
  );
}
