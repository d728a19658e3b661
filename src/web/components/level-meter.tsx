import { useEffect, useRef } from 'preact/hooks';
import type { Peaks } from '../audio-graph.ts';
import { floorDbfs } from '../level-ballistics.ts';
import { MeterPainter } from '../meter-painter.ts';

const ticks = [-60, -48, -36, -24, -12, 0];

/** The received sound's level, left and right, with peak hold; before volume and mute. */
export function LevelMeter({ peaks }: { readonly peaks: () => Peaks | undefined }) {
  const meter = useRef<HTMLMeterElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (meter.current === null || canvas.current === null) return;
    const painter = new MeterPainter({ meter: meter.current, canvas: canvas.current, peaks });
    painter.start();
    return () => painter.stop();
  }, [peaks]);
  return (
    <div class="meter">
      <meter
        class="unseen"
        ref={meter}
        aria-label="Level of the host’s sound in decibels"
        min={floorDbfs}
        max={0}
        value={floorDbfs}
        aria-valuetext="no reading"
      />
      <span class="meter-channels" aria-hidden="true">
        <span>L</span>
        <span>R</span>
      </span>
      <canvas class="meter-canvas" ref={canvas} />
      <span class="meter-scale" aria-hidden="true">
        {ticks.map((tick) => (
          <span key={tick}>{tick === 0 ? '0 dB' : `−${-tick}`}</span>
        ))}
      </span>
    </div>
  );
}
