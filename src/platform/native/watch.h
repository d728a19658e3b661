#ifndef EARSHOT_PLATFORM_WATCH_H
#define EARSHOT_PLATFORM_WATCH_H

#include <node_api.h>
#include <stdint.h>

/*
 * Watches a file descriptor on Node's own event loop (uv_poll): no thread, no timer. The descriptor stays
 * its owner's, who closes it after the watch. A watch is closed by whichever comes first: unwatch(), the
 * garbage collector, or the end of its environment (process.exit, a worker's termination). The last one
 * has to wait for libuv to let go of the handle, or the loop could not be closed.
 */

/* Bits of `events`, libuv's own (enum uv_poll_event). */
#define WATCH_ALL_EVENTS 15

/*
 * watch(fd, events, onReady(status, events)): an open watch, `status` 0 or a negative errno, after which
 * nothing is watched any more. NULL after throwing.
 */
napi_value watch_open(napi_env env, int fd, int events, napi_value on_ready);

/* Changes what is waited for; 0 waits for nothing. Throws for a closed watch. */
void watch_events(napi_env env, napi_value value, int events);

/* Idempotent. `onReady` is not called from here on. */
void watch_close(napi_env env, napi_value value);

#endif
