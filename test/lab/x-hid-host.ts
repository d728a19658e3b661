import { HidSocketServer } from './hid-socket-server.ts';
import { hostReport } from './host-report.ts';
import { XClient } from './x-client.ts';
import { XInputState } from './x-input-state.ts';

/** A host in software: it does on an X display what the reports say. Its keyboard's layout is the display's. */

export interface XHidHostOptions {
  /** Path of the socket that it listens on. */
  readonly path: string;
  /** The X display, such as `:7`. */
  readonly display: string;
}

export class XHidHost extends HidSocketServer {
  readonly #x: XClient;

  private constructor(path: string, x: XClient) {
    const input = new XInputState(x);
    super({
      path,
      act: async ({ kind, bytes }) => {
        input.apply(hostReport(kind, bytes));
        await x.processed();
      },
      release: () => input.release(),
    });
    this.#x = x;
    x.on('lights', () => void this.#lights());
    x.on('gone', () => this.become('detached'));
  }

  /** Connects to the display and listens. Throws when there is no such display, or the path cannot be had. */
  static async start({ path, display }: XHidHostOptions): Promise<XHidHost> {
    const x = await XClient.open(display);
    const host = new XHidHost(path, x);
    try {
      await host.#lights();
      await host.listen();
      return host;
    } catch (error) {
      await x.close();
      throw error;
    }
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.#x.processed().catch(() => undefined);
    await this.#x.close();
  }

  /** X has Caps, Num, Scroll from bit 0 on; a keyboard's report has Num first (HID 1.11 appendix B.1). */
  async #lights(): Promise<void> {
    const lights = await this.#x.lights().catch(() => 0);
    this.setLeds(((lights >> 1) & 0b001) | ((lights << 1) & 0b010) | (lights & 0b100));
  }
}
