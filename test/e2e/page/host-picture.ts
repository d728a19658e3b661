/** How often markers come, and how long a flash lasts: two pictures of 25 a second. */
const markerMs = 700;
const flashMs = 80;

/** Between a marker's decision and its chirp: the graph must have it in time. */
const leadMs = 100;

const amplitude = 22_000 / 32_768;

export interface HostPictureOptions {
  readonly context: AudioContext;
  /** Where chirps go. */
  readonly destination: AudioNode;
}

/** A picture that moves, with the calibration's flashes, and its chirps beside it. */
export class HostPicture {
  readonly track: MediaStreamTrack;
  /** Flashes are drawn so much after their chirps are played; negative: before. */
  flashLateMs = 0;
  readonly #options: HostPictureOptions;
  readonly #canvas = document.createElement('canvas');
  readonly #drawing: CanvasRenderingContext2D;
  #onMarker: ((marker: number) => void) | undefined;
  #marker = 0;
  #timer: number | undefined;
  #litUntilMs = 0;
  #frames = 0;

  constructor(options: HostPictureOptions) {
    this.#options = options;
    this.#canvas.width = 640;
    this.#canvas.height = 360;
    const drawing = this.#canvas.getContext('2d');
    if (drawing === null) throw new Error('no canvas');
    this.#drawing = drawing;
    this.#draw();
    const [track] = this.#canvas.captureStream(25).getVideoTracks();
    if (track === undefined) throw new Error('no track');
    this.track = track;
    window.setInterval(() => this.#draw(), 40);
  }

  /** Calls `onMarker` for each marker that is put in, from now on; undefined ends it. */
  calibrate(onMarker: ((marker: number) => void) | undefined): void {
    this.#onMarker = onMarker;
    window.clearInterval(this.#timer);
    if (onMarker !== undefined) {
      this.#timer = window.setInterval(() => this.#mark(), markerMs);
    }
  }

  #mark(): void {
    this.#chirp();
    window.setTimeout(() => {
      this.#litUntilMs = performance.now() + flashMs;
      this.#draw();
    }, leadMs + this.flashLateMs);
    this.#marker += 1;
    this.#onMarker?.(this.#marker);
  }

  #chirp(): void {
    const { context, destination } = this.#options;
    const startS = context.currentTime + leadMs / 1_000;
    const tone = new OscillatorNode(context, { frequency: 1_800 });
    const fade = new GainNode(context, { gain: 0 });
    fade.gain.setValueAtTime(0, startS);
    fade.gain.linearRampToValueAtTime(amplitude, startS + 0.005);
    fade.gain.setValueAtTime(amplitude, startS + 0.055);
    fade.gain.linearRampToValueAtTime(0, startS + 0.06);
    tone.connect(fade).connect(destination);
    tone.start(startS);
    tone.stop(startS + 0.06);
  }

  #draw(): void {
    const { width, height } = this.#canvas;
    const drawing = this.#drawing;
    this.#frames += 1;
    drawing.fillStyle = '#24433f';
    drawing.fillRect(0, 0, width, height);
    drawing.fillStyle = '#e5ebe8';
    drawing.font = '48px monospace';
    drawing.fillText(`picture ${this.#frames}`, 160, 200);
    drawing.fillRect((this.#frames * 7) % width, 260, 40, 40);
    if (performance.now() < this.#litUntilMs) {
      drawing.fillStyle = '#ff00ff';
      drawing.fillRect(0, 0, width / 5, height / 5);
    }
  }
}
