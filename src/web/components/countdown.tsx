import { useEffect, useState } from 'preact/hooks';

/** Whole seconds until a time (`performance.now()` ms), counting down. Stands outside live regions: nobody wants it read out each second. */
export function Countdown({ untilMs }: { readonly untilMs: number }) {
  const [nowMs, setNowMs] = useState(performance.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNowMs(performance.now()), 250);
    return () => window.clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((untilMs - nowMs) / 1_000));
  return <span class="countdown">in {seconds} s</span>;
}
