#ifndef EARSHOT_LEVELS_H
#define EARSHOT_LEVELS_H

#include <stddef.h>
#include <stdint.h>

/* Level of what was captured (before mute), since it was last taken. */
struct levels {
	float peak;
	double square_sum;
	uint64_t count;
};

/* Adds `count` samples, channels counted one by one. */
void levels_add(struct levels *levels, const float *samples, size_t count);

/* Peak and RMS in dBFS, -120 for digital silence; a full-scale sine has an RMS of -3. */
void levels_dbfs(const struct levels *levels, double *peak, double *rms);

#endif
