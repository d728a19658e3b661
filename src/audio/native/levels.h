#ifndef EARSHOT_LEVELS_H
#define EARSHOT_LEVELS_H

#include <stddef.h>
#include <stdint.h>

/* Level of the sound of a worker (captured: before mute; played: after it), since it was last taken. */
struct levels {
	float peak;
	double square_sum;
	uint64_t count;
};

/* Adds `count` samples, channels counted one by one. */
void levels_add(struct levels *levels, const float *samples, size_t count);

/* Adds what `more` has seen. */
void levels_merge(struct levels *levels, const struct levels *more);

/* Peak and RMS in dBFS, -120 for digital silence; a full-scale sine has an RMS of -3. */
void levels_dbfs(const struct levels *levels, double *peak, double *rms);

#endif
