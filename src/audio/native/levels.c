#include "levels.h"

#include <math.h>

#define SILENCE_DBFS (-120.0)

void levels_add(struct levels *levels, const float *samples, size_t count)
{
	float peak = levels->peak;
	float sum = 0;
	for (size_t i = 0; i < count; i++) {
		float magnitude = fabsf(samples[i]);
		if (magnitude > peak)
			peak = magnitude;
		sum += samples[i] * samples[i];
	}
	levels->peak = peak;
	levels->square_sum += (double)sum;
	levels->count += count;
}

void levels_merge(struct levels *levels, const struct levels *more)
{
	if (more->peak > levels->peak)
		levels->peak = more->peak;
	levels->square_sum += more->square_sum;
	levels->count += more->count;
}

static double to_dbfs(double amplitude)
{
	double dbfs = amplitude > 0 ? 20 * log10(amplitude) : SILENCE_DBFS;
	return dbfs > SILENCE_DBFS ? dbfs : SILENCE_DBFS;
}

void levels_dbfs(const struct levels *levels, double *peak, double *rms)
{
	double mean = levels->count > 0 ? levels->square_sum / (double)levels->count : 0;
	*peak = to_dbfs((double)levels->peak);
	*rms = to_dbfs(sqrt(mean));
}
