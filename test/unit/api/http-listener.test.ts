import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { describe, it } from 'node:test';
import { listenTcp } from '../../../src/api/http-listener.ts';
import { isEarshotError } from '../../../src/errors/earshot-error.ts';

/** A server for which the operating system has only this error. */
function refusing(code: string): Server {
  const server = createServer();
  server.listen = () => {
    process.nextTick(() =>
      server.emit('error', Object.assign(new Error(`listen ${code}`), { code })),
    );
    return server;
  };
  return server;
}

describe('listenTcp', () => {
  const cases = [
    [
      'EADDRINUSE',
      'API_PORT_IN_USE',
      /Another program listens on 10\.0\.0\.1 port 80; .* https\.port/,
    ],
    [
      'EACCES',
      'API_LISTEN_FAILED',
      /may not listen on 10\.0\.0\.1 port 80; .*1024 or above for https\.port/,
    ],
    [
      'EADDRNOTAVAIL',
      'API_LISTEN_FAILED',
      /No interface .*10\.0\.0\.1 port 80; correct http\.listen/,
    ],
    ['EMFILE', 'API_LISTEN_FAILED', /Cannot listen on 10\.0\.0\.1 port 80: listen EMFILE/],
  ] as const;
  for (const [code, expected, message] of cases) {
    it(`says what to do about ${code}`, async () => {
      await assert.rejects(
        listenTcp(refusing(code), { host: '10.0.0.1', port: 80, portKey: 'https.port' }),
        (error: unknown) => {
          assert.ok(isEarshotError(error, expected));
          assert.match(error.message, message);
          assert.deepEqual(error.details, { address: '10.0.0.1', port: 80 });
          return true;
        },
      );
    });
  }
});
