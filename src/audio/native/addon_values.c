#include "addon_values.h"

#include <math.h>
#include <opus/opus.h>
#include <stdio.h>
#include <string.h>

#include "delay_line.h"
#include "monotonic.h"

#define LONGEST_BUFFER_MS 10000

/* What a word of the settings stands for in opus_defines.h. */
struct word {
	const char *word;
	int value;
};

static const struct word applications[] = {
	{ "voip", OPUS_APPLICATION_VOIP },
	{ "audio", OPUS_APPLICATION_AUDIO },
	{ "restricted-lowdelay", OPUS_APPLICATION_RESTRICTED_LOWDELAY },
	{ 0 },
};
static const struct word signals[] = {
	{ "auto", OPUS_AUTO },
	{ "voice", OPUS_SIGNAL_VOICE },
	{ "music", OPUS_SIGNAL_MUSIC },
	{ 0 },
};
static const struct word bandwidths[] = {
	{ "narrowband", OPUS_BANDWIDTH_NARROWBAND },
	{ "mediumband", OPUS_BANDWIDTH_MEDIUMBAND },
	{ "wideband", OPUS_BANDWIDTH_WIDEBAND },
	{ "superwideband", OPUS_BANDWIDTH_SUPERWIDEBAND },
	{ "fullband", OPUS_BANDWIDTH_FULLBAND },
	{ 0 },
};
/* Bit 0: variable; bit 1: constrained. */
static const struct word rate_controls[] = { { "cbr", 0 }, { "vbr", 1 }, { "constrained", 3 }, { 0 } };

static bool refuse(napi_env env, const char *key, const char *expected)
{
	char message[128];
	snprintf(message, sizeof message, "%s must be %s", key, expected);
	napi_throw_type_error(env, NULL, message);
	return false;
}

static napi_value property(napi_env env, napi_value object, const char *key)
{
	napi_value value = NULL;
	if (napi_get_named_property(env, object, key, &value) != napi_ok)
		return NULL;
	return value;
}

static bool read_number(napi_env env, napi_value object, const char *key, double *number)
{
	napi_value value = property(env, object, key);
	if (value == NULL || napi_get_value_double(env, value, number) != napi_ok ||
	    !isfinite(*number))
		return refuse(env, key, "a finite number");
	return true;
}

static bool read_int(napi_env env, napi_value object, const char *key, int *number)
{
	double value;
	if (!read_number(env, object, key, &value))
		return false;
	*number = (int)lround(value);
	return true;
}

static bool read_bool(napi_env env, napi_value object, const char *key, bool *flag)
{
	napi_value value = property(env, object, key);
	if (value == NULL || napi_get_value_bool(env, value, flag) != napi_ok)
		return refuse(env, key, "a boolean");
	return true;
}

bool read_text(napi_env env, napi_value value, const char *key, char *text, size_t capacity)
{
	size_t length = 0;
	if (value == NULL ||
	    napi_get_value_string_utf8(env, value, text, capacity, &length) != napi_ok)
		return refuse(env, key, "a string");
	return true;
}

static bool read_string(napi_env env, napi_value object, const char *key, char *text,
			size_t capacity)
{
	return read_text(env, property(env, object, key), key, text, capacity);
}

static bool read_word(napi_env env, napi_value object, const char *key, const struct word *words,
		      int *meaning)
{
	char text[32];
	if (!read_string(env, object, key, text, sizeof text))
		return false;
	for (; words->word != NULL; words++) {
		if (strcmp(words->word, text) == 0) {
			*meaning = words->value;
			return true;
		}
	}
	return refuse(env, key, "one of the words of encoder-settings.ts");
}

bool read_encoder(napi_env env, napi_value object, struct encoder_settings *encoder)
{
	double frame_ms;
	int rate_control;
	if (!read_int(env, object, "bitrateBps", &encoder->bitrate_bps) ||
	    !read_int(env, object, "channels", &encoder->channels) ||
	    !read_number(env, object, "frameMs", &frame_ms) ||
	    !read_word(env, object, "application", applications, &encoder->application) ||
	    !read_int(env, object, "complexity", &encoder->complexity) ||
	    !read_word(env, object, "vbr", rate_controls, &rate_control) ||
	    !read_word(env, object, "signal", signals, &encoder->signal) ||
	    !read_word(env, object, "bandwidth", bandwidths, &encoder->bandwidth) ||
	    !read_bool(env, object, "dtx", &encoder->dtx) ||
	    !read_bool(env, object, "fec", &encoder->fec))
		return false;
	encoder->frame_samples = (int)lround(frame_ms * OUTPUT_RATE_HZ / 1000);
	if (encoder->frame_samples < 120 || encoder->frame_samples > MAX_FRAME_SAMPLES)
		return refuse(env, "frameMs", "2.5 to 60");
	if (encoder->channels != 1 && encoder->channels != OUTPUT_CHANNELS)
		return refuse(env, "channels", "1 or 2");
	encoder->vbr = (rate_control & 1) != 0;
	encoder->constrained = (rate_control & 2) != 0;
	return true;
}

