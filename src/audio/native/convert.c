#include "convert.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

const snd_pcm_format_t convertible_formats[] = {
	SND_PCM_FORMAT_S16_LE,  SND_PCM_FORMAT_S32_LE,   SND_PCM_FORMAT_S24_3LE,
	SND_PCM_FORMAT_S24_LE,  SND_PCM_FORMAT_FLOAT_LE,
};
const int convertible_format_count = sizeof convertible_formats / sizeof convertible_formats[0];

int converter_open(struct converter *converter, snd_pcm_format_t format, int rate_hz, int channels,
		   uint32_t max_frames)
{
	*converter = (struct converter){
		.format = format,
		.rate_hz = rate_hz,
		.channels = channels,
		.max_frames = max_frames,
	};
	converter->stereo = calloc((size_t)max_frames * OUTPUT_CHANNELS, sizeof(float));
	if (converter->stereo == NULL)
		return -ENOMEM;
	if (rate_hz == OUTPUT_RATE_HZ)
		return 0;
	/* A few frames more than the ratio gives: the filter holds some back and lets them go later. */
	uint64_t capacity = (uint64_t)max_frames * OUTPUT_RATE_HZ / (uint64_t)rate_hz + 64;
	converter->resampled_capacity = (uint32_t)capacity;
	converter->resampled = calloc(capacity * OUTPUT_CHANNELS, sizeof(float));
	int error = 0;
	converter->resampler = speex_resampler_init(OUTPUT_CHANNELS, (uint32_t)rate_hz,
						    OUTPUT_RATE_HZ, RESAMPLER_QUALITY, &error);
	if (converter->resampled == NULL || converter->resampler == NULL) {
		converter_close(converter);
		return -ENOMEM;
	}
	speex_resampler_skip_zeros(converter->resampler);
	return 0;
}

void converter_close(struct converter *converter)
{
	if (converter->resampler != NULL)
		speex_resampler_destroy(converter->resampler);
	free(converter->stereo);
	free(converter->resampled);
	*converter = (struct converter){ 0 };
}

void converter_reset(struct converter *converter)
{
	if (converter->resampler == NULL)
		return;
	speex_resampler_reset_mem(converter->resampler);
	speex_resampler_skip_zeros(converter->resampler);
}

/* One sample at any alignment; formats are little-endian whatever the machine is. */
static inline float sample_at(snd_pcm_format_t format, const uint8_t *bytes)
{
	uint16_t half;
	uint32_t word;
	float real;
	switch (format) {
	case SND_PCM_FORMAT_S16_LE:
		memcpy(&half, bytes, sizeof half);
		return (float)(int16_t)le16toh(half) * (1.0F / 32768);
	case SND_PCM_FORMAT_S32_LE:
		memcpy(&word, bytes, sizeof word);
		return (float)(int32_t)le32toh(word) * (1.0F / 2147483648);
	case SND_PCM_FORMAT_S24_3LE:
		word = (uint32_t)bytes[0] << 8 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 24;
		return (float)(int32_t)word * (1.0F / 2147483648);
	case SND_PCM_FORMAT_S24_LE:
		memcpy(&word, bytes, sizeof word);
		return (float)(int32_t)(le32toh(word) << 8) * (1.0F / 2147483648);
	default:
		memcpy(&word, bytes, sizeof word);
		word = le32toh(word);
		memcpy(&real, &word, sizeof real);
		return real;
	}
}

static inline void to_stereo(float *stereo, const uint8_t *bytes, uint32_t frames, int channels,
			     size_t sample_bytes, snd_pcm_format_t format)
{
	size_t right = channels > 1 ? sample_bytes : 0;
	size_t frame_bytes = (size_t)channels * sample_bytes;
	for (uint32_t i = 0; i < frames; i++, bytes += frame_bytes) {
		stereo[2 * i] = sample_at(format, bytes);
		stereo[2 * i + 1] = sample_at(format, bytes + right);
	}
}

/* Each case is its own loop with the format known to the compiler: no branch per sample. */
const float *converter_stereo(struct converter *converter, const void *samples, uint32_t frames)
{
	float *stereo = converter->stereo;
	int channels = converter->channels;
	switch (converter->format) {
	case SND_PCM_FORMAT_S16_LE:
		to_stereo(stereo, samples, frames, channels, 2, SND_PCM_FORMAT_S16_LE);
		break;
	case SND_PCM_FORMAT_S32_LE:
		to_stereo(stereo, samples, frames, channels, 4, SND_PCM_FORMAT_S32_LE);
		break;
	case SND_PCM_FORMAT_S24_3LE:
		to_stereo(stereo, samples, frames, channels, 3, SND_PCM_FORMAT_S24_3LE);
		break;
	case SND_PCM_FORMAT_S24_LE:
		to_stereo(stereo, samples, frames, channels, 4, SND_PCM_FORMAT_S24_LE);
		break;
	default:
		to_stereo(stereo, samples, frames, channels, 4, SND_PCM_FORMAT_FLOAT_LE);
		break;
	}
	return stereo;
}

const float *converter_resample(struct converter *converter, const float *stereo, uint32_t frames,
				uint32_t *frames_out)
{
	if (converter->resampler == NULL) {
		*frames_out = frames;
		return stereo;
	}
	spx_uint32_t taken = frames;
	spx_uint32_t made = converter->resampled_capacity;
	speex_resampler_process_interleaved_float(converter->resampler, stereo, &taken,
						  converter->resampled, &made);
	*frames_out = made;
	return converter->resampled;
}
