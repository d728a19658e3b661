#include "playback.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "monotonic.h"
#include "player.h"

static void release(void *owner)
{
	struct playback *playback = owner;
	worker_destroy(&playback->worker);
	free(playback);
}

int playback_open(struct playback **opened, const struct playback_options *options)
{
	struct playback *playback = calloc(1, sizeof *playback);
	if (playback == NULL)
		return -ENOMEM;
	playback->settings = options->settings;
	int error = worker_init(&playback->worker, &(struct worker_options){
							   .run = player_run,
							   .release = release,
							   .owner = playback,
							   .hotplug_directory = options->hotplug_directory,
							   .wake = options->wake,
							   .wake_context = options->wake_context,
						   });
	if (error < 0) {
		free(playback);
		return error;
	}
	error = worker_start(&playback->worker);
	if (error < 0) {
		release(playback);
		return error;
	}
	*opened = playback;
	return 0;
}

uint64_t playback_configure(struct playback *playback, const struct playback_settings *settings)
{
	worker_lock(&playback->worker);
	playback->settings = *settings;
	uint64_t generation = worker_next_generation(&playback->worker);
	worker_unlock(&playback->worker);
	worker_notify(&playback->worker);
	return generation;
}

/* What is no number would stay in every filter behind. */
static void copy_in(float *to, const float *from, uint32_t samples)
{
	for (uint32_t i = 0; i < samples * OUTPUT_CHANNELS; i++)
		to[i] = isfinite(from[i]) ? from[i] : 0;
}

uint32_t playback_write(struct playback *playback, const float *stereo, uint32_t samples)
{
	worker_lock(&playback->worker);
	uint32_t room = playback->flowing ? RING_SAMPLES - playback->ring_count : 0;
	uint32_t taken = samples < room ? samples : room;
	uint32_t end = (playback->ring_at + playback->ring_count) % RING_SAMPLES;
	uint32_t first = taken < RING_SAMPLES - end ? taken : RING_SAMPLES - end;
	copy_in(playback->ring + end * OUTPUT_CHANNELS, stereo, first);
	copy_in(playback->ring, stereo + first * OUTPUT_CHANNELS, taken - first);
	playback->ring_count += taken;
	worker_unlock(&playback->worker);
	return taken;
}

uint32_t playback_take(struct playback *playback, float *stereo, uint32_t frames)
{
	const size_t bytes = OUTPUT_CHANNELS * sizeof(float);
	worker_lock(&playback->worker);
	uint32_t taken = frames < playback->ring_count ? frames : playback->ring_count;
	uint32_t at = playback->ring_at;
	uint32_t first = taken < RING_SAMPLES - at ? taken : RING_SAMPLES - at;
	memcpy(stereo, playback->ring + at * OUTPUT_CHANNELS, first * bytes);
	memcpy(stereo + first * OUTPUT_CHANNELS, playback->ring, (taken - first) * bytes);
	playback->ring_at = (at + taken) % RING_SAMPLES;
	playback->ring_count -= taken;
	playback->in_flight += taken;
	worker_unlock(&playback->worker);
	return taken;
}

void playback_queued(struct playback *playback, double *ring, double *behind)
{
	worker_lock(&playback->worker);
	*ring = playback->ring_count;
	*behind = -1;
	if (playback->flowing) {
		/* The device played on since. */
		double played = (double)(monotonic_ns() - playback->delay_ns) * OUTPUT_RATE_HZ /
				(double)NS_PER_S;
		*behind = fmax(playback->delay - fmax(played, 0), 0) + playback->held +
			  playback->in_flight;
	}
	worker_unlock(&playback->worker);
}

void playback_set_drift(struct playback *playback, double ppm)
{
	worker_lock(&playback->worker);
	playback->drift_ppm = ppm;
	worker_unlock(&playback->worker);
}

bool playback_take_need(struct playback *playback)
{
	worker_lock(&playback->worker);
	bool needs = playback->needs;
	playback->needs = false;
	worker_unlock(&playback->worker);
	return needs;
}

void playback_take_stats(struct playback *playback, struct playback_stats *stats)
{
	worker_lock(&playback->worker);
	*stats = playback->stats;
	stats->worker = worker_state(&playback->worker);
	playback->stats.levels = (struct levels){ 0 };
	worker_unlock(&playback->worker);
}
