import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ErrorCode } from '../errors/catalogue.ts';
import { EarshotError, messageOf } from '../errors/earshot-error.ts';

export interface NativeAddon {
  /** What it is for, in a word: `audio`. */
  readonly kind: string;
  /** Where it may be; the first that exists is taken. */
  readonly candidates: readonly string[];
  /** The Debian package of each library it links. */
  readonly packages: Readonly<Record<string, string>>;
  readonly missing: ErrorCode;
}

/** Loads a native addon; its caller knows its type. Throws `missing`, naming the library that is missing. */
export function loadNativeAddon<T>(addon: NativeAddon): T {
  const { kind, candidates, missing } = addon;
  const path = candidates.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new EarshotError(
      missing,
      `The native ${kind} module is not built: there is no ${candidates.join(' and no ')}. Run "make setup".`,
      { details: { paths: candidates } },
    );
  }
  try {
    return createRequire(import.meta.url)(path);
  } catch (cause) {
    throw new EarshotError(missing, explain(addon, path, messageOf(cause)), {
      cause,
      details: { path },
    });
  }
}

function explain({ kind, packages }: NativeAddon, path: string, reason: string): string {
  // The dynamic loader's words: "libopus.so.0: cannot open shared object file: …".
  const library = /(lib[\w.+-]+\.so[\w.]*): cannot open shared object file/.exec(reason)?.[1];
  if (library === undefined) {
    return `The native ${kind} module ${path} cannot be loaded: ${reason}.`;
  }
  const hint = packages[library];
  return `The native ${kind} module needs ${library}, which is not installed${hint === undefined ? '' : ` (Debian package ${hint})`}.`;
}
