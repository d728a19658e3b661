import { basename } from 'node:path';
import { EarshotError, messageOf } from '../../errors/earshot-error.ts';
import { type Configfs, errorName } from './configfs.ts';
import {
  type GadgetPlan,
  language,
  type PlannedAttribute,
  type PlannedFunction,
} from './gadget-plan.ts';

/**
 * A gadget in configfs: made, compared, and taken down. The order of each step is the kernel's: attributes
 * of a function before it is linked, links gone before their function, the UDC last to come and first to go.
 */
export class GadgetTree {
  readonly #fs: Configfs;
  readonly #root: string;

  /** `name` is of the gadget's directory. */
  constructor(fs: Configfs, name: string) {
    this.#fs = fs;
    this.#root = `usb_gadget/${name}`;
  }

  /** Path of something of the gadget, relative to configfs. */
  path(...parts: readonly string[]): string {
    return [this.#root, ...parts].join('/');
  }

  /** Throws GADGET_NO_CONFIGFS where the kernel has no gadgets to offer. */
  async checkKernel(): Promise<void> {
    const entries = await this.#fs.list('.');
    if (entries.some(({ name }) => name === 'usb_gadget')) return;
    throw new EarshotError(
      'GADGET_NO_CONFIGFS',
      'The kernel offers no USB gadgets: there is no usb_gadget in configfs, which has to be mounted at /sys/kernel/config, with the module libcomposite loaded.',
    );
  }

  async exists(): Promise<boolean> {
    return (await this.#fs.list(this.#root)).length > 0;
  }

  /** Whether what is there is exactly the plan, made by a run before this one. */
  async matches(plan: GadgetPlan): Promise<boolean> {
    const names = plan.functions.map(({ name }) => name);
    const [functions, links] = [await this.#names('functions'), await this.#links()];
    if (functions.join() !== [...names].sort().join() || links.join() !== functions.join()) {
      return false;
    }
    for (const [directory, attributes] of directories(plan)) {
      for (const attribute of attributes) {
        if (!(await this.#has(directory, attribute))) return false;
      }
    }
    return true;
  }

  /**
   * Makes the gadget, not bound yet. Functions that the kernel lacks are left out and returned, each with
   * its GADGET_FUNCTION_MISSING. Throws GADGET_FAILED when anything else fails; `remove` then cleans up.
   */
  async make(plan: GadgetPlan): Promise<MadeGadget> {
    await this.#directory('');
    await this.#directory(`strings/${language}`);
    await this.#directory('configs/c.1');
    await this.#directory(`configs/c.1/strings/${language}`);
    const missing: MissingFunction[] = [];
    const made: PlannedFunction[] = [];
    for (const one of plan.functions) {
      const error = await this.#makeFunction(one);
      if (error === undefined) made.push(one);
      else missing.push({ function: one, error });
    }
    const present = { ...plan, functions: made };
    const lacking = new Set<string>();
    for (const [directory, attributes] of directories(present)) {
      for (const attribute of attributes) {
        if (!(await this.#write(directory, attribute)))
          lacking.add(`${directory}/${attribute.path}`);
      }
    }
    for (const { name } of made) {
      await this.#act(`linking ${name}`, () =>
        this.#fs.link(this.path('functions', name), this.path('configs/c.1', name)),
      );
    }
    return { plan: present, missing, lacking };
  }

  /** Name of the controller it is bound to, or was when that went away; empty: none. */
  async controller(): Promise<string> {
    return text(await this.#fs.read(this.path('UDC')));
  }

  /** Binds it: from here on a host can see it. Throws GADGET_FAILED. */
  async bind(controller: string): Promise<void> {
    await this.#act(`binding it to the controller ${controller}`, () =>
      this.#fs.write(this.path('UDC'), `${controller}\n`),
    );
  }

  /** Takes it from its controller, and so from the host. Idempotent. */
  async unbind(): Promise<void> {
    if ((await this.controller()) === '') return;
    await this.#act('taking it from its controller', () =>
      this.#fs.write(this.path('UDC'), '\n').catch((error: unknown) => {
        // The controller is gone already, and has let go of it.
        if (errorName(error) !== 'ENODEV') throw error;
      }),
    );
  }

  /** Takes everything down, whatever of it is there and whoever made it. Idempotent. Throws GADGET_FAILED. */
  async remove(): Promise<void> {
    if (!(await this.exists())) return;
    await this.unbind();
    for (const name of await this.#names('configs')) {
      await this.#removeConfiguration(`configs/${name}`);
    }
    for (const name of await this.#names('functions'))
      await this.#removeDirectory(`functions/${name}`);
    await this.#removeStrings('strings');
    await this.#removeDirectory('');
  }

  /** An attribute of a function as text. */
  async functionAttribute(name: string, attribute: string): Promise<string> {
    return text(await this.#fs.read(this.path('functions', name, attribute)));
  }

  async #makeFunction({ type, name }: PlannedFunction): Promise<EarshotError | undefined> {
    try {
      await this.#fs.makeDirectory(this.path('functions', name));
      return undefined;
    } catch (error) {
      if (errorName(error) === 'EEXIST') return undefined;
      const reason = errorName(error) === 'ENOENT' ? 'the kernel lacks it' : messageOf(error);
      return new EarshotError(
        'GADGET_FUNCTION_MISSING',
        `The USB function ${type} cannot be made: ${reason} (module usb_f_${type}).`,
        { cause: error, details: { function: type } },
      );
    }
  }

  async #directory(path: string): Promise<void> {
    await this.#act(`making ${path === '' ? 'it' : path}`, () =>
      this.#fs.makeDirectory(this.path(...parts(path))).catch((error: unknown) => {
        if (errorName(error) !== 'EEXIST') throw error;
      }),
    );
  }

