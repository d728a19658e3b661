#ifndef EARSHOT_PACE_H
#define EARSHOT_PACE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Keeps a PCM without a clock of its own (`null`, `file`) to real time: it would otherwise take or give
 * sound as fast as the processor runs. A bucket of frames that fills a quarter faster than any device's
 * clock can run, and at exactly its rate once it was found empty. Devices with a clock never notice it, not even
 * when they have kept two seconds for a machine that stood still; what is not read then would be delay for good.
 */
struct pace {
	double rate_hz;
	double capacity;
	double frames;
	int64_t last_ns;
	bool clockless;
};

void pace_start(struct pace *pace, uint32_t rate_hz, uint64_t buffer_frames, int64_t now_ns);

/* How many frames may pass now: `wanted`, or as many as there are. */
uint64_t pace_allow(struct pace *pace, uint64_t wanted, int64_t now_ns);

/* They passed. */
void pace_take(struct pace *pace, uint64_t frames);

#endif
