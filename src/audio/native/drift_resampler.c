#include "drift_resampler.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>

#include "settings.h"

/*
 * Every ratio is a fraction over this prime, so that speex never cancels it: its fine position within a
 * sample then survives each change, and it never leaves interpolation for the table of a plain ratio.
 * Larger ones overflow its 32-bit arithmetic, which refuses them.
 */
#define DENOMINATOR 65521

/*
 * One step of the numerator is 15 ppm. What lies between two is had by taking turns every 40 ms, which
 * moves the sound by a third of a microsecond at most. Each turn costs a new filter table: 35 us on
 * x86_64.
 */
#define TURN_SAMPLES (OUTPUT_RATE_HZ / 25)

static uint32_t choose(const struct drift_resampler *resampler)
{
	double exact = resampler->wanted * DENOMINATOR;
	uint32_t below = (uint32_t)exact;
	uint32_t above = below + 1;
	/* A whole multiple would cancel. */
	if (below % DENOMINATOR == 0)
		below--;
	if (above % DENOMINATOR == 0)
		above++;
	return resampler->owed > 0 ? above : below;
}

static void turn(struct drift_resampler *resampler)
{
	uint32_t numerator = choose(resampler);
	resampler->steady = 0;
	if (numerator == resampler->numerator)
		return;
	if (speex_resampler_set_rate_frac(resampler->state, numerator, DENOMINATOR, OUTPUT_RATE_HZ,
					  resampler->rate_hz) == RESAMPLER_ERR_SUCCESS)
		resampler->numerator = numerator;
}

int drift_resampler_open(struct drift_resampler *resampler, uint32_t rate_hz)
{
	*resampler = (struct drift_resampler){
		.rate_hz = rate_hz,
		.wanted = (double)OUTPUT_RATE_HZ / rate_hz,
	};
	resampler->numerator = choose(resampler);
	int error = 0;
	resampler->state =
		speex_resampler_init_frac(OUTPUT_CHANNELS, resampler->numerator, DENOMINATOR,
					  OUTPUT_RATE_HZ, rate_hz, RESAMPLER_QUALITY, &error);
	if (resampler->state == NULL)
		return -ENOMEM;
	resampler->delay = (uint32_t)speex_resampler_get_input_latency(resampler->state);
	return 0;
}

void drift_resampler_close(struct drift_resampler *resampler)
{
	if (resampler->state != NULL)
		speex_resampler_destroy(resampler->state);
	*resampler = (struct drift_resampler){ 0 };
}

void drift_resampler_reset(struct drift_resampler *resampler)
{
	speex_resampler_reset_mem(resampler->state);
}

void drift_resampler_set(struct drift_resampler *resampler, double drift_ppm)
{
	double ppm = fmin(fmax(drift_ppm, -LARGEST_DRIFT_PPM), LARGEST_DRIFT_PPM);
	double wanted = (double)OUTPUT_RATE_HZ / resampler->rate_hz * (1 + ppm / 1e6);
	if (wanted == resampler->wanted)
		return;
	resampler->wanted = wanted;
	turn(resampler);
}

uint32_t drift_resampler_needs(const struct drift_resampler *resampler, uint32_t frames_out)
{
	double frames = floor(frames_out * resampler->wanted);
	return frames < 1 ? 1 : (uint32_t)frames;
}

void drift_resampler_process(struct drift_resampler *resampler, const float *in, uint32_t *in_frames,
			     float *out, uint32_t *out_frames)
{
	if (resampler->steady >= TURN_SAMPLES)
		turn(resampler);
	spx_uint32_t taken = *in_frames;
	spx_uint32_t made = *out_frames;
	speex_resampler_process_interleaved_float(resampler->state, in, &taken, out, &made);
	resampler->steady += made;
	resampler->owed +=
		made * (resampler->wanted - (double)resampler->numerator / DENOMINATOR);
	*in_frames = taken;
	*out_frames = made;
}
