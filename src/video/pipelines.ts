import type { EffectiveVideoConfig, VideoEncoder } from './video-config.ts';

/**
 * The pipelines in gst-launch's words. Element names are those engine.h gives a meaning, and those the
 * setters below change while a pipeline runs.
 */

/** A property of a named element, to be set while its pipeline runs. */
export interface PropertyChange {
  readonly element: string;
  readonly property: string;
  readonly value: string;
}

export interface EncoderBoard {
  /** As Node names it: `arm`, `arm64`, `x64`. */
  readonly arch: string;
  readonly cores: number;
}

type EncoderSettings = Pick<EffectiveVideoConfig, 'encoder' | 'bitrateKbps' | 'framesPerSecond'>;
type PictureLimits = Pick<EffectiveVideoConfig, 'maxWidth' | 'maxHeight'>;

/** The GStreamer element of each encoder. */
export const encoderElements: Readonly<Record<VideoEncoder, string>> = {
  vp8: 'vp8enc',
  x264: 'x264enc',
  v4l2h264: 'v4l2h264enc',
  mpph264: 'mpph264enc',
};

/** In the order in which `auto` takes the first that is there; all boards have the last. */
export const automaticEncoders = ['mpph264', 'v4l2h264', 'vp8'] as const;

/** Keyframes come when they are asked for; by themselves never, or as rarely as an encoder allows. */
const never = 1_000_000;

/** The test picture; smaller where the limits are. */
const testPicture = { width: 1_280, height: 720 } as const;

/** Captures from the configured source, and encodes. */
export function livePipeline(config: EffectiveVideoConfig, board: EncoderBoard): string {
  return chain([
    ...source(config),
    // The newest picture waits, and no other: what an encoder cannot keep up with is dropped here.
    'queue name=source-queue max-size-buffers=1 max-size-bytes=0 max-size-time=0 leaky=downstream',
    'videoconvert',
    'videoscale add-borders=false',
    `capsfilter name=size caps=${quote(sizeCaps(config))}`,
    ...encoder(config, board),
    'appsink name=units sync=false max-buffers=8',
  ]);
}

/** Encodes pictures that are pushed as RGB, one after another and none dropped. */
export function picturePipeline(config: EffectiveVideoConfig, board: EncoderBoard): string {
  return chain([
    `appsrc name=pictures is-live=true format=time max-bytes=0 caps=${quote(`video/x-raw,format=RGB,framerate=${config.framesPerSecond}/1`)}`,
    'videoconvert',
    'videoscale add-borders=false',
    `capsfilter name=size caps=${quote(sizeCaps(config))}`,
    ...encoder(config, board),
    'appsink name=units sync=false max-buffers=8',
  ]);
}

/** What a running pipeline needs set so that it goes from one configuration to another. */
export function liveChanges(
  before: EffectiveVideoConfig,
  after: EffectiveVideoConfig,
): PropertyChange[] {
  const changes: PropertyChange[] = [];
  if (after.bitrateKbps !== before.bitrateKbps) changes.push(...bitrateChanges(after));
  if (after.maxWidth !== before.maxWidth || after.maxHeight !== before.maxHeight) {
    changes.push({ element: 'size', property: 'caps', value: sizeCaps(after) });
  }
  if (after.framesPerSecond !== before.framesPerSecond && hasSourceCaps(after)) {
    changes.push({ element: 'source-caps', property: 'caps', value: sourceCaps(after) });
  }
  return changes;
}

function chain(elements: readonly string[]): string {
  return elements.join(' ! ');
}

function quote(text: string): string {
  return `"${text}"`;
}

function source(config: EffectiveVideoConfig): string[] {
  const { device } = config;
  const caps = `capsfilter name=source-caps caps=${quote(sourceCaps(config))}`;
  if (device === 'test') {
    return [
      'videotestsrc name=source is-live=true pattern=ball',
      caps,
      // What it shows is the time of the picture, so that a person sees it move and a test reads it.
      'timeoverlay',
    ];
  }
  if (device.startsWith('x11:')) {
    const display = device.slice('x11:'.length);
    return [
      `ximagesrc name=source display-name=${quote(display)} use-damage=false show-pointer=true`,
      caps,
    ];
  }
  // Motion JPEG where the device has nothing else; decodebin passes raw pictures through.
  return [
    `v4l2src name=source device=${device}`,
    'capsfilter caps="video/x-raw; image/jpeg"',
    'decodebin',
  ];
}

/** Whether the source is told how fast to go; a capture device goes as its signal does. */
function hasSourceCaps({ device }: Pick<EffectiveVideoConfig, 'device'>): boolean {
  return !device.startsWith('/dev/');
}

function sourceCaps({
  device,
  framesPerSecond,
  maxWidth,
  maxHeight,
}: Omit<EffectiveVideoConfig, 'encoder'>): string {
  const rate = `framerate=${framesPerSecond}/1`;
  if (device !== 'test') return `video/x-raw,${rate}`;
  const { width, height } = within(testPicture, { maxWidth, maxHeight });
  return `video/x-raw,width=${width},height=${height},${rate}`;
}

