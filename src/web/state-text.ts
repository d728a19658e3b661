import type { ChildStatusBody, Status } from '../api/schema.ts';
import type { Playback } from './audio-graph.ts';
import type { ConnectionState } from './connection-state.ts';

/** The state of the connection in words. */
export interface StateText {
  readonly tone: 'good' | 'busy' | 'bad';
  /** A few words; complete without the rest. */
  readonly title: string;
  /** A sentence: why, or what to do. Empty when there is nothing to add. */
  readonly detail: string;
  /** When the next try begins (`performance.now()` ms). */
  readonly retryAtMs?: number;
}

export interface StateFacts {
  readonly connection: ConnectionState;
  readonly playback: Playback;
  readonly audio: Status['audio'] | undefined;
  readonly audioOutput: ChildStatusBody | undefined;
  /** The host is heard without a peer connection. */
  readonly byWebSocket: boolean;
}

const connectingDetails = {
  signaling: 'Reaching the device.',
  negotiating: 'The device is preparing the sound.',
  media: 'Finding a network path for the sound.',
} as const;

function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' || /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** What is wrong on the device's side of the sound, while the connection itself works. */
function hostTrouble({ audio, audioOutput }: StateFacts): StateText | undefined {
  if (audioOutput?.state === 'failed') {
    const detail = `The capture process keeps ending: ${sentence(audioOutput.lastExit)} It is not started again by itself; run “earshot restart audio-output” on the device.`;
    return { tone: 'bad', title: 'Sound capture has failed', detail };
  }
  if (audioOutput?.state === 'backing-off') {
    const detail = `${sentence(audioOutput.lastExit)} It starts again by itself.`;
    return { tone: 'busy', title: 'Sound capture is restarting', detail };
  }
  if (audio?.deviceState === 'opening') {
    const why = audio.deviceError === '' ? 'It is being opened.' : sentence(audio.deviceError);
    const detail = `${why} The device keeps trying.`;
    return { tone: 'bad', title: 'No sound device on the host side', detail };
  }
  return undefined;
}

function playbackText(facts: StateFacts): StateText {
  const trouble = hostTrouble(facts);
  if (trouble !== undefined) return trouble;
  const { playback, audio } = facts;
  if (playback.kind === 'blocked') {
    return {
      tone: 'busy',
      title: 'Connected, waiting for you',
      detail: 'Press Play to hear the host.',
    };
  }
  if (playback.kind === 'failed') {
    return {
      tone: 'bad',
      title: 'Connected, but nothing plays',
      detail: sentence(playback.reason),
    };
  }
  if (audio?.muted === true) {
    const detail = 'The host is muted at the device, for every viewer.';
    return { tone: 'busy', title: 'Connected, muted at the device', detail };
  }
  return { tone: 'good', title: 'Connected', detail: '' };
}

/** How it stands with the peer connection, while the host is heard without one. */
function webSocketText(facts: StateFacts): StateText {
  const { connection } = facts;
  const why = connection.kind === 'failed' ? `${sentence(connection.reason)} ` : '';
  const detail = `${why}The sound comes through the connection of the page itself.`;
  const retry = connection.kind === 'failed' ? { retryAtMs: connection.retryAtMs } : {};
  return hostTrouble(facts) ?? { tone: 'busy', title: 'Connected by a detour', detail, ...retry };
}

/** The state in words, most urgent first: no connection, then no sound, then how it is played. */
export function describeState(facts: StateFacts): StateText {
  const { connection } = facts;
  const isUp = connection.kind === 'connected' || connection.kind === 'reconnecting';
  if (facts.byWebSocket && !isUp) return webSocketText(facts);
  switch (connection.kind) {
    case 'stopped':
      return { tone: 'busy', title: 'Stopped', detail: '' };
    case 'connecting':
      return { tone: 'busy', title: 'Connecting', detail: connectingDetails[connection.step] };
    case 'interrupted': {
      const detail = 'No packets arrive at the moment; waiting for the network to come back.';
      return { tone: 'bad', title: 'Connection interrupted', detail };
    }
    case 'reconnecting': {
      const { reason, retryAtMs } = connection;
      return { tone: 'bad', title: 'Reconnecting', detail: sentence(reason), retryAtMs };
    }
    case 'failed': {
      const { reason, retryAtMs } = connection;
      return { tone: 'bad', title: 'Connection failed', detail: sentence(reason), retryAtMs };
    }
    case 'connected':
      return playbackText(facts);
  }
}
