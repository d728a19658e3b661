import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { configSizeLimit, loadConfig, parseConfig } from '../../../src/config/load-config.ts';
import { isEarshotError } from '../../../src/errors/earshot-error.ts';

describe('parseConfig', () => {
  it('fills in every default for an empty file, and for one of comments only', () => {
    for (const text of ['', '# nothing\n', '{}', '---\n']) {
      const config = parseConfig(text, 'f');
      assert.equal(config.http.listen, '127.0.0.1');
      assert.equal(config.http.port, 8080);
      assert.equal(config.audio.output.device, 'hw:CARD=UAC1Gadget');
      assert.equal(config.media.maxViewers, 8);
      assert.equal(config.log.level, 'info');
    }
  });

  it('keeps what is given and the defaults beside it', () => {
    const { audio } = parseConfig('audio: {output: {periodMs: 10}}', 'f');
    assert.deepEqual(audio.output, {
      device: 'hw:CARD=UAC1Gadget',
      periodMs: 10,
      bufferMs: 60,
      maxComplexity: 10,
    });
  });

  const invalid: [name: string, text: string, ...parts: string[]][] = [
    ['an unknown key', 'http: {prt: 1}', 'http.prt', 'did you mean port'],
    ['an unknown key at the top', 'htpp: {}', 'htpp', 'did you mean http'],
    ['a wrong type', 'http: {port: "80"}', 'http.port', '"80"', 'a whole number from 0 to 65535'],
    ['an empty section', 'http:', 'http: null', 'a map of listen, port'],
    ['a list for a section', 'http: []', 'http: []', 'a map of listen, port'],
    ['a list at the top', '- 1', 'a map of http, https, audio'],
    ['a value out of range', 'http: {port: 65536}', '65536', 'from 0 to 65535'],
    ['a name where an address belongs', 'http: {listen: kvm}', 'http.listen: kvm', 'an IP address'],
    ['a card by its index', 'audio: {output: {device: "hw:1,0"}}', 'hw:1,0', 'hw:CARD='],
    [
      'a plug of a card by its index',
      'audio: {output: {device: plughw:1}}',
      'plughw:1',
      'hw:CARD=',
    ],
    [
      'a certificate without its key',
      'https: {certificate: /c.pem}',
      'https.key: ""',
      'come together',
    ],
    ['a key without its certificate', 'https: {key: /k.pem}', 'https.certificate: ""'],
    ['a relative file', 'https: {key: k.pem}', 'https.key: k.pem', 'an absolute path, or empty'],
    ['one port for both', 'https: {port: 8080}', 'https.port: 8080', 'another port than http.port'],
    ['an unknown level', 'log: {level: verbose}', 'verbose', 'trace, debug, info, warn, error'],
    ['a relative directory', 'dataDir: var', 'dataDir: var', 'an absolute path'],
    ['a buffer under two periods', 'audio: {output: {periodMs: 31}}', 'bufferMs: 60', '62'],
    ['keys for a gadget that is off', 'hid: {host: usb}', 'hid.host', 'usb.enabled is false'],
    ['a board without a port', 'power: {kind: uart}', 'power.uart.port', 'power.kind is uart'],
    ['lines without a chip', 'power: {kind: gpio}', 'power.gpio.chip', 'power.kind is gpio'],
    [
      'one port for board and console',
      'serial: {port: /dev/ttyS1}\npower: {kind: uart, uart: {port: /dev/ttyS1}}',
      'power.uart.port: /dev/ttyS1',
      'another port than serial.port',
    ],
    [
      'two machines of one name',
      "power: {wakeOnLan: [{name: nas, mac: '00:1b:44:11:3a:b7'}, {name: nas, mac: '00:1b:44:11:3a:b8'}]}",
      'power.wakeOnLan: nas',
      'a name of its own',
    ],
    ['bitrates the wrong way round', 'video: {minKbps: 900, maxKbps: 800}', 'maxKbps: 800', '900'],
    ['a picture from a pipeline', 'video: {device: "test ! x"}', 'video.device', '/dev/videoN'],
    ['ports the wrong way round', 'media: {udpPortMin: 9, udpPortMax: 8}', 'udpPortMin: 9', '8'],
    ['half a port range', 'media: {udpPortMax: 8}', 'udpPortMin: 0', '1 to 8'],
    [
      'a server of another scheme',
      'media: {iceServers: [{urls: ["http://x"]}]}',
      'iceServers[0].urls[0]',
    ],
    ['a number that is none', 'audio: {output: {periodMs: .nan}}', 'periodMs'],
    ['too much memory', 'supervisor: {memoryLimitMb: 5000}', '5000', 'from 48 to 4096'],
    ['a host name with a port', 'http: {allowedHosts: ["kvm:80"]}', 'allowedHosts[0]', 'host name'],
  ];
  for (const [name, text, ...parts] of invalid) {
    it(`refuses ${name}, naming file, key, value and what is allowed`, () => {
      assert.throws(
        () => parseConfig(text, '/etc/f.yaml'),
        (error: unknown) => {
          assert.ok(isEarshotError(error, 'CONFIG_INVALID'));
          for (const part of ['/etc/f.yaml', ...parts]) {
            assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
          }
          return true;
        },
      );
    });
  }

  it('does not repeat a credential', () => {
    const text = 'media: {iceServers: [{urls: ["turn:t"], credential: 55555}]}';
    assert.throws(
      () => parseConfig(text, 'f'),
      (error: unknown) =>
        isEarshotError(error, 'CONFIG_INVALID') &&
        !JSON.stringify([error.message, error.details]).includes('55555'),
    );
  });

  const unreadable: [name: string, text: string][] = [
    ['broken YAML', 'a: ['],
    ['a key given twice', 'dataDir: /a\ndataDir: /b'],
    ['two documents', '--- {}\n--- {}'],
    ['an alias to nothing', '*x'],
    ['tabs for indentation', 'http:\n\tport: 1'],
    [
      'aliases that multiply',
      `a: &a [1,1]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c,*c,*c]`,
    ],
  ];
  for (const [name, text] of unreadable) {
    it(`refuses ${name}, naming the file`, () => {
      assert.throws(
        () => parseConfig(text, 'f.yaml'),
        (error: unknown) =>
          isEarshotError(error, 'CONFIG_UNREADABLE') && error.message.startsWith('f.yaml'),
      );
    });
  }
});

