#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addon_handle.h"
#include "addon_values.h"
#include "encoder.h"

/* An encoder of its own, for sound that is no capture's; called and freed by JavaScript's thread alone. */
struct held_encoder {
	enum handle_kind kind;
	struct encoder *encoder; /* NULL once closed */
	int frame_samples;
	float stereo[MAX_FRAME_SAMPLES * OUTPUT_CHANNELS];
};

static void close_encoder(struct held_encoder *held)
{
	encoder_free(held->encoder);
	held->encoder = NULL;
}

static void finalize_encoder(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	close_encoder(data);
	free(data);
}

static struct held_encoder *encoder_argument(napi_env env, napi_callback_info info, size_t count,
					     napi_value *values)
{
	if (!arguments(env, info, count, values))
		return NULL;
	struct held_encoder *encoder = held(env, values[0], HANDLE_ENCODER);
	if (encoder != NULL && encoder->encoder != NULL)
		return encoder;
	napi_throw_error(env, NULL, "the encoder is closed");
	return NULL;
}

/* openEncoder(settings). */
static napi_value js_open(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct encoder_settings settings;
	if (!arguments(env, info, 1, values) || !read_encoder(env, values[0], &settings))
		return NULL;
	struct held_encoder *encoder = calloc(1, sizeof *encoder);
	if (encoder != NULL) {
		encoder->kind = HANDLE_ENCODER;
		encoder->frame_samples = settings.frame_samples;
		encoder->encoder = encoder_create(&settings);
	}
	napi_value external = NULL;
	if (encoder == NULL || encoder->encoder == NULL ||
	    napi_create_external(env, encoder, finalize_encoder, NULL, &external) != napi_ok) {
		if (encoder != NULL)
			close_encoder(encoder);
		free(encoder);
		napi_throw_error(env, NULL, "the encoder cannot be made");
		return NULL;
	}
	return external;
}

static void read_s16(const uint8_t *pcm, int samples, float *stereo)
{
	for (int i = 0; i < samples * OUTPUT_CHANNELS; i++) {
		uint16_t value;
		memcpy(&value, pcm + 2 * i, sizeof value);
		stereo[i] = (float)(int16_t)le16toh(value) / 32768;
	}
}

/* encode(encoder, pcm): one packet of one frame of interleaved s16le stereo. */
static napi_value js_encode(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	struct held_encoder *encoder = encoder_argument(env, info, 2, values);
	uint8_t *pcm;
	size_t bytes;
	if (encoder == NULL || !read_bytes(env, values[1], &pcm, &bytes))
		return NULL;
	size_t wanted = (size_t)encoder->frame_samples * OUTPUT_CHANNELS * sizeof(int16_t);
	if (bytes != wanted) {
		char message[80];
		snprintf(message, sizeof message, "pcm must be one frame, %zu bytes", wanted);
		napi_throw_type_error(env, NULL, message);
		return NULL;
	}
	uint8_t packet[MAX_PACKET_BYTES];
	read_s16(pcm, encoder->frame_samples, encoder->stereo);
	int length = encoder_encode(encoder->encoder, encoder->stereo, encoder->frame_samples, packet);
	napi_value buffer = NULL;
	if (length <= 0)
		napi_throw_error(env, NULL, "Opus does not encode the frame");
	else
		napi_create_buffer_copy(env, (size_t)length, packet, NULL, &buffer);
	return buffer;
}

/* resetEncoder(encoder): as if nothing had been encoded. */
static napi_value js_reset(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct held_encoder *encoder = encoder_argument(env, info, 1, values);
	if (encoder != NULL)
		encoder_reset(encoder->encoder);
	return NULL;
}

/* closeEncoder(encoder); a second time does nothing. */
static napi_value js_close(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (!arguments(env, info, 1, values))
		return NULL;
	struct held_encoder *encoder = held(env, values[0], HANDLE_ENCODER);
	if (encoder != NULL)
		close_encoder(encoder);
	return NULL;
}

void export_encoder(napi_env env, napi_value exports)
{
	export_function(env, exports, "openEncoder", js_open);
	export_function(env, exports, "encode", js_encode);
	export_function(env, exports, "resetEncoder", js_reset);
	export_function(env, exports, "closeEncoder", js_close);
}
