import * as v from 'valibot';
import { WebSocket } from 'ws';
import { type DeviceMessage, deviceMessageSchema } from '../../src/media/signaling-messages.ts';
import type { EarshotProcess } from './earshot-process.ts';

interface SessionEnd {
  receive(text: string): void;
  close(reason: string): void;
}

export interface RemoteHub {
  openSession(viewer: {
    send(message: DeviceMessage): void;
    end(reason: string): void;
  }): SessionEnd;
}

/** A running Earshot's sessions, over its WebSocket, in the shape of the media hub's own: for a `WeriftViewer`. */
export function remoteHub(earshot: EarshotProcess): RemoteHub {
  return {
    openSession(viewer) {
      const socket = new WebSocket(`${earshot.url.replace(/^http/, 'ws')}/api/v1/session`);
      const unsent: string[] = [];
      socket.on('open', () => {
        for (const text of unsent.splice(0)) socket.send(text);
      });
      socket.on('message', (data: Buffer) => {
        viewer.send(v.parse(deviceMessageSchema, JSON.parse(data.toString())));
      });
      socket.on('close', (_, reason) => viewer.end(reason.toString()));
      // A close follows.
      socket.on('error', () => undefined);
      return {
        receive: (text) => {
          if (socket.readyState === WebSocket.CONNECTING) unsent.push(text);
          else if (socket.readyState === WebSocket.OPEN) socket.send(text);
        },
        close: () => socket.close(),
      };
    },
  };
}
