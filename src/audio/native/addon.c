#include <alsa/asoundlib.h>
#include <dlfcn.h>
#include <node_api.h>
#include <opus/opus.h>
#include <stdlib.h>
#include <string.h>

#include "addon_values.h"
#include "device_list.h"
#include "stream.h"

/*
 * The functions JavaScript sees; binding.ts gives them their types. A handle is closed by whichever
 * comes first: close(), the garbage collector, or the end of its environment (process.exit, a worker's
 * termination). The last one is what keeps a thread from running in a process that is being taken down.
 */

/* At the end of an environment; a call to ALSA that hangs must not keep a process from ending. */
#define CLEANUP_DEADLINE_MS 500

#define MAX_LISTED_DEVICES 64

struct handle {
	napi_env env;
	struct stream *stream; /* NULL once closed */
	napi_threadsafe_function wake;
};

static void end_stream(struct handle *handle, int64_t deadline_ms, bool *ended)
{
	*ended = handle->stream == NULL || stream_close(handle->stream, deadline_ms);
	handle->stream = NULL;
}

static void on_environment_end(void *data)
{
	bool ended;
	end_stream(data, CLEANUP_DEADLINE_MS, &ended);
}

static bool close_handle(struct handle *handle, int64_t deadline_ms)
{
	bool ended = true;
	if (handle->stream == NULL)
		return ended;
	end_stream(handle, deadline_ms, &ended);
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

/* Called by the stream's thread, with the stream's lock held and the stream not closed. */
static void wake_javascript(void *context)
{
	struct handle *handle = context;
	napi_call_threadsafe_function(handle->wake, NULL, napi_tsfn_nonblocking);
}

static bool arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values)
{
	size_t count = wanted;
	if (napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok && count >= wanted)
		return true;
	napi_throw_type_error(env, NULL, "too few arguments");
	return false;
}

/* The handle of a stream that is open; NULL after throwing. */
static struct handle *open_handle(napi_env env, napi_value value)
{
	void *data = NULL;
	if (napi_get_value_external(env, value, &data) == napi_ok && data != NULL &&
	    ((struct handle *)data)->stream != NULL)
		return data;
	napi_throw_error(env, NULL, "the capture is closed");
	return NULL;
}

