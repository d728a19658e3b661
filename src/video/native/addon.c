#include <dlfcn.h>
#include <glib.h>
#include <gst/gst.h>
#include <node_api.h>

#include "engine.h"
#include "handle.h"
#include "values.h"

/* The functions JavaScript sees; native-video.ts gives them their types. */

/* open(description, elements, v4l2Device, onWake): starts a pipeline. */
static napi_value js_open(napi_env env, napi_callback_info info)
{
	napi_value values[4];
	char *texts[3] = { NULL };
	static const char *const keys[3] = { "description", "elements", "v4l2Device" };
	napi_value external = NULL;
	if (!read_arguments(env, info, 4, values))
		return NULL;
	bool good = true;
	for (int i = 0; good && i < 3; i++)
		good = read_text(env, values[i], keys[i], &texts[i]);
	if (good)
		external = handle_open(env,
				       &(struct engine_options){ .description = texts[0],
								 .elements = texts[1],
								 .v4l2_device = texts[2] },
				       values[3]);
	for (int i = 0; i < 3; i++)
		g_free(texts[i]);
	return external;
}

/* setProperty(pipeline, element, property, value): in GStreamer's words for values. */
static napi_value js_set_property(napi_env env, napi_callback_info info)
{
	napi_value values[4];
	char *texts[3] = { NULL };
	static const char *const keys[3] = { "element", "property", "value" };
	if (!read_arguments(env, info, 4, values))
		return NULL;
	struct engine *engine = handle_engine(env, values[0]);
	bool good = engine != NULL;
	for (int i = 0; good && i < 3; i++)
		good = read_text(env, values[i + 1], keys[i], &texts[i]);
	if (good)
		engine_set_property(engine, texts[0], texts[1], texts[2]);
	for (int i = 0; i < 3; i++)
		g_free(texts[i]);
	return NULL;
}

/* forceKeyframe(pipeline) */
static napi_value js_force_keyframe(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (!read_arguments(env, info, 1, values))
		return NULL;
	struct engine *engine = handle_engine(env, values[0]);
	if (engine != NULL)
		engine_force_keyframe(engine);
	return NULL;
}

/* limitRate(pipeline, picturesPerSecond): 0 lifts the limit. */
static napi_value js_limit_rate(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	double rate;
	if (!read_arguments(env, info, 2, values))
		return NULL;
	struct engine *engine = handle_engine(env, values[0]);
	if (engine != NULL && read_number(env, values[1], "picturesPerSecond", &rate))
		engine_limit_rate(engine, (uint32_t)rate);
	return NULL;
}

/* push(pipeline, rgb, width, height, ptsNs): false when as many pictures wait as may. */
static napi_value js_push(napi_env env, napi_callback_info info)
{
	napi_value values[5];
	uint8_t *rgb;
	size_t bytes;
	double width;
	double height;
	double pts;
	if (!read_arguments(env, info, 5, values))
		return NULL;
	struct engine *engine = handle_engine(env, values[0]);
	if (engine == NULL || !read_bytes(env, values[1], &rgb, &bytes) ||
	    !read_number(env, values[2], "width", &width) ||
	    !read_number(env, values[3], "height", &height) ||
	    !read_number(env, values[4], "ptsNs", &pts))
		return NULL;
	if (width < 1 || height < 1 || width * height * 3 != (double)bytes) {
		napi_throw_range_error(env, NULL, "the pixels are not width x height x 3 bytes");
		return NULL;
	}
	return make_bool(env, engine_push_picture(engine, rgb, (uint32_t)width, (uint32_t)height,
						  (uint64_t)pts));
}

static napi_value unit_value(napi_env env, struct unit *unit)
{
	napi_value object = make_object(env);
	napi_value payload = NULL;
	GstMapInfo map;
	if (gst_buffer_map(unit->buffer, &map, GST_MAP_READ)) {
		napi_create_buffer_copy(env, map.size, map.data, NULL, &payload);
		gst_buffer_unmap(unit->buffer, &map);
	} else {
		napi_create_buffer(env, 0, NULL, &payload);
	}
	gst_buffer_unref(unit->buffer);
	put_value(env, object, "payload", payload);
	put_number(env, object, "ptsNs", (double)unit->pts_ns);
	put_time(env, object, "captureTimeNs", unit->capture_ns);
	put_number(env, object, "width", unit->width);
	put_number(env, object, "height", unit->height);
	put_bool(env, object, "keyframe", unit->keyframe);
	put_bool(env, object, "discontinuity", unit->discontinuity);
	return object;
}

