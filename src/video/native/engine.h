#ifndef EARSHOT_ENGINE_H
#define EARSHOT_ENGINE_H

#include <gst/gst.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encode_times.h"
#include "event_queue.h"
#include "unit_queue.h"

/*
 * One GStreamer pipeline and the thread that drives it. Every call into GStreamer is made by that thread
 * or by the pipeline's own: JavaScript's thread leaves commands and takes what waits, so that a driver
 * that hangs holds up neither it nor the end of the process.
 *
 * The description names its parts: `source-queue` (leaky, before the encoder), `encoder`, `pictures`
 * (an appsrc, where pictures are pushed) and `units` (an appsink, where encoded ones come out).
 */

struct engine_options {
	/* In gst-launch's words; empty only looks for `elements`. */
	const char *description;
	/* Names of element factories, with commas between; those there are come back in an event. */
	const char *elements;
	/* A V4L2 device whose signal is looked at before and while the pipeline runs; empty: none. */
	const char *v4l2_device;
	/* Tells JavaScript that something waits; never blocks. */
	void (*wake)(void *context);
	void *wake_context;
};

struct engine_stats {
	struct unit_counters units;
	struct encode_times_stats times;
	uint64_t leaked; /* pictures dropped since the encoder was busy */
	int64_t busy_ns; /* how long the thread has been in one call */
};

struct engine;

/* NULL when there is no memory for it. */
struct engine *engine_open(const struct engine_options *options);

/* Each is carried out in the order it was given; a failure comes back as an event. */
void engine_set_property(struct engine *engine, const char *element, const char *property,
			 const char *value);
void engine_force_keyframe(struct engine *engine);

/* At most so many pictures a second reach the encoder, from now on; 0: all. */
void engine_limit_rate(struct engine *engine, uint32_t pictures_per_second);

/* Copies RGB pixels; false when as many pictures wait as may. */
bool engine_push_picture(struct engine *engine, const uint8_t *rgb, uint32_t width,
			 uint32_t height, uint64_t pts_ns);

bool engine_take_unit(struct engine *engine, struct unit *unit);
bool engine_take_event(struct engine *engine, struct engine_event *event);
void engine_stats(struct engine *engine, struct engine_stats *stats);

/* From here on the next thing that happens wakes JavaScript again. */
void engine_rearm(struct engine *engine);

/*
 * Tells the thread to take the pipeline down, which may take as long as the driver likes. Idempotent. From
 * here on nothing wakes JavaScript but the end.
 */
void engine_stop(struct engine *engine);

/* Whether the pipeline is down; only after engine_stop(). */
bool engine_ended(struct engine *engine);

/*
 * Stops the pipeline and waits for its end. False when that did not come by the deadline (a driver that
 * hangs): the thread is left alone, wakes nobody, and frees what it holds if it ever comes back. `engine`
 * is gone either way.
 */
bool engine_close(struct engine *engine, int64_t deadline_ms);

#endif
