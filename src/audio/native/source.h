#ifndef EARSHOT_SOURCE_H
#define EARSHOT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

/* What follows the last sound when no more is there: 5 ms; and how sound begins: 2 ms. */
#define TAIL_SAMPLES 240
#define RISE_SAMPLES 96

/*
 * Sound without holes out of a ring that may run dry: 48 kHz stereo, as much as is asked for. The end is
 * made of the last 5 ms played backwards while they fade: it begins where the sound stopped, so nothing
 * clicks, and nothing has to be held back for it.
 */
struct source {
	/* Takes at most `frames` out of the ring; how many there were. */
	uint32_t (*take)(void *context, float *stereo, uint32_t frames);
	void *context;
	bool muted;
	float gain; /* 1, or on its way to or at 0 */
	bool sounding;
	uint32_t lead; /* silence still to come before the ring is looked at */
	uint32_t risen;
	float recent[TAIL_SAMPLES * OUTPUT_CHANNELS]; /* as it was heard before mute; the newest last */
	float tail[TAIL_SAMPLES * OUTPUT_CHANNELS];
	uint32_t tail_left;
	uint64_t played_samples;
	uint64_t starvations;
};

/* Fills `stereo`; returns how many frames of it came out of the ring. */
uint32_t source_read(struct source *source, float *stereo, uint32_t frames);

/* The sound ended for another reason than a dry ring; what comes next begins anew. */
void source_rest(struct source *source);

#endif
