#ifndef EARSHOT_ADDON_HANDLE_H
#define EARSHOT_ADDON_HANDLE_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>

#include "settings.h"
#include "worker.h"

/*
 * What JavaScript holds of a worker. It is closed by whichever comes first: close(), the garbage
 * collector, or the end of its environment (process.exit, a worker's termination). The last one is what
 * keeps a thread from running in a process that is being taken down.
 */

enum handle_kind { HANDLE_CAPTURE, HANDLE_PLAYBACK, HANDLE_DECODER, HANDLE_ENCODER };

struct handle {
	enum handle_kind kind; /* first in whatever JavaScript holds */
	napi_env env;
	struct worker *worker; /* NULL once closed */
	napi_threadsafe_function wake;
};

/* Reads `wanted` arguments; false after throwing when there are fewer. */
bool arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values);

void throw_errno(napi_env env, const char *what, int error);

/* What an external of JavaScript's holds when it is of that kind; NULL otherwise. */
void *held(napi_env env, napi_value value, enum handle_kind kind);

/* The worker's owner, which embeds it first; NULL after throwing when it is closed. */
void *open_owner(napi_env env, napi_value value, enum handle_kind kind);

struct opening {
	enum handle_kind kind;
	napi_value hotplug_directory;
	napi_value on_wake;
	/* Starts the worker, with `directory` to watch and `wake` to call; 0, or a negative error. */
	int (*start)(const struct opening *opening, struct worker **worker, void *wake_context);
	void *settings;
	char directory[DEVICE_NAME_BYTES];
	void (*wake)(void *context);
};

/* Starts a worker and gives JavaScript its handle; NULL after throwing. */
napi_value open_worker(napi_env env, struct opening *opening);

void export_function(napi_env env, napi_value exports, const char *name, napi_callback callback);

void export_capture(napi_env env, napi_value exports);
void export_playback(napi_env env, napi_value exports);
void export_decoder(napi_env env, napi_value exports);
void export_encoder(napi_env env, napi_value exports);

/* close(handle, deadlineMs): whether the thread ended in time. */
napi_value js_close_worker(napi_env env, napi_callback_info info);

#endif
