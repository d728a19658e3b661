import type { MicrophoneNotice } from './microphone-controller.ts';
import { troubleTexts } from './microphone-trouble.ts';
import type { PageState } from './page-state.ts';
import { talkKeyNames } from './push-to-talk.ts';

/** The microphone in words. */
export interface MicrophoneText {
  /** `live`: the host can hear this room. */
  readonly tone: 'off' | 'live' | 'closed' | 'busy' | 'bad';
  /** A word or two; complete without the rest. */
  readonly title: string;
  /** A sentence: what it means, or what to do. */
  readonly detail: string;
}

/** What is looked at of the page's state. */
export type MicrophoneFacts = Pick<
  PageState,
  'microphone' | 'preferences' | 'session' | 'connection' | 'children'
>;

function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' || /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

function noticeText(notice: MicrophoneNotice): string {
  switch (notice.kind) {
    case 'trouble':
      return troubleTexts[notice.trouble];
    case 'taken':
      return 'Another viewer has taken the microphone over; yours was turned off.';
    case 'released':
      return 'The microphone was turned off at the device.';
    case 'kept':
      return 'The microphone you chose could not be opened; the one before goes on.';
    case 'disconnected':
      return 'The connection to the device did not come back in time, so the microphone was turned off.';
    case 'refused':
      return sentence(notice.message);
  }
}

/** How long ago, in the unit that a person would use. */
export function formatAge(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return minutes === 1 ? 'a minute' : `${minutes} minutes`;
  const hours = Math.floor(minutes / 60);
  return hours === 1 ? 'an hour' : `${hours} hours`;
}

function offText({ microphone, session, children }: MicrophoneFacts): MicrophoneText {
  const { notice, unavailable, status } = microphone;
  if (unavailable !== undefined) {
    return { tone: 'bad', title: 'Not available here', detail: troubleTexts[unavailable] };
  }
  if (notice !== undefined) {
    const tone = notice.kind === 'released' ? 'off' : 'bad';
    return { tone, title: 'Off', detail: noticeText(notice) };
  }
  if (children['audio-input']?.state === 'failed') {
    const detail =
      'The process that plays the microphone to the host keeps ending; run “earshot restart audio-input” on the device.';
    return { tone: 'bad', title: 'Off', detail };
  }
  if (session === undefined) {
    return { tone: 'off', title: 'Off', detail: 'Available when the device is connected.' };
  }
  const taken = status?.holder !== null && status?.holder !== undefined;
  const detail = taken
    ? 'Another viewer is using the microphone at the moment.'
    : 'Nothing is captured until you turn it on.';
  return { tone: 'off', title: 'Off', detail };
}

/** What keeps the host from hearing an open microphone, where something does. */
function hostTrouble({ microphone, connection }: MicrophoneFacts): string {
  const { status } = microphone;
  if (connection.kind !== 'connected') return 'The media connection is being set up.';
  if (status?.deviceState === 'idle') return 'The host is not recording from it at the moment.';
  if (status?.deviceState !== 'opening') return '';
  return status.deviceError === ''
    ? 'The device is opening the host’s microphone.'
    : `The host does not hear it: ${sentence(status.deviceError)} The device keeps trying.`;
}

function onText(facts: MicrophoneFacts): MicrophoneText {
  const { microphone, preferences } = facts;
  const { pushToTalk, talkKey } = preferences.microphone;
  if (microphone.notice !== undefined) {
    const tone = microphone.open ? 'live' : 'bad';
    return {
      tone,
      title: microphone.open ? 'Live' : 'Muted',
      detail: noticeText(microphone.notice),
    };
  }
  if (microphone.muted) {
    return { tone: 'closed', title: 'Muted', detail: 'The host hears nothing of you.' };
  }
  if (!microphone.open) {
    const detail =
      pushToTalk && preferences.shortcuts
        ? `Hold ${talkKeyNames[talkKey]} or the button while you speak.`
        : 'Hold the button while you speak.';
    return { tone: 'closed', title: 'Ready', detail };
  }
  if (microphone.sourceMuted) {
    const detail = 'Your system has silenced this microphone; look for a key or switch on it.';
    return { tone: 'live', title: 'Live', detail };
  }
  if (microphone.silent) {
    const detail = 'Your microphone gives nothing but silence: is it muted in hardware?';
    return { tone: 'live', title: 'Live', detail };
  }
  return { tone: 'live', title: 'Live', detail: hostTrouble(facts) || 'The host hears you.' };
}

/** The microphone's state in words, at `nowMs` (`performance.now()`). */
export function describeMicrophone(
  facts: MicrophoneFacts,
  nowMs = performance.now(),
): MicrophoneText {
  switch (facts.microphone.phase) {
    case 'off':
      return offText(facts);
    case 'starting':
      return {
        tone: 'busy',
        title: 'Starting',
        detail: 'Allow the microphone when the browser asks.',
      };
    case 'resuming': {
      const detail =
        'The connection was lost. The microphone goes on when it is back within seconds.';
      return { tone: 'busy', title: 'Interrupted', detail };
    }
    case 'refused': {
      const { holder } = facts.microphone;
      const detail =
        holder === undefined
          ? 'Only one viewer at a time can speak to the host.'
          : `Viewer ${holder.session.slice(0, 8)} has held it for ${formatAge(nowMs - holder.sinceMs)}. Only one at a time can speak.`;
      return { tone: 'bad', title: 'In use', detail };
    }
    case 'on':
      return onText(facts);
  }
}
