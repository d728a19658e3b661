import { EventEmitter } from 'node:events';
import type { HidHost, HidHostEvents } from './hid-host.ts';

/** No host: a device that is configured without keyboard and mouse, or whose host cannot be had. */
export class NoHost extends EventEmitter<HidHostEvents> implements HidHost {
  readonly state = 'none';
  readonly reason: string;

  constructor(reason = 'keyboard and mouse are not configured (hid.host is "none")') {
    super();
    this.reason = reason;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async write(): Promise<boolean> {
    return false;
  }

  async wake(): Promise<boolean> {
    return false;
  }
}
