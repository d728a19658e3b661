#include "source.h"

#include <string.h>

#include "fade.h"

static void remember(struct source *source, const float *stereo, uint32_t frames)
{
	uint32_t kept = frames < TAIL_SAMPLES ? frames : TAIL_SAMPLES;
	uint32_t older = TAIL_SAMPLES - kept;
	memmove(source->recent, source->recent + kept * OUTPUT_CHANNELS,
		(size_t)older * OUTPUT_CHANNELS * sizeof(float));
	memcpy(source->recent + older * OUTPUT_CHANNELS,
	       stereo + (frames - kept) * OUTPUT_CHANNELS,
	       (size_t)kept * OUTPUT_CHANNELS * sizeof(float));
}

/* A tail that still sounds is part of what was heard, and so of the new one. */
static void make_tail(struct source *source)
{
	for (uint32_t i = 0; i < TAIL_SAMPLES; i++) {
		float left = (float)(TAIL_SAMPLES - 1 - i) / TAIL_SAMPLES;
		const float *mirrored = source->recent + (TAIL_SAMPLES - 1 - i) * OUTPUT_CHANNELS;
		source->tail[2 * i] = mirrored[0] * left;
		source->tail[2 * i + 1] = mirrored[1] * left;
	}
	source->tail_left = TAIL_SAMPLES;
}

static void rise(struct source *source, float *stereo, uint32_t frames)
{
	for (uint32_t i = 0; i < frames && source->risen < RISE_SAMPLES; i++) {
		float gain = (float)source->risen++ / RISE_SAMPLES;
		stereo[2 * i] *= gain;
		stereo[2 * i + 1] *= gain;
	}
}

/* Sound that is back while the tail still sounds is heard with it. */
static void add_tail(struct source *source, float *stereo, uint32_t frames)
{
	uint32_t count = source->tail_left < frames ? source->tail_left : frames;
	const float *tail = source->tail + (TAIL_SAMPLES - source->tail_left) * OUTPUT_CHANNELS;
	for (uint32_t i = 0; i < count * OUTPUT_CHANNELS; i++)
		stereo[i] += tail[i];
	source->tail_left -= count;
}

static void finish(struct source *source, float *stereo, uint32_t frames)
{
	add_tail(source, stereo, frames);
	remember(source, stereo, frames);
}

uint32_t source_read(struct source *source, float *stereo, uint32_t frames)
{
	uint32_t lead = source->lead < frames ? source->lead : frames;
	float *sound = stereo + lead * OUTPUT_CHANNELS;
	uint32_t taken = 0;
	source->lead -= lead;
	memset(stereo, 0, (size_t)lead * OUTPUT_CHANNELS * sizeof(float));
	if (lead < frames)
		taken = source->take(source->context, sound, frames - lead);
	uint32_t end = lead + taken;
	memset(stereo + end * OUTPUT_CHANNELS, 0,
	       (size_t)(frames - end) * OUTPUT_CHANNELS * sizeof(float));
	if (taken > 0 && (lead > 0 || !source->sounding))
		source->risen = 0;
	source->sounding |= taken > 0;
	rise(source, sound, taken);
	if (end < frames && source->sounding) {
		finish(source, stereo, end);
		source->sounding = false;
		source->starvations++;
		make_tail(source);
		finish(source, stereo + end * OUTPUT_CHANNELS, frames - end);
	} else {
		finish(source, stereo, frames);
	}
	source->played_samples += taken;
	fade_apply(&source->gain, source->muted, stereo, frames);
	return taken;
}

void source_rest(struct source *source)
{
	source->sounding = false;
	source->lead = 0;
	source->tail_left = 0;
}
