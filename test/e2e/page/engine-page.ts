import { fastLaneProtocol } from '../../../src/media/fast-lane-packets.ts';
import {
  FastLane,
  type FastLaneNumbers,
  type FastLaneState,
  fastLaneObstacle,
} from '../../../src/web/fast-lane/fast-lane.ts';

/**
 * A page with nothing but the fast lane's engine, for tests: `window.engine`. Its parameters: `session`
 * of the WebSocket; `worklet` and `worker` to load others than the real ones; `relay`, as in a browser
 * that cannot hand a data channel to a worker; `start`, to begin by itself and resume at a click.
 */

const params = new URLSearchParams(location.search);

const fftSize = 4_096;

interface Ear {
  readonly context: AudioContext;
  readonly analyser: AnalyserNode;
}

/** One for each context the page made; it hears what goes to the sound card. */
const ears: Ear[] = [];

globalThis.AudioContext = class extends AudioContext {
  readonly #out: AudioNode;

  constructor(options?: AudioContextOptions) {
    super(options);
    const analyser = new AnalyserNode(this, { fftSize });
    analyser.connect(super.destination);
    this.#out = analyser;
    ears.push({ context: this, analyser });
  }

  override get destination(): AudioDestinationNode {
    // What the lane connects to; it asks nothing else of it.
    return this.#out as unknown as AudioDestinationNode;
  }
};

if (params.has('relay')) {
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (this: Worker, message: unknown, transfer: unknown) {
    if (Array.isArray(transfer) && transfer.some((item) => item instanceof RTCDataChannel)) {
      throw new DOMException('not here', 'DataCloneError');
    }
    Reflect.apply(postMessage, this, [message, transfer]);
  };
}

const states: FastLaneState[] = [];
const numbers: FastLaneNumbers[] = [];
/** Numbers kept for the test: a minute's. */
const maxNumbers = 240;

const lane = new FastLane({
  onState: (state) => {
    states.push(state);
    if (state.kind === 'failed') engine.failedMs ??= performance.timeOrigin + performance.now();
  },
  onNumbers: (latest) => {
    numbers.push(latest);
    if (numbers.length > maxNumbers) numbers.shift();
  },
  socketUrl: (session) => `ws://${location.host}/fast-lane?session=${session}`,
  urls: {
    worker: params.get('worker') ?? '/assets/fast-lane-worker.js',
    worklet: params.get('worklet') ?? '/assets/fast-lane-worklet.js',
  },
});
lane.setSession(params.get('session') ?? undefined);

/** What goes to the sound card now: highest amplitude, and the frequency of the strongest tone in Hz. */
function heard(): { readonly peak: number; readonly hz: number } {
  const ear = ears.at(-1);
  if (ear === undefined || ear.context.state !== 'running') return { peak: 0, hz: 0 };
  const samples = new Float32Array(fftSize);
  ear.analyser.getFloatTimeDomainData(samples);
  const bins = new Float32Array(fftSize / 2);
  ear.analyser.getFloatFrequencyData(bins);
  const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const strongest = bins.reduce((best, level, n) => (level > (bins[best] ?? 0) ? n : best), 0);
  return { peak, hz: (strongest * ear.context.sampleRate) / fftSize };
}

/** A peer connection whose other end is in this page too and passes the channel's messages to the server and back. */
async function pairChannel(): Promise<void> {
  const near = new RTCPeerConnection();
  const far = new RTCPeerConnection();
  near.onicecandidate = ({ candidate }) => void far.addIceCandidate(candidate ?? undefined);
  far.onicecandidate = ({ candidate }) => void near.addIceCandidate(candidate ?? undefined);
  far.ondatachannel = ({ channel }) => {
    const { label, protocol, ordered, maxRetransmits } = channel;
    Object.assign(engine, { channel: { label, protocol, ordered, maxRetransmits } });
    const socket = new WebSocket(`ws://${location.host}/fast-lane?far`, fastLaneProtocol);
    socket.binaryType = 'arraybuffer';
    channel.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => {
      if (channel.readyState === 'open') channel.send(data);
    };
    channel.onmessage = ({ data }) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(data);
    };
    channel.onclose = () => socket.close();
  };
  // Makes the offer one with a data section.
  near.createDataChannel('first');
  lane.attach(near);
  await near.setLocalDescription();
  await far.setRemoteDescription(near.localDescription ?? { type: 'offer' });
  await far.setLocalDescription();
  await near.setRemoteDescription(far.localDescription ?? { type: 'answer' });
  Object.assign(engine, { near, far });
}

interface Moments {
  /** Of the first fault that a script of the test's announced, and of the first failure, ms of the Unix epoch. */
  faultMs?: number;
  failedMs?: number;
}

const moments: Moments = {};
const engine = Object.assign(moments, {
  lane,
  states,
  numbers,
  heard,
  pairChannel,
  fastLaneObstacle,
  openContexts: () => ears.filter(({ context }) => context.state !== 'closed').length,
});

new BroadcastChannel('faults').onmessage = ({ data }: MessageEvent<number>) => {
  engine.faultMs ??= data;
};

Object.defineProperty(globalThis, 'engine', { value: engine });

if (params.has('start')) {
  lane.setAudible(true);
  void lane.start();
  document.onclick = () => void lane.resume();
}
