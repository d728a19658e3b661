#ifndef EARSHOT_HANDLE_H
#define EARSHOT_HANDLE_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

/*
 * What JavaScript holds of an engine. It is closed by whichever comes first: close(), the garbage
 * collector, or the end of its environment (process.exit, a worker's termination). The last one is what
 * keeps threads from running in a process that is being taken down.
 */

/* Opens an engine that calls `on_wake`; NULL after throwing. */
napi_value handle_open(napi_env env, struct engine_options *options, napi_value on_wake);

/* The engine of an open handle; NULL after throwing. */
struct engine *handle_engine(napi_env env, napi_value value);

/* Whether the engine's thread ended in time; true when it is closed already. */
bool handle_close(napi_env env, napi_value value, int64_t deadline_ms);

#endif
