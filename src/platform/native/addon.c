#include <errno.h>
#include <limits.h>
#include <node_api.h>
#include <poll.h>

#include "addon_gpio.h"
#include "values.h"
#include "watch.h"

/* The functions JavaScript sees; native-platform.ts gives them their types. */

/* watch(fd, events, onReady(status, events)) */
static napi_value js_watch(napi_env env, napi_callback_info info)
{
	napi_value values[3];
	int64_t fd;
	int64_t events;
	napi_valuetype type;
	if (!read_arguments(env, info, 3, values) ||
	    !read_integer(env, values[0], "fd", 0, INT_MAX, &fd) ||
	    !read_integer(env, values[1], "events", 0, WATCH_ALL_EVENTS, &events))
		return NULL;
	if (napi_typeof(env, values[2], &type) != napi_ok || type != napi_function) {
		napi_throw_type_error(env, NULL, "onReady must be a function");
		return NULL;
	}
	return watch_open(env, (int)fd, (int)events, values[2]);
}

/* watchEvents(watch, events) */
static napi_value js_watch_events(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	int64_t events;
	if (read_arguments(env, info, 2, values) &&
	    read_integer(env, values[1], "events", 0, WATCH_ALL_EVENTS, &events))
		watch_events(env, values[0], (int)events);
	return NULL;
}

/* unwatch(watch) */
static napi_value js_unwatch(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (read_arguments(env, info, 1, values))
		watch_close(env, values[0]);
	return NULL;
}

/* writable(fd): whether a write would be taken right now; asks, and never waits. */
static napi_value js_writable(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	int64_t fd;
	napi_value result = NULL;
	if (!read_arguments(env, info, 1, values) ||
	    !read_integer(env, values[0], "fd", 0, INT_MAX, &fd))
		return NULL;
	struct pollfd asked = { .fd = (int)fd, .events = POLLOUT };
	if (poll(&asked, 1, 0) < 0 && errno != EINTR) {
		throw_errno(env, "poll", errno);
		return NULL;
	}
	napi_get_boolean(env, (asked.revents & POLLOUT) != 0, &result);
	return result;
}

NAPI_MODULE_INIT()
{
	put_function(env, exports, "watch", js_watch);
	put_function(env, exports, "watchEvents", js_watch_events);
	put_function(env, exports, "unwatch", js_unwatch);
	put_function(env, exports, "writable", js_writable);
	export_gpio(env, exports);
	return exports;
}
