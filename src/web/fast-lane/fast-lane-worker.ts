import { steadyNowMs } from './clock-tie.ts';
import type { WorkerCommand, WorkerEvent } from './lane-messages.ts';
import { LaneReceiver } from './lane-receiver.ts';

/** The worker of the fast lane (assets/fast-lane-worker.js). */

const receiver = new LaneReceiver({
  post: (event: WorkerEvent) => self.postMessage(event),
  now: steadyNowMs,
});

self.onmessage = ({ data }: MessageEvent<WorkerCommand>) => receiver.handle(data);