static napi_value event_value(napi_env env, const struct engine_event *event)
{
	static const char *const names[] = { "playing", "ended",    "error", "warning",
					     "element", "elements", "signal" };
	napi_value object = make_object(env);
	put_string(env, object, "name", names[event->kind]);
	put_string(env, object, "source", event->source);
	put_string(env, object, "text", event->text);
	put_string(env, object, "detail", event->detail);
	return object;
}

/* drain(pipeline): every unit and every event that waits, oldest first. */
static napi_value js_drain(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (!read_arguments(env, info, 1, values))
		return NULL;
	struct engine *engine = handle_engine(env, values[0]);
	if (engine == NULL)
		return NULL;
	/* First: what comes while this runs wakes again. */
	engine_rearm(engine);
	napi_value result = make_object(env);
	napi_value events = make_array(env);
	struct engine_event event;
	for (uint32_t i = 0; engine_take_event(engine, &event); i++)
		napi_set_element(env, events, i, event_value(env, &event));
	put_value(env, result, "events", events);
	napi_value units = make_array(env);
	struct unit unit;
	for (uint32_t i = 0; engine_take_unit(engine, &unit); i++)
		napi_set_element(env, units, i, unit_value(env, &unit));
	put_value(env, result, "units", units);
	return result;
}

/* stats(pipeline): counters, and encoder times since they were last asked for. */
static napi_value js_stats(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (!read_arguments(env, info, 1, values))
		return NULL;
	struct engine *engine = handle_engine(env, values[0]);
	if (engine == NULL)
		return NULL;
	struct engine_stats stats;
	engine_stats(engine, &stats);
	napi_value object = make_object(env);
	double count = stats.times.count > 0 ? (double)stats.times.count : 1;
	put_number(env, object, "units", (double)stats.units.units);
	put_number(env, object, "bytes", (double)stats.units.bytes);
	put_number(env, object, "keyframes", (double)stats.units.keyframes);
	put_number(env, object, "dropped", (double)(stats.units.dropped + stats.leaked));
	put_number(env, object, "encodeMeanMs", (double)stats.times.total_ns / count / 1e6);
	put_number(env, object, "encodeMaxMs", (double)stats.times.longest_ns / 1e6);
	put_number(env, object, "captureToEncodedMs",
		   (double)stats.times.capture_total_ns / count / 1e6);
	put_number(env, object, "busyMs", (double)stats.busy_ns / 1e6);
	return object;
}

/* close(pipeline): tells it to end; onWake is called when it has. */
static napi_value js_close(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (read_arguments(env, info, 1, values))
		handle_stop(env, values[0]);
	return NULL;
}

/* ended(pipeline): whether one that was told to close is gone. */
static napi_value js_ended(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (!read_arguments(env, info, 1, values))
		return NULL;
	return make_bool(env, handle_ended(env, values[0]));
}

/* join(pipeline): waits a moment for its end, after which it is gone. */
static napi_value js_join(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (read_arguments(env, info, 1, values))
		handle_join(env, values[0]);
	return NULL;
}

/* abandon(pipeline): waits no longer for its end. */
static napi_value js_abandon(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (read_arguments(env, info, 1, values))
		handle_abandon(env, values[0]);
	return NULL;
}

/* A thread that a driver never lets go still needs this code when its environment is gone. */
static void stay_loaded(void)
{
	Dl_info info;
	if (dladdr((void *)(uintptr_t)stay_loaded, &info) != 0 && info.dli_fname != NULL)
		dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE);
}

NAPI_MODULE_INIT()
{
	stay_loaded();
	char *version = gst_version_string();
	put_string(env, exports, "gstreamerVersion", version);
	g_free(version);
	put_function(env, exports, "open", js_open);
	put_function(env, exports, "setProperty", js_set_property);
	put_function(env, exports, "forceKeyframe", js_force_keyframe);
	put_function(env, exports, "limitRate", js_limit_rate);
	put_function(env, exports, "push", js_push);
	put_function(env, exports, "drain", js_drain);
	put_function(env, exports, "stats", js_stats);
	put_function(env, exports, "close", js_close);
	put_function(env, exports, "ended", js_ended);
	put_function(env, exports, "join", js_join);
	put_function(env, exports, "abandon", js_abandon);
	return exports;
}
