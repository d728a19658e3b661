#ifndef EARSHOT_ENGINE_PARTS_H
#define EARSHOT_ENGINE_PARTS_H

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

#include "device_watch.h"
#include "engine.h"
#include "rate_limit.h"

/* An engine from inside: what its three sides share (engine.c JavaScript's, engine_thread.c, flow.c). */

enum command_kind { COMMAND_PROPERTY, COMMAND_KEYFRAME, COMMAND_PICTURE, COMMAND_STOP };

struct command {
	enum command_kind kind;
	char *element;
	char *property;
	char *value;
	uint8_t *pixels;
	size_t bytes;
	uint32_t width;
	uint32_t height;
	uint64_t pts_ns;
};

struct engine {
	/* Fixed. */
	char *description;
	char *elements;
	struct signal_watch watch;
	void (*wake)(void *context);
	void *wake_context;
	GAsyncQueue *commands;
	GThread *thread;

	GMutex lock;
	GCond ended;
	/* Under the lock. */
	int references;
	bool thread_ended;
	bool stopping; /* only the end is told */
	bool closed;   /* nothing is told */
	bool signalled;
	bool failed;
	int pictures;
	int64_t busy_since_ns;
	struct unit_queue units;
	struct event_queue events;
	struct encode_times times;
	uint64_t leaked;
	struct rate_limit rate;

	/* The thread's own. */
	bool launched;
	GstElement *pipeline;
	GstElement *source;
	GstElement *sink;
	uint32_t picture_width;
	uint32_t picture_height;
	unsigned int keyframes;
};

/* CLOCK_MONOTONIC. */
int64_t engine_now_ns(void);

/* With the lock held: wakes JavaScript unless it is awake already or wants no more of the engine. */
void engine_signal(struct engine *engine);

void engine_post(struct engine *engine, enum engine_event_kind kind, const char *source,
		 const char *text, const char *detail);

/* Leaves a command, which is copied, for the engine's thread. */
void engine_give(struct engine *engine, const struct command *command);
void engine_free_command(gpointer command);

/* The last of JavaScript's side and the thread frees the engine. */
void engine_release(struct engine *engine);

/* The engine's thread. */
gpointer engine_thread(gpointer engine);

/* Ties a pipeline that was made and does not run yet to its engine. */
void flow_tie(struct engine *engine);

#endif
