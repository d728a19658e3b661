#ifndef EARSHOT_CONVERT_H
#define EARSHOT_CONVERT_H

#include <alsa/asoundlib.h>
#include <speex/speex_resampler.h>
#include <stdint.h>

/*
 * From what a device delivers to 48 kHz stereo float. Mono goes to both channels; of more than two the
 * first two (front left and right) are taken.
 */
struct converter {
	snd_pcm_format_t format;
	int rate_hz;
	int channels;
	uint32_t max_frames; /* of one call */
	SpeexResamplerState *resampler; /* NULL at 48 kHz */
	float *stereo;
	float *resampled;
	uint32_t resampled_capacity;
};

/* Formats that are understood, best first. */
extern const snd_pcm_format_t convertible_formats[];
extern const int convertible_format_count;

/* Allocates everything a call needs. 0, or -ENOMEM with nothing kept. */
int converter_open(struct converter *converter, snd_pcm_format_t format, int rate_hz, int channels,
		   uint32_t max_frames);
void converter_close(struct converter *converter);

/* Forgets what came before. */
void converter_reset(struct converter *converter);

/* Interleaved device samples to interleaved stereo at the device's rate; at most `max_frames`. */
const float *converter_stereo(struct converter *converter, const void *samples, uint32_t frames);

/*
 * That stereo at 48 kHz. The k-th frame out since the device was opened belongs to the moment of frame
 * k * rate_hz / 48000 in: the filter's own delay is taken out.
 */
const float *converter_resample(struct converter *converter, const float *stereo, uint32_t frames,
				uint32_t *frames_out);

#endif
