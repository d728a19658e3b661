#include "interleave.h"

#include <endian.h>
#include <math.h>
#include <string.h>

/* A whole number of `scale` steps within what the format holds. */
static inline int32_t quantise(float value, double scale)
{
	double scaled = (double)value * scale;
	if (scaled > scale - 1)
		return (int32_t)(scale - 1);
	return scaled < -scale ? (int32_t)-scale : (int32_t)lrint(scaled);
}

/* One sample at any alignment; formats are little-endian whatever the machine is. */
static inline void put_sample(uint8_t *bytes, snd_pcm_format_t format, float value)
{
	uint16_t half;
	uint32_t word;
	switch (format) {
	case SND_PCM_FORMAT_S16_LE:
		half = htole16((uint16_t)(int16_t)quantise(value, 32768));
		memcpy(bytes, &half, sizeof half);
		break;
	case SND_PCM_FORMAT_S32_LE:
		word = htole32((uint32_t)quantise(value, 2147483648));
		memcpy(bytes, &word, sizeof word);
		break;
	case SND_PCM_FORMAT_S24_3LE:
		word = (uint32_t)quantise(value, 8388608);
		bytes[0] = (uint8_t)word;
		bytes[1] = (uint8_t)(word >> 8);
		bytes[2] = (uint8_t)(word >> 16);
		break;
	case SND_PCM_FORMAT_S24_LE:
		word = htole32((uint32_t)quantise(value, 8388608));
		memcpy(bytes, &word, sizeof word);
		break;
	default:
		value = fminf(fmaxf(value, -1), 1);
		memcpy(&word, &value, sizeof word);
		word = htole32(word);
		memcpy(bytes, &word, sizeof word);
		break;
	}
}

static inline void put_frames(uint8_t *bytes, snd_pcm_format_t format, unsigned int channels,
			      const float *stereo, uint32_t frames, size_t sample_bytes)
{
	for (uint32_t i = 0; i < frames; i++, bytes += channels * sample_bytes) {
		float left = stereo[2 * i];
		float right = stereo[2 * i + 1];
		if (channels == 1) {
			put_sample(bytes, format, 0.5F * (left + right));
			continue;
		}
		put_sample(bytes, format, left);
		put_sample(bytes + sample_bytes, format, right);
		memset(bytes + 2 * sample_bytes, 0, (channels - 2) * sample_bytes);
	}
}

/* Each case is its own loop with the format known to the compiler: no branch per sample. */
void interleave(void *samples, snd_pcm_format_t format, unsigned int channels, const float *stereo,
		uint32_t frames)
{
	switch (format) {
	case SND_PCM_FORMAT_S16_LE:
		put_frames(samples, SND_PCM_FORMAT_S16_LE, channels, stereo, frames, 2);
		break;
	case SND_PCM_FORMAT_S32_LE:
		put_frames(samples, SND_PCM_FORMAT_S32_LE, channels, stereo, frames, 4);
		break;
	case SND_PCM_FORMAT_S24_3LE:
		put_frames(samples, SND_PCM_FORMAT_S24_3LE, channels, stereo, frames, 3);
		break;
	case SND_PCM_FORMAT_S24_LE:
		put_frames(samples, SND_PCM_FORMAT_S24_LE, channels, stereo, frames, 4);
		break;
	default:
		put_frames(samples, SND_PCM_FORMAT_FLOAT_LE, channels, stereo, frames, 4);
		break;
	}
}
