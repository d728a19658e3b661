#ifndef EARSHOT_STREAM_H
#define EARSHOT_STREAM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "encoder.h"
#include "levels.h"
#include "packet_queue.h"
#include "settings.h"

/*
 * What JavaScript's thread and a capture thread share. Everything below `lock` is touched with the lock
 * held, for the time of a copy at most, and the lock inherits priority: neither side waits for the other.
 */

enum stream_event_kind { EVENT_OPENED, EVENT_LOST, EVENT_XRUN, EVENT_REALTIME_REFUSED };

struct stream_event {
	enum stream_event_kind kind;
	char device[DEVICE_NAME_BYTES];
	char error[192];
	unsigned int rate_hz;
	unsigned int channels;
	double period_ms;
	double buffer_ms;
	int retry_ms;
	uint64_t lost_samples;
};

#define EVENT_SLOTS 16

/* Since the stream was opened. */
struct stream_counters {
	uint64_t captured_samples;
	uint64_t encoded_frames;
	uint64_t encoded_bytes;
	uint64_t xruns;
	uint64_t suspends;
	uint64_t reopens;
	uint64_t lost_samples;
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
	uint64_t dropped_events;
	unsigned int rate_hz; /* 0 while the device is not open */
	unsigned int channels;
	bool realtime;
	/* Since when the thread works; 0 while it sleeps. Seconds mean a call to ALSA that does not return. */
	int64_t busy_since_ns;
};

struct stream {
	pthread_t thread;
	int command_fd;
	char hotplug_directory[DEVICE_NAME_BYTES];
	/* Tells JavaScript that something waits; never blocks. */
	void (*wake)(void *context);
	void *wake_context;

	pthread_mutex_t lock;
	pthread_cond_t ended;
	int references;
	bool stopping;
	bool thread_ended;
	bool closed;
	bool signalled;
	struct packet_queue packets;
	struct stream_event events[EVENT_SLOTS];
	size_t event_head;
	size_t event_count;
	struct stream_stats stats;
	/* The newest settings, and how far the thread has come. */
	struct stream_settings settings;
	struct encoder *next_encoder;
	struct encoder *retired_encoder;
	uint64_t generation;
	uint64_t applied_generation;
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
bool stream_take_event(struct stream *stream, struct stream_event *event);
uint64_t stream_applied_generation(struct stream *stream);

/* From here on the next thing that happens wakes JavaScript again. */
void stream_rearm(struct stream *stream);

/* Copies the stats and begins a new window. */
void stream_take_stats(struct stream *stream, struct stream_stats *stats);

/*
 * Stops and joins the thread. Returns false when it did not end by the deadline (a driver that hangs):
 * it is then left alone and frees what it holds if it ever comes back. `stream` is gone either way.
 */
bool stream_close(struct stream *stream, int64_t deadline_ms);

/* The thread's side. */

void stream_lock(struct stream *stream);
void stream_unlock(struct stream *stream);
void stream_post_event(struct stream *stream, const struct stream_event *event);
/* With the lock held: wakes JavaScript unless it is awake already. */
void stream_signal(struct stream *stream);
void stream_unreference(struct stream *stream);

#endif
