#ifndef EARSHOT_DRIFT_RESAMPLER_H
#define EARSHOT_DRIFT_RESAMPLER_H

#include <speex/speex_resampler.h>
#include <stdint.h>

#define LARGEST_DRIFT_PPM 20000.0

/*
 * 48 kHz stereo to a device's rate, a little faster or slower as told, without a click.
 *
 * Measured (speexdsp 1.2.1, quality 6) on sines of 1 and 10 kHz against the sine at the place where each
 * sample should be: with the ratio swept between -1000 and +1000 ppm, jumping between the two or between
 * -20000 and +20000 every few ms, and taking turns around 0, the error is at most 4e-6 of full scale
 * (SNR above 107 dB), as good as standing still. With fractions that cancel (n/50000) speex loses its
 * place within the sample at every change: the sound is off by samples after a sweep.
 */
struct drift_resampler {
	SpeexResamplerState *state;
	uint32_t rate_hz;
	double wanted;      /* frames in for one out */
	uint32_t numerator; /* what speex runs with */
	double owed;        /* frames in that should have been taken and were not */
	uint32_t delay;     /* frames at 48 kHz that it holds back, whatever the drift */
	uint32_t steady;    /* frames out since the numerator was last chosen */
};

/* 0, or -ENOMEM with nothing kept. */
int drift_resampler_open(struct drift_resampler *resampler, uint32_t rate_hz);
void drift_resampler_close(struct drift_resampler *resampler);

/* Forgets what came before. */
void drift_resampler_reset(struct drift_resampler *resampler);

/* Positive: sound is used up faster than 48 kHz of the device's own clock. */
void drift_resampler_set(struct drift_resampler *resampler, double drift_ppm);

/* About how many frames in give so many out; at least 1. */
uint32_t drift_resampler_needs(const struct drift_resampler *resampler, uint32_t frames_out);

/* Takes at most `*in_frames` and makes at most `*out_frames`; both are set to what was done. */
void drift_resampler_process(struct drift_resampler *resampler, const float *in, uint32_t *in_frames,
			     float *out, uint32_t *out_frames);

#endif
