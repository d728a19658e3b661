#ifndef EARSHOT_STREAM_H
#define EARSHOT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "encoder.h"
#include "levels.h"
#include "packet_queue.h"
#include "settings.h"
#include "sound_device.h"
#include "worker.h"

/* What JavaScript's thread and a capture thread share; all but the worker below the worker's lock. */

/* Since the stream was opened. */
struct stream_counters {
	uint64_t captured_samples;
	uint64_t encoded_frames;
	uint64_t encoded_bytes;
	uint64_t lost_samples;
	struct device_counters device;
};

/* Since the stats were last taken. */
struct stream_window {
	struct levels levels;
	int64_t encode_total_ns;
	int64_t encode_longest_ns;
	uint32_t encode_count;
};

struct stream_stats {
	struct stream_counters counters;
	struct stream_window window;
	uint64_t dropped_frames;
	unsigned int rate_hz; /* 0 while the device is not open */
	unsigned int channels;
	struct worker_state worker;
};

struct stream {
	struct worker worker;
	struct packet_queue packets;
	struct stream_stats stats;
	struct stream_settings settings;
	struct encoder *next_encoder;
	struct encoder *retired_encoder;
};

/* JavaScript's side. */

struct stream_options {
	struct stream_settings settings;
	const char *hotplug_directory;
	void (*wake)(void *context);
	void *wake_context;
};

/* Starts the thread. 0, or a negative error with nothing kept. */
int stream_open(struct stream **stream, const struct stream_options *options);

/* New settings, in force when `applied_generation` reaches `generation`. -ENOMEM leaves the old ones. */
int stream_configure(struct stream *stream, const struct stream_settings *settings,
		     uint64_t *generation);

bool stream_take_packet(struct stream *stream, struct packet *packet);

/* Copies the stats and begins a new window. */
void stream_take_stats(struct stream *stream, struct stream_stats *stats);

#endif
