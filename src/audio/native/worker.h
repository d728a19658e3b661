#ifndef EARSHOT_WORKER_H
#define EARSHOT_WORKER_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

/*
 * A thread of the addon and what it shares with JavaScript's, whatever it does: commands one way, events
 * the other, settings with a generation, and an end with a deadline. Whoever embeds it keeps more of the
 * same kind below its lock, which is held for the time of a copy at most and inherits priority: neither
 * side waits for the other.
 */

enum event_kind { EVENT_OPENED, EVENT_LOST, EVENT_IDLE, EVENT_XRUN, EVENT_REALTIME_REFUSED };

struct event {
	enum event_kind kind;
	char device[DEVICE_NAME_BYTES];
	char error[192];
	unsigned int rate_hz;
	unsigned int channels;
	double period_ms;
	double buffer_ms;
	int retry_ms;
	bool idle;
	uint64_t amount; /* of an overrun: samples lost; of an underrun: how many there were */
};

#define EVENT_SLOTS 16

/* Descriptors of a worker's own at the head of what it polls: commands, and cards that appear. */
#define WORKER_DESCRIPTORS 2

struct worker_state {
	bool realtime;
	int64_t busy_ns; /* at work without sleeping; seconds mean a call to ALSA that does not return */
};

struct worker_options {
	/* The thread's work; returns when worker_begin says so. */
	void (*run)(void *owner);
	/* Frees the owner, with worker_destroy; called when neither side holds it any more. */
	void (*release)(void *owner);
	void *owner;
	const char *hotplug_directory;
	/* Tells JavaScript that something waits; never blocks. */
	void (*wake)(void *context);
	void *wake_context;
};

struct worker {
	void (*run)(void *owner);
	void (*release)(void *owner);
	void *owner;
	char hotplug_directory[DEVICE_NAME_BYTES];
	void (*wake)(void *context);
	void *wake_context;
	pthread_t thread;
	int command_fd;
	int hotplug_fd; /* the thread's; -1 where the directory cannot be watched */

	pthread_mutex_t lock;
	pthread_cond_t ended;
	int references;
	bool stopping;
	bool thread_ended;
	bool closed;
	bool signalled;
	struct event events[EVENT_SLOTS];
	size_t event_head;
	size_t event_count;
	bool realtime;
	int64_t busy_since_ns; /* 0 while the thread sleeps */
	/* The newest settings, and how far the thread has come. */
	uint64_t generation;
	uint64_t applied_generation;
};

/* JavaScript's side. */

/* 0, or a negative error with nothing kept. */
int worker_init(struct worker *worker, const struct worker_options *options);

/* Starts the thread. 0, or a negative error; the owner is then to be released by the caller. */
int worker_start(struct worker *worker);

void worker_destroy(struct worker *worker);

/* With the lock held: new settings were stored; returns their generation. worker_notify comes after. */
uint64_t worker_next_generation(struct worker *worker);
void worker_notify(struct worker *worker);

bool worker_take_event(struct worker *worker, struct event *event);
uint64_t worker_applied_generation(struct worker *worker);

/* With the lock held. */
struct worker_state worker_state(const struct worker *worker);

/* From here on the next thing that happens wakes JavaScript again. */
void worker_rearm(struct worker *worker);

/*
 * Stops and joins the thread. Returns false when it did not end by the deadline (a driver that hangs):
 * it is then left alone and frees what it holds if it ever comes back. The owner is gone either way.
 */
bool worker_close(struct worker *worker, int64_t deadline_ms);

/* Both sides. */

void worker_lock(struct worker *worker);
void worker_unlock(struct worker *worker);

/* The thread's side. */

void worker_post_event(struct worker *worker, const struct event *event);

/* With the lock held: wakes JavaScript unless it is awake already. */
void worker_signal(struct worker *worker);

/* After a sleep: takes commands; false when the thread is to end. `cards` says that a card appeared. */
bool worker_begin(struct worker *worker, const struct pollfd *descriptors, bool *cards);

/*
 * Sleeps until `until_ns` or one of the descriptors: the first WORKER_DESCRIPTORS are the worker's, then
 * come `count` of the caller's. False when interrupted: what the descriptors say then means nothing.
 */
bool worker_sleep(struct worker *worker, struct pollfd *descriptors, int count, int64_t until_ns);

#endif
