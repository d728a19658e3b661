import { SyncCheck, type SyncCheckState } from '../../../src/web/calibration/sync-check.ts';
import { playedAtMs } from '../../../src/web/output-time.ts';
import type { SyncReport } from '../../../src/web/session.ts';

/**
 * Puts flashes and chirps, a known time apart as displayed and played, in front of the page's own
 * measurement, in one page and without a network in between.
 */

const rateHz = 48_000;
const amplitude = 22_000 / 32_768;
/** No multiple of the display's own pictures, so that markers come at all times between two of them. */
const markerMs = 507;
const flashMs = 80;
/** Slow enough that each picture drawn is displayed. */
const pictureMs = 40;

/** What a picture needs from its drawing to its display is learnt of so many. */
const learntPictures = 30;

export interface SyncRun {
  /** As measured, in ms. */
  readonly offsetsMs: readonly number[];
  /** As they were: displayed flash less played chirp, of each marker by its id. */
  readonly truthMs: Readonly<Record<number, number>>;
  readonly reports: readonly SyncReport[];
  readonly note: string;
}

/** Chromium's writer of a track's pictures (w3c mediacapture-transform); not in TypeScript's DOM types. */
declare class MediaStreamTrackGenerator extends MediaStreamTrack {
  constructor(init: { kind: 'video' });
  readonly writable: WritableStream<VideoFrame>;
}

const canvas = document.createElement('canvas');
canvas.width = 320;
canvas.height = 180;
const drawing = canvas.getContext('2d', { willReadFrequently: true });
const track = new MediaStreamTrackGenerator({ kind: 'video' });
const pictures = track.writable.getWriter();
const video = document.createElement('video');
video.muted = true;
document.body.append(video);

let frame = 0;
let litUntilMs = 0;
let nextDrawing: number | undefined;
/** Told once the picture of this number is displayed. */
const awaited = new Map<number, (displayedMs: number) => void>();
/** When each picture was drawn, by its number modulo 256, which is in its last pixels. */
const drawnMs = new Array<number>(256).fill(0);
const delaysMs: number[] = [];

function draw(): void {
  if (drawing === null) return;
  frame += 1;
  // The next one replaces this one only when it was on display.
  window.clearTimeout(nextDrawing);
  nextDrawing = window.setTimeout(draw, pictureMs);
  drawing.fillStyle = '#204040';
  drawing.fillRect(0, 0, 320, 180);
  if (performance.now() < litUntilMs) {
    drawing.fillStyle = '#ff00ff';
    drawing.fillRect(0, 0, 64, 36);
  }
  const code = frame % 256;
  drawing.fillStyle = `rgb(${code},${code},${code})`;
  drawing.fillRect(256, 144, 64, 36);
  drawnMs[code] = performance.now();
  void pictures.write(new VideoFrame(canvas, { timestamp: performance.now() * 1_000 }));
}

/** Median time from drawing to display, of the pictures seen so far. */
function pictureDelayMs(): number {
  return delaysMs.toSorted((a, b) => a - b)[delaysMs.length >> 1] ?? 0;
}

const looking = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
let onPicture: (displayedMs: number) => void = () => undefined;

function nextPicture(): void {
  video.requestVideoFrameCallback((_now, { expectedDisplayTime }) => {
    nextPicture();
    onPicture(expectedDisplayTime);
    if (looking === null) return;
    looking.drawImage(video, 288, 162, 1, 1, 0, 0, 1, 1);
    const [code = 0] = looking.getImageData(0, 0, 1, 1).data;
    awaited.get(code)?.(expectedDisplayTime);
    awaited.delete(code);
    const delayMs = expectedDisplayTime - (drawnMs[code] ?? 0);
    if (delayMs > -50 && delayMs < 500) delaysMs.push(delayMs);
  });
}

async function learn(): Promise<void> {
  if (delaysMs.length >= learntPictures) return;
  draw();
  video.srcObject = new MediaStream([track]);
  await video.play();
  nextPicture();
  await until(() => delaysMs.length >= learntPictures);
}

function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setInterval(() => {
      if (!condition()) return;
      window.clearInterval(timer);
      resolve();
    }, 20);
  });
}

/** Runs the measurement once, with displayed flashes `flashLateMs` after played chirps. */
async function measure(flashLateMs: number): Promise<SyncRun> {
  await learn();
  const context = new AudioContext({ sampleRate: rateHz, latencyHint: 0 });
  await context.resume();
  const sound = new GainNode(context);
  sound.connect(context.destination);
  const truthMs: Record<number, number> = {};
  const reports: SyncReport[] = [];
  let markers = 0;
  let timer: number | undefined;
  let state: SyncCheckState | undefined;

  const mark = () => {
    markers += 1;
    const marker = markers;
    const startS = context.currentTime + 0.25;
    const chirpMs = playedAtMs(context, startS * rateHz) ?? Number.NaN;
    chirp(sound, startS);
    check.marker(marker);
    window.setTimeout(
      () => {
        litUntilMs = performance.now() + flashMs;
        draw();
        awaited.set(frame % 256, (displayedMs) => {
          truthMs[marker] = displayedMs - chirpMs;
        });
      },
      chirpMs + flashLateMs - pictureDelayMs() - performance.now(),
    );
  };
  const check = new SyncCheck({
    sounding: () => ({ lane: 'fast', sound: { kind: 'node', node: sound } }),
    report: (report) => {
      reports.push(report);
      if (report.type !== 'av_calibration_config') return;
      window.clearInterval(timer);
      if (report.enabled) timer = window.setInterval(mark, markerMs);
    },
    onChange: (next) => {
      state = next;
    },
  });
  onPicture = (displayedMs) => check.shown(video, displayedMs);
  check.start();
  await until(() => !check.state.running);
  await context.close();
  return {
    offsetsMs: (state?.offsets ?? []).map(({ offsetMs }) => offsetMs),
    truthMs,
    reports,
    note: state?.note ?? '',
  };
}

function chirp(to: AudioNode, startS: number): void {
  const { context } = to;
  const tone = new OscillatorNode(context, { frequency: 1_800 });
  const fade = new GainNode(context, { gain: 0 });
  fade.gain.setValueAtTime(0, startS);
  fade.gain.linearRampToValueAtTime(amplitude, startS + 0.005);
  fade.gain.setValueAtTime(amplitude, startS + 0.055);
  fade.gain.linearRampToValueAtTime(0, startS + 0.06);
  tone.connect(fade).connect(to);
  tone.start(startS);
  tone.stop(startS + 0.06);
}

Object.assign(window, { measureSync: measure });
