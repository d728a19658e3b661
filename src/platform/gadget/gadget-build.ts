import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { EarshotError } from '../../errors/earshot-error.ts';
import type { Log } from '../../log/log.ts';
import type { Configfs } from './configfs.ts';
import { checkEndpoints, type EndpointSupply, fits } from './endpoint-budget.ts';
import type { GadgetConfig } from './gadget-config.ts';
import { type GadgetPlan, noOutEndpoint, planGadget } from './gadget-plan.ts';
import { GadgetTree, type MadeGadget } from './gadget-tree.ts';
import type { HidInterface } from './hid-interfaces.ts';
import { openHolders } from './open-holders.ts';
import type { PlatformPaths } from './platform-paths.ts';
import { machineSerialNumber } from './serial-number.ts';
import { endpointSupply, findController } from './udc.ts';

export interface GadgetBuildOptions {
  readonly config: GadgetConfig;
  readonly configfs: Configfs;
  readonly paths: PlatformPaths;
  readonly log: Log;
}

/** An HID interface with the device that its reports are written to. */
export interface BoundInterface {
  readonly interface: HidInterface;
  /** /dev/hidgN */
  readonly path: string;
}

export interface BoundGadget {
  readonly controller: string;
  readonly interfaces: readonly BoundInterface[];
  /** Functions that the kernel lacks. */
  readonly missing: readonly EarshotError[];
  /** It was there, bound and the same, from a run before this one: the host noticed nothing. */
  readonly kept: boolean;
}

/** Begins to follow a controller; `kept`: the gadget is on it already. */
export type FollowController = (controller: string, kept: boolean) => void;

/** Name of the gadget's directory in configfs; nobody else's has it. */
const gadgetName = 'earshot';

/** How long a serial port's users have to let go of it, in ms. */
const letGoMs = 2_000;
const lookEveryMs = 50;

/** Builds the configured gadget, binds it, and takes it down. Calls must not overlap. */
export class GadgetBuild {
  readonly #options: GadgetBuildOptions;
  readonly #tree: GadgetTree;

  constructor(options: GadgetBuildOptions) {
    this.#options = options;
    this.#tree = new GadgetTree(options.configfs, gadgetName);
  }

