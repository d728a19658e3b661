#include "addon_handle.h"
#include "addon_values.h"
#include "stream.h"

static int start(const struct opening *opening, struct worker **worker, void *wake_context)
{
	struct stream *stream;
	const struct stream_settings *settings = opening->settings;
	int error = stream_open(&stream, &(struct stream_options){
						 .settings = *settings,
						 .hotplug_directory = opening->directory,
						 .wake = opening->wake,
						 .wake_context = wake_context,
					 });
	if (error == 0)
		*worker = &stream->worker;
	return error;
}

/* open(settings, hotplugDirectory, onWake): starts a capture. */
static napi_value js_open(napi_env env, napi_callback_info info)
{
	napi_value values[3];
	struct stream_settings settings;
	if (!arguments(env, info, 3, values) || !read_settings(env, values[0], &settings))
		return NULL;
	return open_worker(env, &(struct opening){
					.kind = HANDLE_CAPTURE,
					.hotplug_directory = values[1],
					.on_wake = values[2],
					.start = start,
					.settings = &settings,
				});
}

static struct stream *stream_argument(napi_env env, napi_callback_info info, size_t count,
				      napi_value *values)
{
	if (!arguments(env, info, count, values))
		return NULL;
	return open_owner(env, values[0], HANDLE_CAPTURE);
}

/* configure(capture, settings): the generation at which the settings are in force. */
static napi_value js_configure(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	struct stream_settings settings;
	struct stream *stream = stream_argument(env, info, 2, values);
	if (stream == NULL || !read_settings(env, values[1], &settings))
		return NULL;
	uint64_t generation;
	int error = stream_configure(stream, &settings, &generation);
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
	struct stream *stream = stream_argument(env, info, 1, values);
	if (stream == NULL)
		return NULL;
	/* First: what comes while this runs wakes again. */
	worker_rearm(&stream->worker);
	napi_value result = make_object(env);
	put_value(env, result, "events", events_value(env, &stream->worker, "lostSamples"));
	napi_value packets = make_array(env);
	struct packet packet;
	for (uint32_t i = 0; stream_take_packet(stream, &packet); i++)
		put_in_array(env, packets, i, packet_value(env, &packet));
	put_value(env, result, "packets", packets);
	put_number(env, result, "generation",
		   (double)worker_applied_generation(&stream->worker));
	return result;
}

/* stats(capture): counters, and a window since they were last asked for. */
static napi_value js_stats(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct stream *stream = stream_argument(env, info, 1, values);
	if (stream == NULL)
		return NULL;
	struct stream_stats stats;
	stream_take_stats(stream, &stats);
	return stats_value(env, &stats);
}

void export_capture(napi_env env, napi_value exports)
{
	export_function(env, exports, "open", js_open);
	export_function(env, exports, "configure", js_configure);
	export_function(env, exports, "drain", js_drain);
	export_function(env, exports, "stats", js_stats);
}
