#include "watch.h"

#include <stdbool.h>
#include <stdlib.h>
#include <uv.h>

#include "values.h"

struct watch {
	uv_poll_t poll;
	napi_env env;
	napi_ref on_ready;
	napi_async_cleanup_hook_handle hook;
	bool closing;
	/* It is freed when libuv and JavaScript have both let go of it. */
	bool closed;
	bool forgotten;
};

static void free_if_done(struct watch *watch)
{
	if (watch->closed && watch->forgotten)
		free(watch);
}

static void on_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;
	watch->closed = true;
	napi_remove_async_cleanup_hook(watch->hook);
	free_if_done(watch);
}

static void begin_close(struct watch *watch)
{
	if (watch->closing)
		return;
	watch->closing = true;
	napi_delete_reference(watch->env, watch->on_ready);
	uv_close((uv_handle_t *)&watch->poll, on_closed);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *data)
{
	(void)hook;
	begin_close(data);
}

static void finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	struct watch *watch = data;
	begin_close(watch);
	watch->forgotten = true;
	free_if_done(watch);
}

/* What the callback throws is an uncaught exception as any other; left to itself it would be lost. */
static void call_javascript(struct watch *watch, int status, int events)
{
	napi_env env = watch->env;
	napi_value on_ready;
	napi_value receiver;
	napi_value error;
	napi_value values[2] = { make_number(env, status), make_number(env, events) };
	if (napi_get_reference_value(env, watch->on_ready, &on_ready) != napi_ok ||
	    on_ready == NULL || napi_get_global(env, &receiver) != napi_ok)
		return;
	napi_status result = napi_make_callback(env, NULL, receiver, on_ready, 2, values, NULL);
	if (result == napi_pending_exception &&
	    napi_get_and_clear_last_exception(env, &error) == napi_ok)
		napi_fatal_exception(env, error);
}

static void on_ready_events(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	napi_handle_scope scope;
	if (watch->closing || napi_open_handle_scope(watch->env, &scope) != napi_ok)
		return;
	call_javascript(watch, status, events);
	napi_close_handle_scope(watch->env, scope);
}

static bool start(struct watch *watch, int events, int *error)
{
	*error = events == 0 ? uv_poll_stop(&watch->poll) :
			       uv_poll_start(&watch->poll, events, on_ready_events);
	return *error == 0;
}

napi_value watch_open(napi_env env, int fd, int events, napi_value on_ready)
{
	struct uv_loop_s *loop;
	struct watch *watch = calloc(1, sizeof *watch);
	if (watch == NULL || napi_get_uv_event_loop(env, &loop) != napi_ok) {
		free(watch);
		napi_throw_error(env, NULL, "the event loop cannot be watched with");
		return NULL;
	}
	int error = uv_poll_init(loop, &watch->poll, fd);
	if (error != 0) {
		free(watch);
		throw_errno(env, "the descriptor cannot be watched", -error);
		return NULL;
	}
	watch->env = env;
	watch->poll.data = watch;
	if (napi_create_reference(env, on_ready, 1, &watch->on_ready) != napi_ok) {
		/* Without its callback nothing but libuv knows it. */
		watch->closing = true;
		watch->forgotten = true;
		uv_close((uv_handle_t *)&watch->poll, on_closed);
		napi_throw_error(env, NULL, "the callback cannot be kept");
		return NULL;
	}
	napi_add_async_cleanup_hook(env, on_environment_end, watch, &watch->hook);
	napi_value external = NULL;
	if (napi_create_external(env, watch, finalize, NULL, &external) != napi_ok) {
		watch->forgotten = true;
		begin_close(watch);
		return NULL;
	}
	if (!start(watch, events, &error)) {
		begin_close(watch);
		throw_errno(env, "the descriptor cannot be watched", -error);
		return NULL;
	}
	return external;
}

static struct watch *of(napi_env env, napi_value value)
{
	void *data = NULL;
	if (napi_get_value_external(env, value, &data) != napi_ok)
		return NULL;
	return data;
}

void watch_events(napi_env env, napi_value value, int events)
{
	struct watch *watch = of(env, value);
	int error;
	if (watch == NULL || watch->closing)
		napi_throw_error(env, NULL, "the watch is closed");
	else if (!start(watch, events, &error))
		throw_errno(env, "the descriptor cannot be watched", -error);
}

void watch_close(napi_env env, napi_value value)
{
	struct watch *watch = of(env, value);
	if (watch != NULL)
		begin_close(watch);
}
