import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { defaultSerialSocketLimits } from '../../../../src/api/serial-sockets.ts';
import {
  consoleMessageSchema,
  consoleProtocol,
  consoleRequestSchemas,
  consoleWindowBytes,
} from '../../../../src/control/serial/console-messages.ts';
import { maxConsoles, scrollbackBytes } from '../../../../src/control/serial/serial-console.ts';
import { errorCatalogue } from '../../../../src/errors/catalogue.ts';
import { serialStatus } from '../../../fixtures/control-status.ts';

const document = readFileSync(
  new URL('../../../../src/control/serial/CONSOLE-PROTOCOL.md', import.meta.url),
  'utf8',
);
const examples = [...document.matchAll(/^ {4}(> )?(\{.*\})$/gm)].map(([, mark, text = '']) => ({
  fromConsole: mark !== undefined,
  value: JSON.parse(text.replace('STATUS', JSON.stringify(serialStatus()))),
}));

describe('CONSOLE-PROTOCOL.md', () => {
  it('has examples that are what the schemas take', () => {
    const requests = v.variant('type', Object.values(consoleRequestSchemas));
    for (const { fromConsole, value } of examples) {
      const result = v.safeParse(fromConsole ? requests : consoleMessageSchema, value);
      assert.ok(result.success, JSON.stringify(value));
    }
  });

  it('shows every message there is', () => {
    const shown = (fromConsole: boolean): string[] => {
      const types = examples
        .filter((example) => example.fromConsole === fromConsole)
        .map(({ value }) => String(value.type));
      return [...new Set(types)].sort();
    };
    assert.deepEqual(shown(true), Object.keys(consoleRequestSchemas).sort());
    assert.deepEqual(
      shown(false),
      consoleMessageSchema.options.map(({ entries }) => entries.type.literal).sort(),
    );
  });

  it('names the numbers and the errors as they are', () => {
    assert.ok(document.includes(`\`${consoleProtocol}\``));
    const { maxMessageBytes, maxQueuedBytes, maxMessages, pingMs } = defaultSerialSocketLimits;
    for (const words of [
      `At\n  most ${maxMessageBytes / 1024} KiB a message`,
      `${scrollbackBytes / 1024} KiB, from the beginning`,
      `its ${maxConsoles} consoles`,
      `keeps ${consoleWindowBytes / 1024} KiB`,
      `every ${pingMs / 1_000} s`,
      `${maxMessages.toLocaleString('en')} messages`,
      `${maxQueuedBytes / 1024} KiB of text`,
    ]) {
      assert.ok(document.includes(words), words);
    }
    for (const [code] of document.matchAll(/SERIAL_[A-Z_]+/g)) {
      assert.ok(Object.hasOwn(errorCatalogue, code), code);
    }
  });
});
