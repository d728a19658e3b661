import { ChirpListener } from './chirp-listener.ts';
import { FlashWatcher } from './flash-watcher.ts';
import { type ReceivedFrame, recordFrames } from './frame-recorder.ts';
import { PictureWatcher } from './picture-watcher.ts';
import { RivalViewer } from './rival-viewer.ts';

/**
 * What tests and benchmarks ask a page, put in before the page's own scripts run. It watches the peer
 * connections the page makes and changes nothing about them, but for `?frames`-style recording, which
 * must be asked for with `earshotRecordFrames` beforehand.
 */

const peers: RTCPeerConnection[] = [];
const frames: ReceivedFrame[] = [];
const listener = new ChirpListener();
const rival = new RivalViewer();
const flashes = new FlashWatcher();
const pictures = new PictureWatcher();
const recording = Reflect.get(globalThis, 'earshotRecordFrames') === true;

class WatchedPeerConnection extends RTCPeerConnection {
  constructor(configuration?: RTCConfiguration) {
    super(recording ? { ...configuration, ...{ encodedInsertableStreams: true } } : configuration);
    peers.push(this);
    this.addEventListener('track', ({ track, receiver }) => {
      if (track.kind !== 'audio') return;
      if (recording) recordFrames(receiver, frames);
      listener.listenTo(track);
    });
  }
}

/** The audio of the newest connection that receives any, as webrtc-stats has it. */
async function inboundAudio(): Promise<unknown> {
  const report = await peers.at(-1)?.getStats();
  let found: unknown = null;
  report?.forEach((entry: { type: string; kind?: string }) => {
    if (entry.type === 'inbound-rtp' && entry.kind === 'audio') found = { ...entry };
  });
  return found;
}

/** The picture of the newest connection that receives any, as webrtc-stats has it. */
async function inboundVideo(): Promise<unknown> {
  const report = await peers.at(-1)?.getStats();
  let found: unknown = null;
  report?.forEach((entry: { type: string; kind?: string }) => {
    if (entry.type === 'inbound-rtp' && entry.kind === 'video') found = { ...entry };
  });
  return found;
}

/** Watches the page's video element; false while there is none. */
function watchFlashes(): boolean {
  const video = document.querySelector('video');
  if (video === null) return false;
  flashes.watch(video);
  return true;
}

/** Notes when the page's video element shows a picture, from the first call on; false while there is none. */
function watchPictures(): boolean {
  const video = document.querySelector('video');
  if (video === null) return false;
  pictures.watch(video);
  return true;
}

/** Where the newest connection's media comes from: address and port of the selected remote candidate. */
async function remoteAddress(): Promise<{ address: string; port: number } | null> {
  const report = await peers.at(-1)?.getStats();
  const entries: Record<string, unknown>[] = [];
  report?.forEach((entry: Record<string, unknown>) => {
    entries.push(entry);
  });
  const find = (id: unknown) => entries.find((entry) => id !== undefined && entry['id'] === id);
  const transport = entries.find(({ type }) => type === 'transport');
  const remote = find(find(transport?.['selectedCandidatePairId'])?.['remoteCandidateId']);
  if (remote === undefined) return null;
  return { address: String(remote['address']), port: Number(remote['port']) };
}

const probe = {
  inboundAudio,
  inboundVideo,
  watchFlashes,
  picturesSeen: () => flashes.pictures,
  takeFlashes: () => flashes.take(),
  watchPictures,
  takePictures: () => pictures.take(),
  remoteAddress,
  connectionStates: () => peers.map((peer) => peer.connectionState),
  frames: () => frames,
  chirps: () => listener.chirps(),
  rival,
};

Object.defineProperty(globalThis, 'RTCPeerConnection', { value: WatchedPeerConnection });
Object.defineProperty(globalThis, 'earshotProbe', { value: probe });
