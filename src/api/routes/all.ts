import type { Route } from '../route.ts';
import { audioRoutes } from './audio.ts';
import { childRoutes } from './children.ts';
import { hidRoutes } from './hid.ts';
import { metricsRoutes } from './metrics.ts';
import { microphoneRoutes } from './microphone.ts';
import { openApiRoutes } from './openapi.ts';
import { powerRoutes } from './power.ts';
import { serialRoutes } from './serial.ts';
import { statusRoutes } from './status.ts';
import { videoRoutes } from './video.ts';
import { whepRoutes } from './whep.ts';

/** Every HTTP route beside the page's files and the WebSockets. */
export const routes: readonly Route[] = [
  ...audioRoutes,
  ...microphoneRoutes,
  ...videoRoutes,
  ...hidRoutes,
  ...serialRoutes,
  ...powerRoutes,
  ...childRoutes,
  ...statusRoutes,
  ...metricsRoutes,
  ...whepRoutes,
  ...openApiRoutes,
];
