import { reportBytes } from '../../src/control/hid/reports.ts';
import type { GadgetCable } from '../fixtures/gadget-cable.ts';
import { HidSocketServer, type Report } from './hid-socket-server.ts';

/** A host in a guest: reports go on to the USB gadget there, whose kernel is the host's too. */

/** An emulated machine is slow: it may be far behind, since what counts is that nothing is lost. */
const maxBehind = 512;

const states = ['detached', 'attached', 'suspended'] as const;

export class GuestHidHost extends HidSocketServer {
  readonly #cable: GadgetCable;
  readonly #follow: (name: string, values: readonly unknown[]) => void;

  private constructor(path: string, cable: GadgetCable) {
    // One after the other, as the gadget takes one of a kind at a time.
    let done: Promise<unknown> = Promise.resolve();
    const write = ({ kind, bytes }: Report) => {
      const report = Buffer.from(bytes).toString('hex');
      done = done.then(() => cable.call('write', kind, report));
      return done;
    };
    super({
      path,
      maxBehind,
      act: write,
      release: () => {
        for (const kind of ['keyboard', 'relative', 'consumer', 'system'] as const) {
          write({ kind, bytes: new Uint8Array(reportBytes[kind]) }).catch(() => undefined);
        }
      },
      wake: () => void cable.call('wake').catch(() => undefined),
    });
    this.#cable = cable;
    this.#follow = (name, values) => {
      const [first] = values;
      if (name === 'leds' && typeof first === 'number') this.setLeds(first);
      if (name === 'state') this.become(states.find((each) => each === first) ?? 'detached');
    };
  }

  /** Listens on `path` for the device. */
  static async start(path: string, cable: GadgetCable): Promise<GuestHidHost> {
    const host = new GuestHidHost(path, cable);
    cable.on('event', host.#follow);
    await host.listen();
    return host;
  }

  override async stop(): Promise<void> {
    this.#cable.off('event', this.#follow);
    await super.stop();
  }
}
