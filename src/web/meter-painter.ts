import { advanceLevel, type ChannelLevel, floorDbfs, silentChannel } from './level-ballistics.ts';
import type { Peaks } from './stream-meter.ts';

/** Where the colour changes, in dBFS. */
const warmDbfs = -18;
const hotDbfs = -6;

/** Between two paintings where the viewer asked for less motion, and between two readings for screen readers. */
const calmIntervalMs = 500;
const readingIntervalMs = 1_000;

/** CSS pixels between the two bars. */
const barGap = 4;

const readingFormat = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Paints a stereo meter at each frame of the display, and says its reading once a second. */
export class MeterPainter {
  readonly #meter: HTMLMeterElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #peaks: () => Peaks | undefined;
  readonly #calm = window.matchMedia('(prefers-reduced-motion: reduce)');
  readonly #dark = window.matchMedia('(prefers-color-scheme: dark)');
  readonly #resized = new ResizeObserver(() => this.#resize());
  readonly #recolour = () => {
    this.#readColours();
    this.#paint();
  };
  #colours = { track: '', calm: '', warm: '', hot: '', mark: '' };
  #left: ChannelLevel = silentChannel;
  #right: ChannelLevel = silentChannel;
  #lastMs = 0;
  #paintedMs = Number.NEGATIVE_INFINITY;
  #paintedAtRest = false;
  #readMs = Number.NEGATIVE_INFINITY;
  #frame = 0;

  constructor(options: {
    readonly meter: HTMLMeterElement;
    readonly canvas: HTMLCanvasElement;
    readonly peaks: () => Peaks | undefined;
  }) {
    this.#meter = options.meter;
    this.#canvas = options.canvas;
    this.#peaks = options.peaks;
  }

  start(): void {
    this.#readColours();
    this.#dark.addEventListener('change', this.#recolour);
    this.#resized.observe(this.#canvas);
    this.#lastMs = performance.now();
    this.#frame = requestAnimationFrame((nowMs) => this.#tick(nowMs));
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#resized.disconnect();
    this.#dark.removeEventListener('change', this.#recolour);
  }

  #tick(nowMs: number): void {
    const peaks = this.#peaks();
    const elapsedMs = Math.max(0, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.#left = advanceLevel(this.#left, { amplitude: peaks?.left ?? 0, elapsedMs });
    this.#right = advanceLevel(this.#right, { amplitude: peaks?.right ?? 0, elapsedMs });
    const isAtRest = this.#left.peakDbfs <= floorDbfs && this.#right.peakDbfs <= floorDbfs;
    // A meter of nothing is painted once.
    const isDue = !this.#calm.matches || nowMs - this.#paintedMs >= calmIntervalMs;
    if (isDue && !(isAtRest && this.#paintedAtRest)) {
      this.#paintedMs = nowMs;
      this.#paintedAtRest = isAtRest;
      this.#paint();
    }
    if (nowMs - this.#readMs >= readingIntervalMs) {
      this.#readMs = nowMs;
      this.#say(peaks !== undefined);
    }
    this.#frame = requestAnimationFrame((nextMs) => this.#tick(nextMs));
  }

  #say(measured: boolean): void {
    const left = readingFormat.format(this.#left.peakDbfs);
    const right = readingFormat.format(this.#right.peakDbfs);
    const highest = Math.max(this.#left.peakDbfs, this.#right.peakDbfs);
    this.#meter.value = highest;
    this.#meter.setAttribute(
      'aria-valuetext',
      measured ? `left ${left} dB, right ${right} dB` : 'no reading',
    );
  }

  #resize(): void {
    this.#canvas.width = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(this.#canvas.clientHeight * devicePixelRatio);
    this.#paint();
  }

  #paint(): void {
    const context = this.#canvas.getContext('2d');
    if (context === null) return;
    const { width, height } = this.#canvas;
    const gap = Math.round(barGap * devicePixelRatio);
    const barHeight = Math.floor((height - gap) / 2);
    context.clearRect(0, 0, width, height);
    this.#paintChannel(context, { level: this.#left, top: 0, width, height: barHeight });
    this.#paintChannel(context, {
      level: this.#right,
      top: barHeight + gap,
      width,
      height: barHeight,
    });
  }

  #paintChannel(
    context: CanvasRenderingContext2D,
    {
      level,
      top,
      width,
      height,
    }: { level: ChannelLevel; top: number; width: number; height: number },
  ): void {
    const x = (dbfs: number): number => Math.round((1 - dbfs / floorDbfs) * width);
    const { track, calm, warm, hot, mark } = this.#colours;
    context.fillStyle = track;
    context.fillRect(0, top, width, height);
    const zones = [
      { from: floorDbfs, to: warmDbfs, colour: calm },
      { from: warmDbfs, to: hotDbfs, colour: warm },
      { from: hotDbfs, to: 0, colour: hot },
    ];
    for (const { from, to, colour } of zones) {
      if (level.barDbfs <= from) break;
      context.fillStyle = colour;
      context.fillRect(x(from), top, x(Math.min(to, level.barDbfs)) - x(from), height);
    }
    if (level.peakDbfs <= floorDbfs) return;
    const markWidth = Math.max(2, Math.round(2 * devicePixelRatio));
    context.fillStyle = level.peakDbfs > hotDbfs ? hot : mark;
    context.fillRect(Math.min(x(level.peakDbfs), width - markWidth), top, markWidth, height);
  }

  #readColours(): void {
    const style = getComputedStyle(this.#canvas);
    const colour = (name: string): string => style.getPropertyValue(`--meter-${name}`).trim();
    this.#colours = {
      track: colour('track'),
      calm: colour('calm'),
      warm: colour('warm'),
      hot: colour('hot'),
      mark: colour('mark'),
    };
  }
}
