import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { EarshotError } from '../../../src/errors/earshot-error.ts';
import { PendingRequests } from '../../../src/ipc/pending-requests.ts';

describe('PendingRequests', () => {
  let requests: PendingRequests;
  let ids: number[];

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    requests = new PendingRequests();
    ids = [];
  });
  afterEach(() => mock.timers.reset());

  const send = (id: number) => {
    ids.push(id);
  };
  const open = (type: 'configure' | 'ping', deadlineMs = 1_000, signal?: AbortSignal) =>
    requests.open(type, signal === undefined ? { deadlineMs } : { deadlineMs, signal }, send);

  it('resolves each request with the reply of its id', async () => {
    const first = open('ping');
    const second = open('configure');
    const [a = 0, b = 0] = ids;
    assert.notEqual(a, b);
    assert.ok(requests.answer({ type: 'configured', body: { id: b, effective: { x: 1 } } }));
    assert.ok(requests.answer({ type: 'pong', body: { id: a } }));
    assert.deepEqual(await first, { type: 'pong', body: { id: a } });
    assert.deepEqual(await second, { type: 'configured', body: { id: b, effective: { x: 1 } } });
    assert.equal(requests.size, 0);
  });

  it('takes no reply of another kind, of an unknown id, or a second time', async () => {
    const ping = open('ping');
    const [id = 0] = ids;
    assert.equal(requests.answer({ type: 'ready', body: { id, effective: {} } }), false);
    assert.equal(requests.answer({ type: 'pong', body: { id: id + 1 } }), false);
    assert.equal(requests.answer({ type: 'stop', body: {} }), false);
    assert.equal(requests.answer({ type: 'pong', body: { id } }), true);
    assert.equal(requests.answer({ type: 'pong', body: { id } }), false);
    await ping;
  });

  it('rejects with the error the peer answers', async () => {
    const request = open('configure');
    const [id = 0] = ids;
    const body = { id, code: 'CONFIG_INVALID', message: 'device must not be empty' };
    assert.ok(requests.answer({ type: 'error', body }));
    await assert.rejects(request, { code: 'CONFIG_INVALID', message: 'device must not be empty' });
  });

  it('keeps a code it does not know in the details', async () => {
    const request = open('configure');
    const [id = 0] = ids;
    requests.answer({ type: 'error', body: { id, code: 'toString', message: 'odd' } });
    await assert.rejects(request, (error) => {
      assert.ok(error instanceof EarshotError);
      assert.equal(error.code, 'INTERNAL');
      assert.deepEqual(error.details, { peerCode: 'toString' });
      return true;
    });
  });

  it('leaves an error without an id, or of no request, to others', () => {
    assert.equal(
      requests.answer({ type: 'error', body: { code: 'INTERNAL', message: '' } }),
      false,
    );
    const body = { id: 5, code: 'INTERNAL', message: '' };
    assert.equal(requests.answer({ type: 'error', body }), false);
  });

  it('rejects with IPC_TIMEOUT at the deadline, and counts it', async () => {
    const request = open('ping', 1_000);
    mock.timers.tick(999);
    assert.equal(requests.size, 1);
    mock.timers.tick(1);
    await assert.rejects(request, {
      code: 'IPC_TIMEOUT',
      message: 'No answer to ping within 1000 ms.',
    });
    assert.equal(requests.timeouts, 1);
    assert.equal(requests.size, 0);
  });

  it('rejects with the reason of its signal, before and while it waits', async () => {
    const controller = new AbortController();
    const request = open('ping', 1_000, controller.signal);
    controller.abort(new Error('changed my mind'));
    await assert.rejects(request, { message: 'changed my mind' });
    assert.equal(requests.size, 0);
    await assert.rejects(open('ping', 1_000, controller.signal), { message: 'changed my mind' });
    assert.equal(ids.length, 1, 'the second was never sent');
  });

  it('rejects everything at the close', async () => {
    const all = [open('ping'), open('configure')];
    requests.rejectAll(new EarshotError('IPC_CLOSED', 'gone'));
    for (const request of all) await assert.rejects(request, { code: 'IPC_CLOSED' });
    mock.timers.tick(10_000);
    assert.equal(requests.timeouts, 0, 'no deadline outlives its request');
  });

  it('rejects what could not be sent', async () => {
    const request = requests.open('ping', { deadlineMs: 1_000 }, () => {
      throw new EarshotError('IPC_MESSAGE_TOO_LARGE', 'too large');
    });
    await assert.rejects(request, { code: 'IPC_MESSAGE_TOO_LARGE' });
    assert.equal(requests.size, 0);
  });
});
