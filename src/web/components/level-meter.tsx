import { useEffect, useRef } from 'preact/hooks';
import { floorDbfs } from '../level-ballistics.ts';
import { MeterPainter } from '../meter-painter.ts';
import type { Peaks } from '../stream-meter.ts';

const ticks = [-60, -48, -36, -24, -12, 0];

/** The level of a sound, left and right, with peak hold. `label` names it for those who do not see it. */
export function LevelMeter({
  peaks,
  label,
}: {
  readonly peaks: () => Peaks | undefined;
  readonly label: string;
}) {
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
        aria-label={label}
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