static bool read_device(napi_env env, napi_value object, struct device_settings *device)
{
	if (!read_string(env, object, "device", device->name, sizeof device->name) ||
	    !read_number(env, object, "periodMs", &device->period_ms) ||
	    !read_number(env, object, "bufferMs", &device->buffer_ms))
		return false;
	if (device->period_ms <= 0 || device->period_ms > LONGEST_BUFFER_MS)
		return refuse(env, "periodMs", "above 0, at most 10000");
	if (device->buffer_ms <= 0 || device->buffer_ms > LONGEST_BUFFER_MS)
		return refuse(env, "bufferMs", "above 0, at most 10000");
	return true;
}

bool read_settings(napi_env env, napi_value object, struct stream_settings *settings)
{
	double delay_ms;
	memset(settings, 0, sizeof *settings);
	if (!read_device(env, object, &settings->device) ||
	    !read_number(env, object, "delayMs", &delay_ms) ||
	    !read_bool(env, object, "muted", &settings->muted) ||
	    !read_bool(env, object, "active", &settings->active))
		return false;
	if (delay_ms < 0 || delay_ms > DELAY_LONGEST_MS)
		return refuse(env, "delayMs", "0 to 800");
	settings->delay_samples = (uint32_t)lround(delay_ms * (OUTPUT_RATE_HZ / 1000));
	napi_value encoder = property(env, object, "encoder");
	if (encoder == NULL)
		return refuse(env, "encoder", "an object");
	return read_encoder(env, encoder, &settings->encoder);
}

bool read_playback_settings(napi_env env, napi_value object, struct playback_settings *settings)
{
	memset(settings, 0, sizeof *settings);
	if (!read_device(env, object, &settings->device) ||
	    !read_bool(env, object, "muted", &settings->muted) ||
	    !read_bool(env, object, "active", &settings->active) ||
	    !read_number(env, object, "lowWaterMs", &settings->low_water_ms))
		return false;
	if (settings->low_water_ms < 0 || settings->low_water_ms > RING_MS)
		return refuse(env, "lowWaterMs", "0 to 500, what the ring holds");
	return true;
}

bool read_samples(napi_env env, napi_value value, uint32_t *samples)
{
	double number;
	if (napi_get_value_double(env, value, &number) != napi_ok || !(number >= 0) ||
	    number > INT32_MAX || number != floor(number))
		return refuse(env, "samples", "a whole number, 0 or more");
	*samples = (uint32_t)number;
	return true;
}

bool read_pcm(napi_env env, napi_value value, uint32_t samples, float **pcm)
{
	napi_typedarray_type type;
	size_t length;
	void *data;
	if (napi_get_typedarray_info(env, value, &type, &length, &data, NULL, NULL) != napi_ok ||
	    type != napi_float32_array)
		return refuse(env, "pcm", "a Float32Array");
	if (length / OUTPUT_CHANNELS < samples) {
		char expected[64];
		snprintf(expected, sizeof expected, "of %u elements or more",
			 samples * OUTPUT_CHANNELS);
		return refuse(env, "pcm", expected);
	}
	*pcm = data;
	return true;
}

bool read_bytes(napi_env env, napi_value value, uint8_t **data, size_t *bytes)
{
	napi_typedarray_type type;
	void *start;
	if (napi_get_typedarray_info(env, value, &type, bytes, &start, NULL, NULL) != napi_ok ||
	    type != napi_uint8_array)
		return refuse(env, "packet", "a Uint8Array");
	*data = start;
	return true;
}

napi_value make_object(napi_env env)
{
	napi_value object = NULL;
	napi_create_object(env, &object);
	return object;
}

napi_value make_array(napi_env env)
{
	napi_value array = NULL;
	napi_create_array(env, &array);
	return array;
}

void put_in_array(napi_env env, napi_value array, uint32_t index, napi_value value)
{
	napi_set_element(env, array, index, value);
}

void put_value(napi_env env, napi_value object, const char *key, napi_value value)
{
	napi_set_named_property(env, object, key, value);
}

void put_number(napi_env env, napi_value object, const char *key, double value)
{
	napi_value number = NULL;
	napi_create_double(env, value, &number);
	put_value(env, object, key, number);
}

void put_bool(napi_env env, napi_value object, const char *key, bool value)
{
	napi_value flag = NULL;
	napi_get_boolean(env, value, &flag);
	put_value(env, object, key, flag);
}

