import { deviceOptions } from '../device-options.ts';
import type { MicrophoneActions } from '../page-actions.ts';
import type { PageMicrophoneState } from '../page-state.ts';
import type { MicrophonePreferences, Preferences } from '../preferences.ts';
import { talkKeyNames, talkKeys } from '../push-to-talk.ts';
import { Check } from './check.tsx';
import { Choice } from './choice.tsx';

interface SettingsProps {
  readonly preferences: Preferences;
  readonly actions: MicrophoneActions;
}

const talkKeyOptions = talkKeys.map((key) => ({ value: key, text: talkKeyNames[key] }));

/** Always open, or open while a key or button is held. */
export function TalkMode({ preferences, actions }: SettingsProps) {
  const { pushToTalk, talkKey } = preferences.microphone;
  const withKey = pushToTalk && preferences.shortcuts;
  return (
    <fieldset class="mic-group">
      <legend>Talking</legend>
      <Check
        checked={pushToTalk}
        describedBy="push-to-talk-note"
        onChange={(checked) => actions.setPreferences({ pushToTalk: checked })}
      >
        Push to talk
      </Check>
      <Choice
        label="Key"
        value={talkKey}
        options={talkKeyOptions}
        disabled={!withKey}
        onChoose={(chosen) => actions.setPreferences({ talkKey: chosen })}
      />
      <p class="note" id="push-to-talk-note">
        {!pushToTalk
          ? 'The microphone stays open while it is on.'
          : preferences.shortcuts
            ? 'Open only while the key or the button is held.'
            : 'Open only while the button is held; keys are off (see below).'}
      </p>
    </fieldset>
  );
}

const processing = [
  { key: 'echoCancellation', name: 'Echo cancellation' },
  { key: 'noiseSuppression', name: 'Noise suppression' },
  { key: 'autoGainControl', name: 'Automatic gain' },
] as const satisfies readonly { key: keyof MicrophonePreferences; name: string }[];

/** Which microphone, and what the browser does to its sound. */
export function MicrophoneSound({
  microphone,
  preferences,
  actions,
}: SettingsProps & { readonly microphone: PageMicrophoneState }) {
  const { deviceId, raw } = preferences.microphone;
  return (
    <fieldset class="mic-group" disabled={microphone.unavailable !== undefined}>
      <legend>In this browser</legend>
      <Choice
        label="Device"
        value={deviceId}
        options={deviceOptions(microphone.inputs, { chosen: deviceId, unnamed: 'Microphone' })}
        onChoose={(chosen) => actions.setPreferences({ deviceId: chosen })}
      />
      <div class="mic-checks">
        {processing.map(({ key, name }) => (
          <Check
            key={key}
            checked={preferences.microphone[key] && !raw}
            disabled={raw}
            onChange={(checked) => actions.setPreferences({ [key]: checked })}
          >
            {name}
          </Check>
        ))}
        <Check
          checked={raw}
          describedBy="raw-note"
          onChange={(checked) => actions.setPreferences({ raw: checked })}
        >
          Raw sound
        </Check>
      </div>
      <p class="note" id="raw-note">
        {raw
          ? 'Raw: nothing is processed, in stereo at Ultra. For music and instruments; wear headphones.'
          : 'Raw sound turns all three off: for music and instruments, with headphones on.'}
      </p>
    </fieldset>
  );
}
