import type { Services } from '../api/services.ts';
import { mediaService } from '../media/media-service.ts';
import type { MetricSources } from '../metrics/metric-sources.ts';
import { createMetrics } from '../metrics/metrics.ts';
import { version } from '../version.ts';
import type { Modules } from './modules.ts';

/** What the API serves of the modules; `api` are its own numbers, for the metrics. */
export function apiServices(modules: Modules, api: MetricSources['api']): Services {
  const { config, ring, events, supervisor, audio, microphone, picture } = modules;
  const { hid, serial, power, media, together, trace } = modules;
  return {
    audio,
    microphone,
    children: {
      statuses: () => supervisor.statuses(),
      restart: async (name) => {
        const named = supervisor.child(name);
        await named.restart();
        return named.status();
      },
    },
    media: mediaService(media, config.media.iceServers),
    video: { status: () => picture?.video.status() ?? null },
    sync: { status: () => together.status() },
    hid,
    serial,
    power,
    trace,
    logs: ring,
    events,
    metrics: createMetrics({ sources: metricSources(modules, api) }),
  };
}

function metricSources(modules: Modules, api: MetricSources['api']): MetricSources {
  const { supervisor, audio, output, microphone, input, picture, media } = modules;
  const { hid, serial, power } = modules;
  const children = [output, input, ...(picture === undefined ? [] : [picture.child])];
  return {
    version,
    children: () => supervisor.statuses(),
    audioOutput: () => audio.stats(),
    audioOutputDelay: () => audio.delay(),
    muted: () => audio.mute().muted,
    audioInput: () => microphone.stats(),
    microphone: () => ({ status: microphone.status(), metrics: microphone.metrics() }),
    video: () => picture?.video.stats(),
    hid: () => hid && { status: hid.status(), latency: hid.latency() },
    serial: () => serial.status(),
    power: () => power.status(),
    media: () => media.stats(),
    sessions: () => media.sessions(),
    ipc: () =>
      children.flatMap((child) => {
        const stats = child.channelStats();
        return stats === undefined ? [] : [{ child: child.name, stats }];
      }),
    api,
  };
}
