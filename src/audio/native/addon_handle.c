#include "addon_handle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addon_values.h"

/* At the end of an environment; a call to ALSA that hangs must not keep a process from ending. */
#define CLEANUP_DEADLINE_MS 500

static bool end_worker(struct handle *handle, int64_t deadline_ms)
{
	bool ended = handle->worker == NULL || worker_close(handle->worker, deadline_ms);
	handle->worker = NULL;
	return ended;
}

static void on_environment_end(void *data)
{
	end_worker(data, CLEANUP_DEADLINE_MS);
}

static bool close_handle(struct handle *handle, int64_t deadline_ms)
{
	if (handle->worker == NULL)
		return true;
	bool ended = end_worker(handle, deadline_ms);
	napi_remove_env_cleanup_hook(handle->env, on_environment_end, handle);
	napi_release_threadsafe_function(handle->wake, napi_tsfn_abort);
	return ended;
}

static void finalize_handle(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	close_handle(data, CLEANUP_DEADLINE_MS);
	free(data);
}

/* Called by the worker's thread, with its lock held and the worker not closed. */
static void wake_javascript(void *context)
{
	struct handle *handle = context;
	napi_call_threadsafe_function(handle->wake, NULL, napi_tsfn_nonblocking);
}

bool arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values)
{
	size_t count = wanted;
	if (napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok && count >= wanted)
		return true;
	napi_throw_type_error(env, NULL, "too few arguments");
	return false;
}

void throw_errno(napi_env env, const char *what, int error)
{
	char message[192];
	snprintf(message, sizeof message, "%s: %s", what, strerror(-error));
	napi_throw_error(env, NULL, message);
}

void *held(napi_env env, napi_value value, enum handle_kind kind)
{
	void *data = NULL;
	if (napi_get_value_external(env, value, &data) != napi_ok || data == NULL)
		return NULL;
	return *(enum handle_kind *)data == kind ? data : NULL;
}

static const char *const kind_names[] = { "capture", "playback", "decoder", "encoder" };

void *open_owner(napi_env env, napi_value value, enum handle_kind kind)
{
	struct handle *handle = held(env, value, kind);
	if (handle != NULL && handle->worker != NULL)
		return handle->worker->owner;
	char message[64];
	snprintf(message, sizeof message, "the %s is closed", kind_names[kind]);
	napi_throw_error(env, NULL, message);
	return NULL;
}

/* What the callback throws is an uncaught exception as any other; left to itself Node only warns. */
static void call_javascript(napi_env env, napi_value callback, void *context, void *data)
{
	(void)context;
	(void)data;
	napi_value receiver;
	napi_value error;
	/* No environment: it is being taken down. */
	if (env == NULL || napi_get_undefined(env, &receiver) != napi_ok)
		return;
	napi_status status = napi_call_function(env, receiver, callback, 0, NULL, NULL);
	if (status == napi_pending_exception &&
	    napi_get_and_clear_last_exception(env, &error) == napi_ok)
		napi_fatal_exception(env, error);
}

static bool make_wake(napi_env env, const struct opening *opening, struct handle *handle)
{
	char text[32];
	napi_value name;
	snprintf(text, sizeof text, "earshot %s", kind_names[opening->kind]);
	napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &name);
	return napi_create_threadsafe_function(env, opening->on_wake, NULL, name, 0, 1, NULL, NULL,
					       NULL, call_javascript, &handle->wake) == napi_ok;
}

static int start(const struct opening *opening, struct handle *handle)
{
	return opening->start(opening, &handle->worker, handle);
}

napi_value open_worker(napi_env env, struct opening *opening)
{
	if (!read_text(env, opening->hotplug_directory, "hotplugDirectory", opening->directory,
		       sizeof opening->directory))
		return NULL;
	opening->wake = wake_javascript;
	struct handle *handle = calloc(1, sizeof *handle);
	if (handle == NULL || !make_wake(env, opening, handle)) {
		free(handle);
		napi_throw_error(env, NULL, "the addon cannot call back");
		return NULL;
	}
	handle->kind = opening->kind;
	handle->env = env;
	int error = start(opening, handle);
	if (error < 0) {
		napi_release_threadsafe_function(handle->wake, napi_tsfn_abort);
		free(handle);
		throw_errno(env, "the audio thread cannot start", error);
		return NULL;
	}
	/* After the thread-safe function's own hook, so that it runs before it. */
	napi_add_env_cleanup_hook(env, on_environment_end, handle);
	napi_value external = NULL;
	if (napi_create_external(env, handle, finalize_handle, NULL, &external) != napi_ok) {
		close_handle(handle, CLEANUP_DEADLINE_MS);
		free(handle);
	}
	return external;
}

napi_value js_close_worker(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	double deadline_ms = CLEANUP_DEADLINE_MS;
	if (!arguments(env, info, 2, values))
		return NULL;
	struct handle *handle = held(env, values[0], HANDLE_CAPTURE);
	if (handle == NULL)
		handle = held(env, values[0], HANDLE_PLAYBACK);
	napi_get_value_double(env, values[1], &deadline_ms);
	napi_value ended = NULL;
	if (handle != NULL)
		napi_get_boolean(env, close_handle(handle, (int64_t)deadline_ms), &ended);
	return ended;
}

void export_function(napi_env env, napi_value exports, const char *name, napi_callback callback)
{
	napi_value function = NULL;
	napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
	put_value(env, exports, name, function);
}
