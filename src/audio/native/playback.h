#ifndef EARSHOT_PLAYBACK_H
#define EARSHOT_PLAYBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "levels.h"
#include "settings.h"
#include "sound_device.h"
#include "worker.h"

/* What JavaScript's thread and a playback thread share; all but the worker below the worker's lock. */

#define RING_MS 500
#define RING_SAMPLES (OUTPUT_RATE_HZ / 1000 * RING_MS)

struct playback_settings {
	struct device_settings device;
	bool muted;
	bool active;
	double low_water_ms;
};

struct playback_stats {
	uint64_t played_samples; /* taken out of the ring and written to the device */
	uint64_t starvations;
	struct device_counters device;
	struct levels levels; /* since the stats were last taken */
	unsigned int rate_hz; /* 0 while the device is not open */
	unsigned int channels;
	struct worker_state worker;
};

struct playback {
	struct worker worker;
	struct playback_settings settings;
	double drift_ppm;
	float ring[RING_SAMPLES * OUTPUT_CHANNELS];
	uint32_t ring_at; /* the oldest */
	uint32_t ring_count;
	uint32_t in_flight; /* taken out of the ring, not yet in what follows */
	bool flowing; /* what is written will be heard */
	bool needs; /* JavaScript is to be told that the ring is low */
	double held;  /* behind the ring and before ALSA, samples at 48 kHz */
	double delay; /* of ALSA at `delay_ns`, samples at 48 kHz */
	int64_t delay_ns;
	struct playback_stats stats;
};

/* JavaScript's side. */

struct playback_options {
	struct playback_settings settings;
	const char *hotplug_directory;
	void (*wake)(void *context);
	void *wake_context;
};

/* Starts the thread. 0, or a negative error with nothing kept. */
int playback_open(struct playback **playback, const struct playback_options *options);

/* New settings, in force when `applied_generation` reaches what is returned. */
uint64_t playback_configure(struct playback *playback, const struct playback_settings *settings);

/* How many were taken: what fits the ring, and none while nothing would be heard. */
uint32_t playback_write(struct playback *playback, const float *stereo, uint32_t samples);

/* Samples at 48 kHz that wait in the ring, and behind it; `behind` is -1 while nothing would be heard. */
void playback_queued(struct playback *playback, double *ring, double *behind);

void playback_set_drift(struct playback *playback, double ppm);

/* Whether the ring is low; once for each time it was found so. */
bool playback_take_need(struct playback *playback);

/* Copies the stats and begins a new window. */
void playback_take_stats(struct playback *playback, struct playback_stats *stats);

/* The thread's side. */

/* Takes at most `frames` out of the ring; how many there were. */
uint32_t playback_take(struct playback *playback, float *stereo, uint32_t frames);

#endif
