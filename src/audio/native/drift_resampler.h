#ifndef EARSHOT_DRIFT_RESAMPLER_H
#define EARSHOT_DRIFT_RESAMPLER_H

#include <speex/speex_resampler.h>
#include <stdint.h>

#define LARGEST_DRIFT_PPM 20000.0

/*
 * 48 kHz stereo to a device's rate, a little faster or slower as told, without a click.
 */
struct drift_resampler {
	SpeexResamplerState *state;
	uint32_t rate_hz;
	double wanted;      /* frames in for one out */
	uint32_t numerator; /* what speex runs with */
	double owed;        /* frames in that should have been taken and were not */
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

/* Sound that it holds back, in frames at 48 kHz. */
uint32_t drift_resampler_delay(const struct drift_resampler *resampler);

#endif