describe('parseConfig of anything', () => {
  /** Parses it, or refuses it with one of its two codes. */
  const parsesOrRefuses = (text: string): void => {
    try {
      parseConfig(text, 'f');
    } catch (error) {
      assert.ok(
        isEarshotError(error, 'CONFIG_INVALID') || isEarshotError(error, 'CONFIG_UNREADABLE'),
      );
    }
  };

  it('fails in no other way on any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), parsesOrRefuses));
  });

  it('fails in no other way on any value under any key', () => {
    const key = fc.constantFrom('http', 'audio', 'media', 'log', 'dataDir', 'control', 'other');
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), (value) =>
        parsesOrRefuses(JSON.stringify(value)),
      ),
    );
  });
});

describe('loadConfig', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'earshot-config-'));
  });
  after(() => rm(directory, { recursive: true }));

  it('reads the file that is named', async () => {
    const path = join(directory, 'own.yaml');
    await writeFile(path, 'http: {port: 1234}\n');
    const { config, source } = await loadConfig({ path });
    assert.equal(config.http.port, 1234);
    assert.equal(source, path);
  });

  it('takes the default file where it exists, and defaults where not', async () => {
    const defaultPath = join(directory, 'default.yaml');
    assert.equal((await loadConfig({ defaultPath })).source, undefined);
    await writeFile(defaultPath, 'http: {port: 99}\n');
    const { config, source } = await loadConfig({ defaultPath });
    assert.equal(config.http.port, 99);
    assert.equal(source, defaultPath);
  });

  it('refuses a named file that is missing', async () => {
    const path = join(directory, 'none.yaml');
    await assert.rejects(
      loadConfig({ path }),
      (error: unknown) =>
        isEarshotError(error, 'CONFIG_UNREADABLE') && error.message.includes(path),
    );
  });

  it('refuses a directory', async () => {
    await assert.rejects(loadConfig({ path: directory }), { code: 'CONFIG_UNREADABLE' });
  });

  it('refuses a file that is too large, before it is parsed', async () => {
    const path = join(directory, 'large.yaml');
    await writeFile(path, '#'.repeat(configSizeLimit + 1));
    await assert.rejects(
      loadConfig({ path }),
      (error: unknown) =>
        isEarshotError(error, 'CONFIG_UNREADABLE') &&
        error.message.includes(String(configSizeLimit)),
    );
  });
});
