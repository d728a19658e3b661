import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

/** Which file may not import which: docs/architecture.md, as lint knows it. */
const forbidden = [
  ['supervisor/a.ts', '../src/media/media-hub.ts'],
  ['supervisor/b.ts', '../src/api/server.ts'],
  ['supervisor/c.ts', '../src/audio/presets.ts'],
  ['src/ipc/a.ts', '../media/media-hub.ts'],
  ['src/ipc/b.ts', '../audio/presets.ts'],
  ['src/audio/a.ts', '../api/server.ts'],
  ['src/audio/output/a.ts', '../../media/media-hub.ts'],
  ['src/audio/output/b.ts', '../../../supervisor/supervisor.ts'],
  ['src/audio/playout/a.ts', '../opus-packet.ts'],
  ['src/audio/playout/b.ts', '../../errors/earshot-error.ts'],
  ['src/audio/playout/c.ts', 'node:fs'],
  ['src/audio/b.ts', '../video/pipelines.ts'],
  ['src/child/a.ts', '../audio/presets.ts'],
  ['src/child/b.ts', '../video/pipelines.ts'],
  ['src/child/c.ts', '../../supervisor/supervisor.ts'],
  ['src/video/a.ts', '../media/media-types.ts'],
  ['src/video/b.ts', '../audio/presets.ts'],
  ['src/video/c.ts', '../config/schema.ts'],
  ['src/video/native/a.ts', '../../api/server.ts'],
  ['src/media/a.ts', '../api/server.ts'],
  ['src/media/b.ts', '../../supervisor/supervisor.ts'],
  ['src/control/hid/a.ts', '../../media/media-hub.ts'],
  ['src/control/power/a.ts', '../../api/schema.ts'],
  ['src/control/serial/a.ts', '../../config/schema.ts'],
  ['src/platform/gadget/a.ts', '../../control/hid/hid-control.ts'],
  ['src/platform/gpio/a.ts', '../../control/power/power-control.ts'],
  ['src/web/a.ts', '../media/peer.ts'],
  ['src/web/b.ts', '../api/server.ts'],
  ['src/cli/a.ts', '../../supervisor/supervisor.ts'],
  ['src/api/a.ts', '../main.ts'],
  ['src/media/c.ts', '../main.ts'],
  ['src/api/b.ts', '../composition/ties.ts'],
  ['src/media/e.ts', '../composition/modules.ts'],
  ['src/composition/a.ts', '../main.ts'],
] as const;

const allowed = [
  ['supervisor/d.ts', '../src/ipc/channel.ts'],
  ['supervisor/e.ts', '../src/log/log.ts'],
  ['supervisor/f.ts', './lifecycle.ts'],
  ['src/ipc/c.ts', '../errors/earshot-error.ts'],
  ['src/audio/output/c.ts', '../../ipc/channel.ts'],
  ['src/audio/playout/d.ts', './percentile-window.ts'],
  ['src/audio/input/a.ts', '../playout/jitter-buffer.ts'],
  ['src/audio/output/d.ts', '../../child/child-protocol.ts'],
  ['src/child/d.ts', '../ipc/channel.ts'],
  ['src/video/d.ts', '../ipc/messages.ts'],
  ['src/video/e.ts', '../child/child-protocol.ts'],
  ['src/video/native/b.ts', '../../child/native-addon.ts'],
  ['src/media/d.ts', '../ipc/messages.ts'],
  ['src/control/power/b.ts', '../../platform/gpio/gpio-lines.ts'],
  ['src/control/hid/b.ts', '../../errors/earshot-error.ts'],
  ['src/platform/gadget/b.ts', '../../control/hid/hid-host.ts'],
  ['src/web/c.ts', '../api/schema.ts'],
  ['src/cli/b.ts', '../api/schema.ts'],
  ['src/composition/b.ts', '../media/media-hub.ts'],
  ['src/composition/c.ts', './modules.ts'],
  ['src/main.ts', './composition/ties.ts'],
] as const;

const tree = mkdtempSync(join(tmpdir(), 'earshot-arrows-'));
let refused = '';

// One run of the linter, with the project's own rules, over a tree of files that each import one thing.
before(() => {
  const rules = JSON.parse(readFileSync('biome.json', 'utf8'));
  delete rules.$schema;
  delete rules.vcs;
  writeFileSync(join(tree, 'biome.json'), JSON.stringify(rules));
  for (const [file, target] of [...forbidden, ...allowed]) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), `import { a } from '${target}';\n\na();\n`);
  }
  const { stdout } = spawnSync(
    resolve('node_modules/.bin/biome'),
    [
      'lint',
      '--only=style/noRestrictedImports',
      '--max-diagnostics=none',
      '--reporter=github',
      '.',
    ],
    { cwd: tree, encoding: 'utf8', timeout: 30_000 },
  );
  refused = stdout;
});

after(() => rmSync(tree, { recursive: true }));

for (const [file, target] of forbidden) {
  test(`lint refuses that ${file} imports ${target}`, () => {
    assert.ok(refused.includes(`${join(tree, file)},`), refused);
  });
}

for (const [file, target] of allowed) {
  test(`lint lets ${file} import ${target}`, () => {
    assert.ok(!refused.includes(`${join(tree, file)},`), refused);
  });
}