void put_string(napi_env env, napi_value object, const char *key, const char *value)
{
	napi_value text = NULL;
	napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &text);
	put_value(env, object, key, text);
}

napi_value packet_value(napi_env env, const struct packet *packet)
{
	napi_value object = make_object(env);
	napi_value payload = NULL;
	napi_value time = NULL;
	napi_value encoded = NULL;
	napi_create_buffer_copy(env, packet->bytes, packet->payload, NULL, &payload);
	napi_create_bigint_int64(env, packet->capture_time_ns, &time);
	napi_create_bigint_int64(env, packet->encoded_ns, &encoded);
	put_value(env, object, "payload", payload);
	put_number(env, object, "samples", packet->samples);
	put_value(env, object, "captureTimeNs", time);
	put_value(env, object, "encodedNs", encoded);
	put_bool(env, object, "discontinuity", packet->discontinuity);
	return object;
}

static napi_value event_value(napi_env env, const struct event *event, const char *amount)
{
	napi_value object = make_object(env);
	switch (event->kind) {
	case EVENT_OPENED:
		put_string(env, object, "name", "opened");
		put_string(env, object, "device", event->device);
		put_number(env, object, "rateHz", event->rate_hz);
		put_number(env, object, "channels", event->channels);
		put_number(env, object, "periodMs", event->period_ms);
		put_number(env, object, "bufferMs", event->buffer_ms);
		break;
	case EVENT_LOST:
		put_string(env, object, "name", "lost");
		put_string(env, object, "device", event->device);
		put_string(env, object, "error", event->error);
		put_number(env, object, "retryMs", event->retry_ms);
		break;
	case EVENT_IDLE:
		put_string(env, object, "name", "idle");
		put_string(env, object, "device", event->device);
		put_bool(env, object, "idle", event->idle);
		break;
	case EVENT_XRUN:
		put_string(env, object, "name", "xrun");
		put_number(env, object, amount, (double)event->amount);
		break;
	case EVENT_REALTIME_REFUSED:
		put_string(env, object, "name", "realtime-refused");
		put_string(env, object, "error", event->error);
		break;
	}
	return object;
}

napi_value events_value(napi_env env, struct worker *worker, const char *amount)
{
	napi_value events = make_array(env);
	struct event event;
	for (uint32_t i = 0; worker_take_event(worker, &event); i++)
		put_in_array(env, events, i, event_value(env, &event, amount));
	return events;
}

/* What the stats of both directions have. */
static void put_device(napi_env env, napi_value object, const struct device_counters *counters,
		       unsigned int rate_hz, unsigned int channels)
{
	put_number(env, object, "deviceRateHz", rate_hz);
	put_number(env, object, "deviceChannels", channels);
	put_number(env, object, "xruns", (double)counters->xruns);
	put_number(env, object, "suspends", (double)counters->suspends);
	put_number(env, object, "reopens", (double)counters->reopens);
}

static void put_worker(napi_env env, napi_value object, const struct levels *levels,
		       const struct worker_state *worker)
{
	double peak;
	double rms;
	levels_dbfs(levels, &peak, &rms);
	put_number(env, object, "peakDbfs", peak);
	put_number(env, object, "rmsDbfs", rms);
	put_bool(env, object, "realtime", worker->realtime);
	put_number(env, object, "busyMs", (double)worker->busy_ns / 1e6);
}

napi_value stats_value(napi_env env, const struct stream_stats *stats)
{
	const struct stream_counters *counters = &stats->counters;
	const struct stream_window *window = &stats->window;
	double mean_ns = window->encode_count > 0 ?
				 (double)window->encode_total_ns / window->encode_count : 0;
	napi_value object = make_object(env);
	put_device(env, object, &counters->device, stats->rate_hz, stats->channels);
	put_number(env, object, "capturedSamples", (double)counters->captured_samples);
	put_number(env, object, "encodedFrames", (double)counters->encoded_frames);
	put_number(env, object, "encodedBytes", (double)counters->encoded_bytes);
	put_number(env, object, "droppedFrames", (double)stats->dropped_frames);
	put_number(env, object, "lostSamples", (double)counters->lost_samples);
	put_number(env, object, "encodeMeanUs", mean_ns / 1e3);
	put_number(env, object, "encodeMaxUs", (double)window->encode_longest_ns / 1e3);
	put_worker(env, object, &window->levels, &stats->worker);
	return object;
}

napi_value playback_stats_value(napi_env env, const struct playback_stats *stats)
{
	napi_value object = make_object(env);
	put_device(env, object, &stats->device, stats->rate_hz, stats->channels);
	put_number(env, object, "playedSamples", (double)stats->played_samples);
	put_number(env, object, "starvations", (double)stats->starvations);
	put_worker(env, object, &stats->levels, &stats->worker);
	return object;
}
