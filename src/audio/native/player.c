#include "player.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "levels.h"
#include "monotonic.h"
#include "playback.h"
#include "playback_device.h"
#include "source.h"

/* Sound is taken out of the ring for one chunk at a time: what is left over is a few samples. */
#define STAGED_SAMPLES 1024

struct player {
	struct playback *playback;
	struct playback_device device;
	struct device_counters counters;
	struct source source;
	struct levels levels;
	bool active;
	bool flowing; /* at the end of the last wake-up */
	uint32_t low_water_samples;
	float staged[STAGED_SAMPLES * OUTPUT_CHANNELS];
	uint32_t staged_at;
	uint32_t staged_end;
};

static uint32_t take_from_ring(void *context, float *stereo, uint32_t frames)
{
	struct player *player = context;
	return playback_take(player->playback, stereo, frames);
}

static void stage(struct player *player, uint32_t frames)
{
	player->staged_at = 0;
	player->staged_end = frames < STAGED_SAMPLES ? frames : STAGED_SAMPLES;
	source_read(&player->source, player->staged, player->staged_end);
	levels_add(&player->levels, player->staged,
		   (size_t)player->staged_end * OUTPUT_CHANNELS);
}

static void render(void *context, float *stereo, uint32_t frames)
{
	struct player *player = context;
	struct drift_resampler *resampler = &player->device.resampler;
	for (uint32_t made = 0; made < frames;) {
		if (player->staged_at == player->staged_end)
			stage(player, drift_resampler_needs(resampler, frames - made));
		uint32_t in = player->staged_end - player->staged_at;
		uint32_t out = frames - made;
		drift_resampler_process(resampler,
					player->staged + player->staged_at * OUTPUT_CHANNELS, &in,
					stereo + made * OUTPUT_CHANNELS, &out);
		player->staged_at += in;
		made += out;
	}
}

/* What was meant for then is not to be heard later. */
static void rest(struct player *player)
{
	source_rest(&player->source);
	player->staged_at = 0;
	player->staged_end = 0;
	worker_lock(&player->playback->worker);
	player->playback->ring_count = 0;
	player->playback->in_flight = 0;
	worker_unlock(&player->playback->worker);
}

static void apply_settings(struct player *player)
{
	struct playback *playback = player->playback;
	worker_lock(&playback->worker);
	uint64_t generation = playback->worker.generation;
	bool changed = generation != playback->worker.applied_generation;
	struct playback_settings settings = playback->settings;
	double drift_ppm = playback->drift_ppm;
	worker_unlock(&playback->worker);
	if (sound_device_is_open(&player->device.base))
		drift_resampler_set(&player->device.resampler, drift_ppm);
	if (!changed)
		return;
	player->source.muted = settings.muted;
	player->low_water_samples = (uint32_t)lround(settings.low_water_ms * OUTPUT_RATE_HZ / 1e3);
	playback_device_configure(&player->device, &settings.device);
	if (!settings.active)
		playback_device_rest(&player->device);
	player->active = settings.active;
	worker_lock(&playback->worker);
	playback->worker.applied_generation = generation;
	worker_signal(&playback->worker);
	worker_unlock(&playback->worker);
}

/*
 * An empty device buffer takes more than the ring has: silence comes first, so that the sound after it
 * does not break off while JavaScript hears that more is needed.
 */
static void lead_in(struct player *player)
{
	const struct pcm *pcm = &player->device.base.pcm;
	if (!player->device.prepared)
		return;
	player->device.prepared = false;
	uint32_t wanted = (uint32_t)((uint64_t)pcm->buffer_frames * OUTPUT_RATE_HZ / pcm->rate_hz) +
			  player->low_water_samples;
	worker_lock(&player->playback->worker);
	uint32_t waiting = player->playback->ring_count;
	worker_unlock(&player->playback->worker);
	if (waiting < wanted)
		player->source.lead = wanted - waiting;
}

static void publish(struct player *player)
{
	struct playback *playback = player->playback;
	const struct playback_device *device = &player->device;
	bool open = device->base.announced && sound_device_is_open(&device->base);
	bool flowing = player->flowing;
	worker_lock(&playback->worker);
	struct playback_stats *stats = &playback->stats;
	stats->played_samples = player->source.played_samples;
	stats->starvations = player->source.starvations;
	stats->device = player->counters;
	stats->rate_hz = open ? device->base.pcm.rate_hz : 0;
	stats->channels = open ? device->base.pcm.channels : 0;
	levels_merge(&stats->levels, &player->levels);
	playback->flowing = flowing;
	playback->in_flight = 0;
	if (flowing) {
		playback->held = playback_device_held(device) + player->staged_end - player->staged_at;
		playback->delay = playback_device_delay(device);
		playback->delay_ns = device->position_ns;
	}
	if (flowing && playback->ring_count < player->low_water_samples) {
		playback->needs = true;
		worker_signal(&playback->worker);
	}
	worker_unlock(&playback->worker);
	player->levels = (struct levels){ 0 };
}

static void work(struct player *player, struct pollfd *descriptors, int count)
{
	struct playback_device *device = &player->device;
	playback_device_service(device, descriptors, count, monotonic_ns());
	if (player->active)
		playback_device_try_open(device, monotonic_ns());
	/* A second time after a restart: an empty buffer does not wait. */
	for (int fills = 0; fills == 0 || (device->prepared && fills < 2); fills++) {
		lead_in(player);
		playback_device_fill(device, render, player);
	}
	playback_device_check_progress(device);
	bool flowing = playback_device_is_flowing(device);
	if (player->flowing && !flowing)
		rest(player);
	player->flowing = flowing;
	publish(player);
}

static void run(struct player *player)
{
	struct worker *worker = &player->playback->worker;
	struct sound_device *device = &player->device.base;
	struct pollfd descriptors[WORKER_DESCRIPTORS + MAX_PCM_DESCRIPTORS] = { 0 };
	struct pollfd *of_device = descriptors + WORKER_DESCRIPTORS;
	int count = 0;
	bool cards;
	while (worker_begin(worker, descriptors, &cards)) {
		apply_settings(player);
		if (cards)
			sound_device_hasten(device);
		work(player, of_device, count);
		count = sound_device_poll(device, of_device);
		int64_t until = player->active ? playback_device_deadline(&player->device) : INT64_MAX;
		if (!worker_sleep(worker, descriptors, count, until))
			count = 0;
	}
}

void player_run(void *context)
{
	struct player *player = calloc(1, sizeof *player);
	if (player == NULL)
		return;
	player->playback = context;
	player->source.take = take_from_ring;
	player->source.context = player;
	player->source.gain = 1;
	playback_device_init(&player->device, &player->playback->worker, &player->counters);
	run(player);
	playback_device_close(&player->device);
	free(player);
}
