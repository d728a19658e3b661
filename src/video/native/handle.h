#ifndef EARSHOT_HANDLE_H
#define EARSHOT_HANDLE_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

/*
 * What JavaScript holds of an engine. It ends with whichever comes first: close() and then ended(), join()
 * or abandon(), the garbage collector, or the end of its environment (a worker's termination; a process
 * that exits does not get there, hence join()). So no thread runs where all is being taken down.
 */

/* Opens an engine that calls `on_wake`; NULL after throwing. */
napi_value handle_open(napi_env env, struct engine_options *options, napi_value on_wake);

/* The engine of a handle that is not told to close; NULL after throwing. */
struct engine *handle_engine(napi_env env, napi_value value);

/* Tells the engine to end, and waits for nothing: `on_wake` is called when it has. Idempotent. */
void handle_stop(napi_env env, napi_value value);

/* Whether an engine that was told to end has, and so is freed. */
bool handle_ended(napi_env env, napi_value value);

/* Waits for its end, but not for long: at the end of a process. Afterwards it is gone either way. */
void handle_join(napi_env env, napi_value value);

/* Lets go of an engine that does not end: it tells nobody any more. */
void handle_abandon(napi_env env, napi_value value);

#endif
