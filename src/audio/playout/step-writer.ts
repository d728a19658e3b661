import type { JitterItem, PlayoutStep, Stretch } from './playout-step.ts';

type Reason = 'loss' | 'dtx' | 'underrun';

/** Writes each step over the last of its kind, so that none is allocated. A step holds on to its packet until then. */
export class StepWriter<P> {
  readonly #conceal: { kind: 'conceal'; samples: number; because: Reason } = {
    kind: 'conceal',
    samples: 0,
    because: 'loss',
  };
  #decode: { kind: 'decode'; item: JitterItem<P>; stretch: Stretch; stretchMs: number } | undefined;
  #recover: { kind: 'recover'; next: JitterItem<P>; samples: number } | undefined;

  conceal(because: Reason, samples: number): PlayoutStep<P> {
    this.#conceal.because = because;
    this.#conceal.samples = samples;
    return this.#conceal;
  }

  recover(next: JitterItem<P>, samples: number): PlayoutStep<P> {
    this.#recover ??= { kind: 'recover', next, samples };
    this.#recover.next = next;
    this.#recover.samples = samples;
    return this.#recover;
  }

  decode(item: JitterItem<P>, stretch: Stretch, stretchMs: number): PlayoutStep<P> {
    this.#decode ??= { kind: 'decode', item, stretch, stretchMs };
    this.#decode.item = item;
    this.#decode.stretch = stretch;
    this.#decode.stretchMs = stretchMs;
    return this.#decode;
  }
}