  async #write(directory: string, { path, value, optional }: PlannedAttribute): Promise<boolean> {
    return this.#act(`setting ${path} of ${directory || 'it'}`, async () => {
      try {
        await this.#fs.write(this.path(...parts(directory), path), value);
        return true;
      } catch (error) {
        if (optional === true && absent.has(errorName(error))) return false;
        throw error;
      }
    });
  }

  async #has(directory: string, { path, value, optional }: PlannedAttribute): Promise<boolean> {
    const found = await this.#fs.read(this.path(...parts(directory), path));
    if (found === undefined) return optional === true;
    if (typeof value !== 'string') return value.equals(found);
    return (
      text(found) === value || (!directory.includes('strings/') && sameNumber(text(found), value))
    );
  }

  async #removeConfiguration(path: string): Promise<void> {
    for (const { name, kind } of await this.#fs.list(this.path(path))) {
      if (kind !== 'link') continue;
      await this.#act(`unlinking ${name}`, () => this.#fs.unlink(this.path(path, name)));
    }
    await this.#removeStrings(`${path}/strings`);
    await this.#removeDirectory(path);
  }

  async #removeStrings(path: string): Promise<void> {
    for (const name of await this.#names(path)) await this.#removeDirectory(`${path}/${name}`);
  }

  async #removeDirectory(path: string): Promise<void> {
    await this.#act(`removing ${path || 'it'}`, () =>
      this.#fs.removeDirectory(this.path(...parts(path))),
    );
  }

  async #names(path: string): Promise<readonly string[]> {
    const entries = await this.#fs.list(this.path(path));
    return entries
      .filter(({ kind }) => kind === 'directory')
      .map(({ name }) => name)
      .sort();
  }

  /** Names of the functions that are linked, from the configuration we make. */
  async #links(): Promise<readonly string[]> {
    const names: string[] = [];
    for (const { name, kind } of await this.#fs.list(this.path('configs/c.1'))) {
      if (kind !== 'link') continue;
      names.push(basename((await this.#fs.linkTarget(this.path('configs/c.1', name))) ?? ''));
    }
    return names.sort();
  }

  async #act<T>(what: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw new EarshotError(
        'GADGET_FAILED',
        `The USB gadget failed at ${what}: ${words(error)}.`,
        {
          cause: error,
          details: { step: what, error: errorName(error) },
        },
      );
    }
  }
}

export interface MissingFunction {
  readonly function: PlannedFunction;
  readonly error: EarshotError;
}

export interface MadeGadget {
  /** With the functions that were made. */
  readonly plan: GadgetPlan;
  readonly missing: readonly MissingFunction[];
  /** Optional attributes that the kernel lacks: `functions/NAME/ATTRIBUTE`. */
  readonly lacking: ReadonlySet<string>;
}

/** What writing an attribute that a kernel lacks ends with. */
const absent = new Set(['ENOENT', 'EACCES', 'EPERM']);

function directories(
  plan: GadgetPlan,
): readonly (readonly [string, readonly PlannedAttribute[]])[] {
  return [
    ['', plan.attributes],
    [`strings/${language}`, plan.strings],
    ...plan.functions.map(({ name, attributes }) => [`functions/${name}`, attributes] as const),
    ['configs/c.1', plan.configuration],
    [`configs/c.1/strings/${language}`, plan.configurationStrings],
  ];
}

function parts(path: string): readonly string[] {
  return path === '' ? [] : [path];
}

function text(found: Buffer | undefined): string {
  return (found ?? Buffer.alloc(0)).toString('utf8').replace(/\n$/, '');
}

/** Numbers are read back in another form than they were written. */
function sameNumber(found: string, wanted: string): boolean {
  return /^(0x[\da-f]+|\d+)$/i.test(found) && Number(found) === Number(wanted);
}

function words(error: unknown): string {
  switch (errorName(error)) {
    case 'EBUSY':
      return 'it is in use (EBUSY)';
    case 'ENODEV':
      return 'the controller is gone, or cannot serve these functions (ENODEV)';
    default:
      return messageOf(error);
  }
}
