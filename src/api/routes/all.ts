import type { Route } from '../route.ts';
import { audioRoutes } from './audio.ts';
import { childRoutes } from './children.ts';
import { metricsRoutes } from './metrics.ts';
import { microphoneRoutes } from './microphone.ts';
import { statusRoutes } from './status.ts';
import { videoRoutes } from './video.ts';
import { whepRoutes } from './whep.ts';

/** Every HTTP route beside the page's files and the WebSockets. */
export const routes: readonly Route[] = [
  ...audioRoutes,
  ...microphoneRoutes,
  ...videoRoutes,
  ...childRoutes,
  ...statusRoutes,
  ...metricsRoutes,
  ...whepRoutes,
];

/** The WebSocket of a viewer's session, and that of its fast lane. */
export const sessionPath = '/api/v1/session';
export const fastLanePath = '/api/v1/fast-lane';
