#include "addon_handle.h"
#include "addon_values.h"
#include "playback.h"

static int start(const struct opening *opening, struct worker **worker, void *wake_context)
{
	struct playback *playback;
	const struct playback_settings *settings = opening->settings;
	int error = playback_open(&playback, &(struct playback_options){
						     .settings = *settings,
						     .hotplug_directory = opening->directory,
						     .wake = opening->wake,
						     .wake_context = wake_context,
					     });
	if (error == 0)
		*worker = &playback->worker;
	return error;
}

/* openPlayback(settings, hotplugDirectory, onWake): starts a playback. */
static napi_value js_open(napi_env env, napi_callback_info info)
{
	napi_value values[3];
	struct playback_settings settings;
	if (!arguments(env, info, 3, values) || !read_playback_settings(env, values[0], &settings))
		return NULL;
	return open_worker(env, &(struct opening){
					.kind = HANDLE_PLAYBACK,
					.hotplug_directory = values[1],
					.on_wake = values[2],
					.start = start,
					.settings = &settings,
				});
}

static struct playback *playback_argument(napi_env env, napi_callback_info info, size_t count,
					  napi_value *values)
{
	if (!arguments(env, info, count, values))
		return NULL;
	return open_owner(env, values[0], HANDLE_PLAYBACK);
}

/* configurePlayback(playback, settings): the generation at which the settings are in force. */
static napi_value js_configure(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	struct playback_settings settings;
	struct playback *playback = playback_argument(env, info, 2, values);
	if (playback == NULL || !read_playback_settings(env, values[1], &settings))
		return NULL;
	napi_value value = NULL;
	napi_create_double(env, (double)playback_configure(playback, &settings), &value);
	return value;
}

/* drainPlayback(playback): every event, whether sound is needed, and the generation in force. */
static napi_value js_drain(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct playback *playback = playback_argument(env, info, 1, values);
	if (playback == NULL)
		return NULL;
	/* First: what comes while this runs wakes again. */
	worker_rearm(&playback->worker);
	napi_value result = make_object(env);
	put_value(env, result, "events", events_value(env, &playback->worker, "count"));
	put_bool(env, result, "needed", playback_take_need(playback));
	put_number(env, result, "generation",
		   (double)worker_applied_generation(&playback->worker));
	return result;
}

/* write(playback, pcm, samples): how many samples per channel were taken. */
static napi_value js_write(napi_env env, napi_callback_info info)
{
	napi_value values[3];
	struct playback *playback = playback_argument(env, info, 3, values);
	float *pcm;
	uint32_t samples;
	if (playback == NULL || !read_samples(env, values[2], &samples) ||
	    !read_pcm(env, values[1], samples, &pcm))
		return NULL;
	napi_value value = NULL;
	napi_create_uint32(env, playback_write(playback, pcm, samples), &value);
	return value;
}

/* queued(playback): what waits in the ring and behind it. */
static napi_value js_queued(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct playback *playback = playback_argument(env, info, 1, values);
	if (playback == NULL)
		return NULL;
	double ring;
	double behind;
	playback_queued(playback, &ring, &behind);
	napi_value result = make_object(env);
	put_number(env, result, "ringSamples", ring);
	put_number(env, result, "deviceSamples", behind);
	return result;
}

/* setDrift(playback, ppm). */
static napi_value js_set_drift(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	double ppm;
	struct playback *playback = playback_argument(env, info, 2, values);
	if (playback == NULL)
		return NULL;
	if (napi_get_value_double(env, values[1], &ppm) != napi_ok || ppm != ppm) {
		napi_throw_type_error(env, NULL, "ppm must be a number");
		return NULL;
	}
	playback_set_drift(playback, ppm);
	return NULL;
}

/* playbackStats(playback): counters, and a window since they were last asked for. */
static napi_value js_stats(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct playback *playback = playback_argument(env, info, 1, values);
	if (playback == NULL)
		return NULL;
	struct playback_stats stats;
	playback_take_stats(playback, &stats);
	return playback_stats_value(env, &stats);
}

void export_playback(napi_env env, napi_value exports)
{
	export_function(env, exports, "openPlayback", js_open);
	export_function(env, exports, "configurePlayback", js_configure);
	export_function(env, exports, "drainPlayback", js_drain);
	export_function(env, exports, "write", js_write);
	export_function(env, exports, "queued", js_queued);
	export_function(env, exports, "setDrift", js_set_drift);
	export_function(env, exports, "playbackStats", js_stats);
}