  /**
   * Whatever was there before, afterwards the configured gadget is bound. `follow` is called right before
   * it is, so that no change of the controller is missed. Throws an error of the GADGET family, with nothing
   * half made left behind.
   */
  async up(follow: FollowController): Promise<BoundGadget> {
    const { config, paths } = this.#options;
    await this.#tree.checkKernel();
    const controller = await findController(paths.sys, config.controller);
    const supply = await this.#supply(controller);
    const plan = await this.#plan(supply);
    if (supply !== undefined) checkEndpoints(plan, supply, controller);
    if (await this.#tree.matches(plan)) return this.#bindAgain(plan, controller, follow);
    await this.down();
    try {
      const made = await this.#tree.make(plan);
      if (supply !== undefined) checkEndpoints(withOutEndpoints(made), supply, controller);
      await this.#bind(controller, follow);
      return await this.#bound(made.plan, controller, made, false);
    } catch (error) {
      await this.#tree.remove().catch((fault: unknown) => {
        this.#options.log.warn({ err: fault }, 'a half-made USB gadget could not be removed');
      });
      throw error;
    }
  }

  /** Takes it from the host, and leaves it in configfs. Idempotent. */
  async unbind(): Promise<void> {
    await this.#tree.unbind();
  }

  /**
   * Takes it down whole. Idempotent. Throws GADGET_FAILED, having unbound it, while somebody has its serial
   * port open: the kernel would wait for them in a call that nothing can end.
   */
  async down(): Promise<void> {
    if (!(await this.#tree.exists())) return;
    await this.#tree.unbind();
    await this.#portsLetGo();
    await this.#tree.remove();
  }

  async #supply(controller: string): Promise<EndpointSupply | undefined> {
    const { config, paths } = this.#options;
    if (config.endpoints !== 'auto') return { ...config.endpoints, isochronous: true };
    return endpointSupply(paths.sys, controller);
  }

  async #plan(supply: EndpointSupply | undefined): Promise<GadgetPlan> {
    const { config, paths } = this.#options;
    const given = config.identity.serialNumber;
    const serialNumber = given === '' ? await machineSerialNumber(paths.machineId) : given;
    const parts = { config, serialNumber };
    const apart = planGadget({ ...parts, combined: config.combineHid === 'always' });
    if (config.combineHid !== 'auto' || supply === undefined || fits(apart, supply)) return apart;
    return planGadget({ ...parts, combined: true });
  }

  async #bindAgain(
    plan: GadgetPlan,
    controller: string,
    follow: FollowController,
  ): Promise<BoundGadget> {
    const kept = (await this.#tree.controller()) === controller && (await this.#drives(controller));
    if (kept) follow(controller, true);
    else {
      await this.#tree.unbind();
      await this.#bind(controller, follow);
    }
    return this.#bound(plan, controller, undefined, kept);
  }

  /** Whether the controller has our gadget: configfs remembers one that went away and came back without it. */
  async #drives(controller: string): Promise<boolean> {
    const path = join(this.#options.paths.sys, 'class/udc', controller, 'function');
    return (await readFile(path, 'utf8').catch(() => '')).trim() === gadgetName;
  }

  async #bind(controller: string, follow: FollowController): Promise<void> {
    follow(controller, false);
    try {
      await this.#tree.bind(controller);
    } catch (error) {
      const path = join(this.#options.paths.sys, 'class/udc', controller, 'function');
      const holder = (await readFile(path, 'utf8').catch(() => '')).trim();
      if (holder === '' || holder === gadgetName) throw error;
      throw new EarshotError(
        'GADGET_FAILED',
        `The controller ${controller} is in use by another USB gadget, ${holder}.`,
        { cause: error, details: { controller, holder } },
      );
    }
  }

  async #bound(
    plan: GadgetPlan,
    controller: string,
    made: MadeGadget | undefined,
    kept: boolean,
  ): Promise<BoundGadget> {
    const interfaces: BoundInterface[] = [];
    for (const { name, hid } of plan.functions) {
      if (hid === undefined) continue;
      interfaces.push({ interface: hid, path: await this.#deviceNode(name) });
    }
    return { controller, interfaces, missing: made?.missing.map(({ error }) => error) ?? [], kept };
  }

  /** The device with the numbers that the function has: its name's own number means nothing. */
  async #deviceNode(name: string): Promise<string> {
    const { paths } = this.#options;
    const numbers = await this.#tree.functionAttribute(name, 'dev');
    const uevent = await readFile(join(paths.sys, 'dev/char', numbers, 'uevent'), 'utf8').catch(
      () => '',
    );
    const node = /^DEVNAME=(.+)$/m.exec(uevent)?.[1];
    if (node !== undefined) return join(paths.dev, node);
    throw new EarshotError(
      'GADGET_FAILED',
      `The USB function ${name} has no device node: there is no character device ${numbers}.`,
      { details: { function: name, numbers } },
    );
  }

  async #portsLetGo(): Promise<void> {
    const functions = await this.#options.configfs.list(this.#tree.path('functions'));
    for (const { name } of functions.filter((entry) => entry.name.startsWith('acm.'))) {
      const number = await this.#tree.functionAttribute(name, 'port_num');
      if (number !== '') await this.#portLetGo(join(this.#options.paths.dev, `ttyGS${number}`));
    }
  }

  async #portLetGo(path: string): Promise<void> {
    const end = performance.now() + letGoMs;
    for (;;) {
      const holders = await openHolders(this.#options.paths.proc, path);
      if (holders.length === 0) return;
      if (performance.now() >= end) {
        throw new EarshotError(
          'GADGET_FAILED',
          `The USB gadget cannot be taken down while its serial port ${basename(path)} is open in ${holders.join(', ')}; it is unbound, and stays in configfs.`,
          { details: { port: path, holders } },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }
}

/** The plan as an older kernel binds it: with an OUT endpoint of every HID function. */
function withOutEndpoints({ plan, lacking }: MadeGadget): GadgetPlan {
  const functions = plan.functions.map((one) =>
    lacking.has(`functions/${one.name}/${noOutEndpoint.path}`)
      ? { ...one, endpoints: { ...one.endpoints, out: one.endpoints.out + 1 } }
      : one,
  );
  return { ...plan, functions };
}
