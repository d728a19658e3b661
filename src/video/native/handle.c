#include "handle.h"

#include <stdlib.h>

/*
 * At the end of an environment or process, which a driver that hangs must not hold up. One that was told to
 * close gets longer, counted from there, yet less than the supervisor waits before SIGTERM.
 */
#define CLEANUP_DEADLINE_MS 500
#define CLOSE_DEADLINE_MS 1500

struct handle {
	napi_env env;
	struct engine *engine; /* NULL once it ended or was let go */
	napi_threadsafe_function wake;
	bool stopping;
	int64_t stopped_us;
};

static int64_t deadline_ms_of(const struct handle *handle)
{
	if (!handle->stopping)
		return CLEANUP_DEADLINE_MS;
	int64_t gone_ms = (g_get_monotonic_time() - handle->stopped_us) / 1000;
	return gone_ms < CLOSE_DEADLINE_MS ? CLOSE_DEADLINE_MS - gone_ms : 0;
}

static void end_engine(struct handle *handle, int64_t deadline_ms)
{
	if (handle->engine != NULL)
		engine_close(handle->engine, deadline_ms);
	handle->engine = NULL;
}

static void on_environment_end(void *data)
{
	end_engine(data, deadline_ms_of(data));
}

/* Not before the engine is gone, which could call what is released here. */
static void close_handle(struct handle *handle, int64_t deadline_ms)
{
	if (handle->engine == NULL)
		return;
	end_engine(handle, deadline_ms);
	napi_remove_env_cleanup_hook(handle->env, on_environment_end, handle);
	napi_release_threadsafe_function(handle->wake, napi_tsfn_abort);
}

static void finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	close_handle(data, deadline_ms_of(data));
	free(data);
}

/* Called with the engine's lock held and the engine not closed. */
static void wake_javascript(void *context)
{
	struct handle *handle = context;
	napi_call_threadsafe_function(handle->wake, NULL, napi_tsfn_nonblocking);
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

static bool make_wake(napi_env env, napi_value on_wake, struct handle *handle)
{
	napi_value name;
	napi_create_string_utf8(env, "earshot video", NAPI_AUTO_LENGTH, &name);
	return napi_create_threadsafe_function(env, on_wake, NULL, name, 0, 1, NULL, NULL, NULL,
					       call_javascript, &handle->wake) == napi_ok;
}

napi_value handle_open(napi_env env, struct engine_options *options, napi_value on_wake)
{
	struct handle *handle = calloc(1, sizeof *handle);
	if (handle == NULL || !make_wake(env, on_wake, handle)) {
		free(handle);
		napi_throw_error(env, NULL, "the addon cannot call back");
		return NULL;
	}
	handle->env = env;
	options->wake = wake_javascript;
	options->wake_context = handle;
	handle->engine = engine_open(options);
	if (handle->engine == NULL) {
		napi_release_threadsafe_function(handle->wake, napi_tsfn_abort);
		free(handle);
		napi_throw_error(env, NULL, "the video thread cannot start");
		return NULL;
	}
	/* After the thread-safe function's own hook, so that it runs before it. */
	napi_add_env_cleanup_hook(env, on_environment_end, handle);
	napi_value external = NULL;
	if (napi_create_external(env, handle, finalize, NULL, &external) != napi_ok) {
		close_handle(handle, CLEANUP_DEADLINE_MS);
		free(handle);
	}
	return external;
}

struct engine *handle_engine(napi_env env, napi_value value)
{
	void *data = NULL;
	if (napi_get_value_external(env, value, &data) == napi_ok && data != NULL) {
		struct handle *handle = data;
		if (handle->engine != NULL && !handle->stopping)
			return handle->engine;
	}
	napi_throw_error(env, NULL, "the pipeline is closed");
	return NULL;
}

/* NULL when there is no engine left. */
static struct handle *living(napi_env env, napi_value value)
{
	void *data = NULL;
	if (napi_get_value_external(env, value, &data) != napi_ok || data == NULL)
		return NULL;
	struct handle *handle = data;
	return handle->engine != NULL ? handle : NULL;
}

void handle_stop(napi_env env, napi_value value)
{
	struct handle *handle = living(env, value);
	if (handle == NULL || handle->stopping)
		return;
	handle->stopping = true;
	handle->stopped_us = g_get_monotonic_time();
	engine_stop(handle->engine);
}

bool handle_ended(napi_env env, napi_value value)
{
	struct handle *handle = living(env, value);
	if (handle == NULL)
		return true;
	if (!handle->stopping || !engine_ended(handle->engine))
		return false;
	close_handle(handle, 0);
	return true;
}

void handle_join(napi_env env, napi_value value)
{
	struct handle *handle = living(env, value);
	if (handle != NULL)
		close_handle(handle, deadline_ms_of(handle));
}

void handle_abandon(napi_env env, napi_value value)
{
	struct handle *handle = living(env, value);
	if (handle != NULL)
		close_handle(handle, 0);
}
