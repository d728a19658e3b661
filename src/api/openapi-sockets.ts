import { consoleProtocol } from '../control/serial/console-messages.ts';
import { fastLaneProtocol } from '../media/fast-lane-packets.ts';
import { hidProtocol } from '../media/hid-channels.ts';
import { fastLanePath, hidPath, serialConsolePath, sessionPath } from './socket-paths.ts';

/** One WebSocket, in words: OpenAPI has none. */
export interface WebSocketText {
  readonly path: string;
  readonly summary: string;
  /** The subprotocol to offer (RFC 6455 §1.9). */
  readonly subprotocol?: string;
  /** Parameters of the URL. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly messages: string;
}

const session = 'The `session_id` of the viewer’s session, which the WebSocket ends with.';

export const webSockets: readonly WebSocketText[] = [
  {
    path: sessionPath,
    summary: 'A viewer’s session: signaling of its WebRTC connection.',
    parameters: { sync: '`1`: sound and picture in step.' },
    messages:
      'JSON text. The device begins with `webrtc_config` (`session_id`, `ice_servers`); docs/api.md describes the rest.',
  },
  {
    path: fastLanePath,
    summary: 'The host’s sound with the least delay, where no data channel is.',
    subprotocol: fastLaneProtocol,
    parameters: { session },
    messages: 'Binary, as src/media/FAST-LANE.md describes them.',
  },
  {
    path: hidPath,
    summary: 'A viewer’s keyboard and pointer, where no data channel is.',
    subprotocol: hidProtocol,
    parameters: { session },
    messages: 'Binary, as src/control/hid/PROTOCOL.md describes them.',
  },
  {
    path: serialConsolePath,
    summary: 'The host’s serial console: the scrollback, then everything that comes.',
    subprotocol: consoleProtocol,
    messages:
      'Binary messages are the bytes of the line, both ways; text messages are JSON, as src/control/serial/CONSOLE-PROTOCOL.md describes them.',
  },
];