/** The largest even size of that shape within the limits, and no larger than it is. */
export function within(
  { width, height }: { readonly width: number; readonly height: number },
  { maxWidth, maxHeight }: PictureLimits,
): { width: number; height: number } {
  const scale = Math.min(1, maxWidth / width, maxHeight / height);
  return { width: even(width * scale), height: even(height * scale) };
}

function even(side: number): number {
  return Math.max(2, 2 * Math.floor(side / 2));
}

/** 4:2:0 takes even sizes only; square pixels keep the picture's shape when it is scaled. */
function sizeCaps({ maxWidth, maxHeight }: PictureLimits): string {
  const side = (most: number) => `[2,${even(most)},2]`;
  return `video/x-raw,width=${side(maxWidth)},height=${side(maxHeight)},pixel-aspect-ratio=1/1`;
}

function encoder(settings: EncoderSettings, board: EncoderBoard): string[] {
  switch (settings.encoder) {
    case 'vp8':
      return [vp8(settings, board)];
    case 'x264':
      return [x264(settings, board), ...h264Parts];
    case 'v4l2h264':
      return [v4l2h264(settings), ...h264Parts];
    case 'mpph264':
      return [mpph264(settings), ...h264Parts];
  }
}

/** One access unit a buffer in Annex B, with SPS and PPS before each IDR (RFC 6184 needs them in band). */
const h264Parts = [
  'h264parse config-interval=-1',
  'capsfilter caps="video/x-h264,stream-format=byte-stream,alignment=au"',
] as const;

/** Baseline without what RFC 6184's constrained baseline lacks; every browser decodes it. */
const h264Profile = 'capsfilter caps="video/x-h264,profile=constrained-baseline"';

function vp8(settings: EncoderSettings, board: EncoderBoard): string {
  const threads = vp8Threads(board);
  return [
    'vp8enc name=encoder deadline=1 lag-in-frames=0 end-usage=cbr',
    `target-bitrate=${settings.bitrateKbps * 1_000}`,
    `cpu-used=${vp8Speed(board)} threads=${threads} token-partitions=${threads > 1 ? 2 : 1}`,
    `keyframe-max-dist=${never} error-resilient=default static-threshold=1`,
    'min-quantizer=4 max-quantizer=56 undershoot=100 overshoot=15',
    // In ms: half a second of a link is what a keyframe may fill.
    'buffer-size=1000 buffer-initial-size=500 buffer-optimal-size=600',
  ].join(' ');
}

/** libvpx: from −16 (fastest) to −1; the negative ones stand for a fixed speed in real time. */
export function vp8Speed({ arch, cores }: EncoderBoard): number {
  if (arch === 'arm') return -14;
  if (arch === 'arm64') return -12;
  return cores > 2 ? -6 : -8;
}

/**
 * libvpx's threads wait for each other by spinning: one that does not get a core at once costs all of them
 * its time slice (measured on two busy cores: 90 ms a picture with two threads, 1.4 ms with one).
 */
export function vp8Threads({ cores }: EncoderBoard): number {
  if (cores < 4) return 1;
  return cores < 8 ? 2 : 4;
}

function x264(settings: EncoderSettings, { cores }: EncoderBoard): string {
  return [
    'x264enc name=encoder tune=zerolatency speed-preset=superfast sliced-threads=true',
    `threads=${Math.max(1, Math.min(4, cores))} bitrate=${settings.bitrateKbps} vbv-buf-capacity=600`,
    `key-int-max=${never} bframes=0 rc-lookahead=0 cabac=false dct8x8=false byte-stream=true aud=false`,
    `! ${h264Profile}`,
  ].join(' ');
}

function v4l2h264(settings: EncoderSettings): string {
  return [
    `v4l2h264enc name=encoder extra-controls=${quote(v4l2Controls(settings))}`,
    '! capsfilter caps="video/x-h264,profile=constrained-baseline,level=(string)4"',
  ].join(' ');
}

/** V4L2_CID_MPEG_VIDEO_*, as `v4l2-ctl -L` prints their names. */
function v4l2Controls({ bitrateKbps }: EncoderSettings): string {
  return `controls,video_bitrate_mode=1,video_bitrate=${bitrateKbps * 1_000},repeat_sequence_header=1,h264_i_frame_period=${v4l2LongestGop}`;
}

/** The Raspberry Pi's encoder takes no longer one. */
const v4l2LongestGop = 65_535;

function mpph264(settings: EncoderSettings): string {
  return [
    `mpph264enc name=encoder rc-mode=cbr profile=baseline gop=${never} header-mode=each-idr`,
    ...bitrateChanges(settings).map(({ property, value }) => `${property}=${value}`),
  ].join(' ');
}

function bitrateChanges(settings: EncoderSettings): PropertyChange[] {
  const bps = settings.bitrateKbps * 1_000;
  const set = (property: string, value: string): PropertyChange => ({
    element: 'encoder',
    property,
    value,
  });
  switch (settings.encoder) {
    case 'vp8':
      return [set('target-bitrate', String(bps))];
    case 'x264':
      return [set('bitrate', String(settings.bitrateKbps))];
    case 'v4l2h264':
      return [set('extra-controls', v4l2Controls(settings))];
    case 'mpph264':
      return [
        set('bps', String(bps)),
        set('bps-min', String(Math.round(bps * 0.5))),
        set('bps-max', String(Math.round(bps * 1.1))),
      ];
  }
}
