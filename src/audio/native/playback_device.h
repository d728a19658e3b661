#ifndef EARSHOT_PLAYBACK_DEVICE_H
#define EARSHOT_PLAYBACK_DEVICE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "drift_resampler.h"
#include "sound_device.h"

/* A device that is played into, kept full, and waited for while its host does not listen. */

struct playback_device {
	struct sound_device base;
	struct drift_resampler resampler;
	float *stereo;         /* a period at the device's rate */
	uint8_t *chunk;        /* that, in the device's format */
	size_t frame_bytes;
	uint32_t chunk_frames; /* what it holds at most */
	uint32_t chunk_at;     /* frames of it that are written */
	uint32_t chunk_end;    /* frames of it that are rendered */
	uint64_t written;      /* frames since it was prepared */
	bool prepared;         /* since the last fill: it begins with an empty buffer */
	bool idle;
	int64_t moved_ns;      /* when it last took more than fits its buffer */
	int64_t position_ns;   /* when `delay` was true */
	int64_t delay;         /* frames between the writer and the converter */
};

/* Fills `stereo` with `frames` at the device's rate. */
typedef void render_function(void *context, float *stereo, uint32_t frames);

void playback_device_init(struct playback_device *device, struct worker *worker,
			  struct device_counters *counters);
void playback_device_configure(struct playback_device *device,
			       const struct device_settings *settings);
void playback_device_close(struct playback_device *device);

/* Closes it on purpose: what comes next is told as if nothing had been before. */
void playback_device_rest(struct playback_device *device);

/* Open, not suspended and not idle: what is written will be heard. */
bool playback_device_is_flowing(const struct playback_device *device);

/* Opens the device when a try is due. */
void playback_device_try_open(struct playback_device *device, int64_t now_ns);

int64_t playback_device_deadline(const struct playback_device *device);

/* After the poll: sees to errors and suspends. */
void playback_device_service(struct playback_device *device, struct pollfd *descriptors, int count,
			     int64_t now_ns);

/* Renders and writes until the device's buffer is full. */
void playback_device_fill(struct playback_device *device, render_function *render, void *context);

/* After that: a device that takes nothing any more is idle. */
void playback_device_check_progress(struct playback_device *device);

/* In samples at 48 kHz: what waits before ALSA, and what waited in it at the time `position_ns`. */
double playback_device_held(const struct playback_device *device);
double playback_device_delay(const struct playback_device *device);

#endif
