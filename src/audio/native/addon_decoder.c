#include <stdlib.h>

#include "addon_handle.h"
#include "addon_values.h"
#include "decoder.h"

/* What JavaScript holds of a decoder: closed by close() or the garbage collector. */
struct held_decoder {
	enum handle_kind kind;
	OpusDecoder *opus; /* NULL once closed */
};

static void close_decoder(struct held_decoder *decoder)
{
	if (decoder->opus != NULL)
		opus_decoder_destroy(decoder->opus);
	decoder->opus = NULL;
}

static void finalize_decoder(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	close_decoder(data);
	free(data);
}

static struct held_decoder *decoder_argument(napi_env env, napi_callback_info info, size_t count,
					     napi_value *values)
{
	if (!arguments(env, info, count, values))
		return NULL;
	struct held_decoder *decoder = held(env, values[0], HANDLE_DECODER);
	if (decoder != NULL && decoder->opus != NULL)
		return decoder;
	napi_throw_error(env, NULL, "the decoder is closed");
	return NULL;
}

static napi_value number(napi_env env, int value)
{
	napi_value result = NULL;
	napi_create_int32(env, value, &result);
	return result;
}

/* openDecoder(). */
static napi_value js_open(napi_env env, napi_callback_info info)
{
	(void)info;
	int error = OPUS_OK;
	struct held_decoder *decoder = calloc(1, sizeof *decoder);
	if (decoder != NULL) {
		decoder->kind = HANDLE_DECODER;
		decoder->opus = opus_decoder_create(OUTPUT_RATE_HZ, OUTPUT_CHANNELS, &error);
	}
	napi_value external = NULL;
	if (decoder == NULL || decoder->opus == NULL ||
	    napi_create_external(env, decoder, finalize_decoder, NULL, &external) != napi_ok) {
		if (decoder != NULL)
			close_decoder(decoder);
		free(decoder);
		napi_throw_error(env, NULL, "the decoder cannot be made");
		return NULL;
	}
	return external;
}

/* decode(decoder, packet, pcm): samples decoded; 0 when it is no packet. */
static napi_value js_decode(napi_env env, napi_callback_info info)
{
	napi_value values[3];
	struct held_decoder *decoder = decoder_argument(env, info, 3, values);
	uint8_t *packet;
	size_t bytes;
	float *pcm;
	if (decoder == NULL || !read_bytes(env, values[1], &packet, &bytes))
		return NULL;
	int samples = decoder_samples(packet, bytes);
	if (!read_pcm(env, values[2], (uint32_t)samples, &pcm))
		return NULL;
	return number(env, decoder_decode(decoder->opus, packet, bytes, pcm));
}

/* decodeFec(decoder, next, samples, pcm): samples of what was lost before `next`. */
static napi_value js_decode_fec(napi_env env, napi_callback_info info)
{
	napi_value values[4];
	struct held_decoder *decoder = decoder_argument(env, info, 4, values);
	uint8_t *packet;
	size_t bytes;
	uint32_t samples;
	float *pcm;
	if (decoder == NULL || !read_bytes(env, values[1], &packet, &bytes) ||
	    !read_samples(env, values[2], &samples) || !read_pcm(env, values[3], samples, &pcm))
		return NULL;
	return number(env,
		      decoder_decode_fec(decoder->opus, packet, bytes, (int)samples, pcm));
}

/* hasFec(packet): whether it carries the sound before it. */
static napi_value js_has_fec(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	uint8_t *packet;
	size_t bytes;
	if (!arguments(env, info, 1, values) || !read_bytes(env, values[0], &packet, &bytes))
		return NULL;
	napi_value result = NULL;
	napi_get_boolean(env, decoder_has_fec(packet, bytes), &result);
	return result;
}

/* conceal(decoder, samples, pcm): samples made up. */
static napi_value js_conceal(napi_env env, napi_callback_info info)
{
	napi_value values[3];
	struct held_decoder *decoder = decoder_argument(env, info, 3, values);
	uint32_t samples;
	float *pcm;
	if (decoder == NULL || !read_samples(env, values[1], &samples) ||
	    !read_pcm(env, values[2], samples, &pcm))
		return NULL;
	return number(env, decoder_conceal(decoder->opus, (int)samples, pcm));
}

/* resetDecoder(decoder): as if nothing had been decoded. */
static napi_value js_reset(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	struct held_decoder *decoder = decoder_argument(env, info, 1, values);
	if (decoder != NULL)
		opus_decoder_ctl(decoder->opus, OPUS_RESET_STATE);
	return NULL;
}

/* closeDecoder(decoder); a second time does nothing. */
static napi_value js_close(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	if (!arguments(env, info, 1, values))
		return NULL;
	struct held_decoder *decoder = held(env, values[0], HANDLE_DECODER);
	if (decoder != NULL)
		close_decoder(decoder);
	return NULL;
}

void export_decoder(napi_env env, napi_value exports)
{
	export_function(env, exports, "openDecoder", js_open);
	export_function(env, exports, "decode", js_decode);
	export_function(env, exports, "decodeFec", js_decode_fec);
	export_function(env, exports, "hasFec", js_has_fec);
	export_function(env, exports, "conceal", js_conceal);
	export_function(env, exports, "resetDecoder", js_reset);
	export_function(env, exports, "closeDecoder", js_close);
}
