import type { VideoSignal } from './video-stats.ts';

/** Why a source delivers no pictures. */
export interface SourceFault {
  readonly signal: Extract<VideoSignal, 'no-signal' | 'unsupported' | 'lost'>;
  /** In words, for a person. */
  readonly reason: string;
}

/** How GStreamer says that a source and what follows it have no format in common. */
const formatTrouble =
  /not-negotiated|could not negotiate|no (known|supported) format|not supported|wrong[ -]format|cannot (operate|capture) at|missing a plug-?in|no decoder/i;

/** The system's own reason, where GStreamer passes it on: so named, or as a last line with the error's number. */
const systemError = /system error: (.+)|\n([^\n]+ \(\d+\))\s*$/i;

const longestReason = 200;

/** What an error of a live pipeline means for its source. */
export function sourceFault(error: {
  readonly device: string;
  readonly text: string;
  readonly detail: string;
}): SourceFault {
  const { device, text, detail } = error;
  if (/X display/i.test(text)) {
    return {
      signal: 'lost',
      reason: `${device.slice('x11:'.length)} is no X display that can be opened`,
    };
  }
  const [, named, numbered] = systemError.exec(detail) ?? [];
  const system = named ?? numbered;
  const reason = shorten(system === undefined ? text : `${text} ${system}`);
  const unsupported = formatTrouble.test(text) || formatTrouble.test(detail);
  return { signal: unsupported ? 'unsupported' : 'lost', reason };
}

/** What is written on the slate while there is no picture. */
export function slateTitle({
  signal,
  reason,
}: {
  readonly signal: VideoSignal;
  readonly reason: string;
}): string {
  switch (signal) {
    case 'lost':
      return 'Capture device lost';
    case 'unsupported':
      return `Unsupported signal: ${reason}`;
    case 'opening':
    case 'ok':
    case 'no-signal':
      return 'No signal';
  }
}

function shorten(text: string): string {
  return text.length > longestReason ? `${text.slice(0, longestReason - 1)}…` : text;
}
