import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * The native binding of `serialport` in what is bundled: the library looks for it in its own package,
 * which a bundle has not, so it is put beside the other addons and loaded from there.
 */

/** Beside the bundles, where the other native addons are. */
export const serialportBindingFile = 'native/serialport.node';

/** What the library wrote for the machine that builds; ARM_VERSION and npm_config_arch name another. */
export function serialportBinding(): string {
  const own = createRequire(import.meta.url);
  const library = createRequire(own.resolve('serialport'));
  const bindings = createRequire(library.resolve('@serialport/bindings-cpp'));
  const { path }: { path(directory: string): string } = bindings('node-gyp-build');
  return path(dirname(dirname(library.resolve('@serialport/bindings-cpp'))));
}

/** Lets the bundle load {@link serialportBindingFile} in place of looking through packages. */
export const serialportPlugin: Plugin = {
  name: 'serialport-binding',
  setup(context) {
    const file = `./${serialportBindingFile}`;
    context.onLoad({ filter: /bindings-cpp\/dist\/serialport-bindings\.js$/ }, () => ({
      contents: `exports.binding = require(${JSON.stringify(file)});`,
      loader: 'js',
    }));
    context.onResolve({ filter: /\/serialport\.node$/ }, () => ({ path: file, external: true }));
  },
};