static void throw_errno(napi_env env, const char *what, int error)
{
	char message[192];
	snprintf(message, sizeof message, "%s: %s", what, strerror(-error));
	napi_throw_error(env, NULL, message);
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

static bool make_wake(napi_env env, napi_value callback, struct handle *handle)
{
	napi_value name;
	napi_create_string_utf8(env, "earshot capture", NAPI_AUTO_LENGTH, &name);
	return napi_create_threadsafe_function(env, callback, NULL, name, 0, 1, NULL, NULL, NULL,
					       call_javascript, &handle->wake) == napi_ok;
}

/* open(settings, hotplugDirectory, onWake): starts a capture. */
static napi_value js_open(napi_env env, napi_callback_info info)
{
	napi_value values[3];
	struct stream_options options = { .wake = wake_javascript };
	char directory[DEVICE_NAME_BYTES];
	if (!arguments(env, info, 3, values) || !read_settings(env, values[0], &options.settings))
		return NULL;
	size_t length;
	if (napi_get_value_string_utf8(env, values[1], directory, sizeof directory, &length) !=
	    napi_ok) {
		napi_throw_type_error(env, NULL, "hotplugDirectory must be a string");
		return NULL;
	}
	options.hotplug_directory = directory;
	struct handle *handle = calloc(1, sizeof *handle);
	if (handle == NULL || !make_wake(env, values[2], handle)) {
		free(handle);
		napi_throw_error(env, NULL, "the capture cannot call back");
		return NULL;
	}
	handle->env = env;
	options.wake_context = handle;
	int error = stream_open(&handle->stream, &options);
	if (error < 0) {
		napi_release_threadsafe_function(handle->wake, napi_tsfn_abort);
		free(handle);
		throw_errno(env, "the capture thread cannot start", error);
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

/* configure(capture, settings): the generation at which the settings are in force. */
static napi_value js_configure(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	struct stream_settings settings;
	if (!arguments(env, info, 2, values))
		return NULL;
	struct handle *handle = open_handle(env, values[0]);
	if (handle == NULL || !read_settings(env, values[1], &settings))
		return NULL;
	uint64_t generation;
	int error = stream_configure(handle->stream, &settings, &generation);
	if (error < 0) {
		throw_errno(env, "the encoder cannot be made", error);
		return NULL;
	}
	napi_value value = NULL;
	napi_create_double(env, (double)generation, &value);
	return value;
}

/* drain(capture): every packet that is due, every event, and the generation in force. */
static napi_value js_drain(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (!arguments(env, info, 1, values))
		return NULL;
	struct handle *handle = open_handle(env, values[0]);
	if (handle == NULL)
		return NULL;
	struct stream *stream = handle->stream;
	/* First: what comes while this runs wakes again. */
	stream_rearm(stream);
	napi_value result = make_object(env);
	napi_value packets = make_array(env);
	napi_value events = make_array(env);
	struct packet packet;
	struct stream_event event;
	for (uint32_t i = 0; stream_take_event(stream, &event); i++)
		put_in_array(env, events, i, event_value(env, &event));
	for (uint32_t i = 0; stream_take_packet(stream, &packet); i++)
		put_in_array(env, packets, i, packet_value(env, &packet));
	put_value(env, result, "packets", packets);
	put_value(env, result, "events", events);
	put_number(env, result, "generation", (double)stream_applied_generation(stream));
	return result;
}

/* stats(capture): counters, and a window since they were last asked for. */
static napi_value js_stats(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (!arguments(env, info, 1, values))
		return NULL;
	struct handle *handle = open_handle(env, values[0]);
	if (handle == NULL)
		return NULL;
	struct stream_stats stats;
	stream_take_stats(handle->stream, &stats);
	return stats_value(env, &stats);
}

/* close(capture, deadlineMs): whether the thread ended in time. */
static napi_value js_close(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	void *handle = NULL;
	double deadline_ms = CLEANUP_DEADLINE_MS;
	if (!arguments(env, info, 2, values) ||
	    napi_get_value_external(env, values[0], &handle) != napi_ok)
		return NULL;
	napi_get_value_double(env, values[1], &deadline_ms);
	napi_value ended = NULL;
	napi_get_boolean(env, close_handle(handle, (int64_t)deadline_ms), &ended);
	return ended;
}

/* listDevices(): [{id, description}]. */
static napi_value js_list_devices(napi_env env, napi_callback_info info)
{
	(void)info;
	struct listed_device *devices = calloc(MAX_LISTED_DEVICES, sizeof *devices);
	napi_value array = make_array(env);
	if (devices == NULL)
		return array;
	size_t count = device_list(devices, MAX_LISTED_DEVICES);
	for (uint32_t i = 0; i < count; i++) {
		napi_value device = make_object(env);
		put_string(env, device, "id", devices[i].id);
		put_string(env, device, "description", devices[i].description);
		put_in_array(env, array, i, device);
	}
	free(devices);
	return array;
}

/* ALSA would print each failed try to standard error; the events carry the reason. */
static void discard_message(const char *file, int line, const char *function, int error,
			    const char *format, ...)
{
	(void)file;
	(void)line;
	(void)function;
	(void)error;
	(void)format;
}

/* A thread that a driver never lets go still needs this code when its environment is gone. */
static void stay_loaded(void)
{
	Dl_info info;
	if (dladdr((void *)(uintptr_t)stay_loaded, &info) != 0 && info.dli_fname != NULL)
		dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE);
}

static void export_function(napi_env env, napi_value exports, const char *name,
			    napi_callback callback)
{
	napi_value function = NULL;
	napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
	put_value(env, exports, name, function);
}

NAPI_MODULE_INIT()
{
	stay_loaded();
	snd_lib_error_set_handler(discard_message);
	export_function(env, exports, "open", js_open);
	export_function(env, exports, "configure", js_configure);
	export_function(env, exports, "drain", js_drain);
	export_function(env, exports, "stats", js_stats);
	export_function(env, exports, "close", js_close);
	export_function(env, exports, "listDevices", js_list_devices);
	put_string(env, exports, "opusVersion", opus_get_version_string());
	put_string(env, exports, "alsaVersion", snd_asoundlib_version());
	return exports;
}
