import * as v from 'valibot';
import { hidStatusSchema } from '../../api/hid-schema.ts';
import type { HidStatus } from '../../control/hid/hid-status.ts';
import { type PowerStatus, powerStatusSchema } from '../../control/power/power-status.ts';
import { type SerialStatus, serialStatusSchema } from '../../control/serial/serial-status.ts';

/** What the device's events tell of the host's control. */
export interface ControlNews {
  readonly hid?: HidStatus;
  readonly serial?: SerialStatus;
  readonly power?: PowerStatus;
}

/** Calls `onNews` with each event of the host's control that `source` brings, for as long as it lives. */
export function listenToControl(source: EventSource, onNews: (news: ControlNews) => void): void {
  const listen = <T>(
    name: string,
    schema: v.GenericSchema<unknown, T>,
    newsOf: (data: T) => ControlNews,
  ): void => {
    source.addEventListener(name, ({ data }: MessageEvent<unknown>) => {
      // What a newer device says otherwise is left aside: the page asks again when its events are lost.
      const result = v.safeParse(schema, parse(data));
      if (result.success) onNews(newsOf(result.output));
    });
  };
  listen('hid-state-changed', hidStatusSchema, (hid) => ({ hid }));
  listen('serial-state-changed', serialStatusSchema, (serial) => ({ serial }));
  listen('power-state-changed', powerStatusSchema, (power) => ({ power }));
}

function parse(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}
