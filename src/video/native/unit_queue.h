#ifndef EARSHOT_UNIT_QUEUE_H
#define EARSHOT_UNIT_QUEUE_H

#include <gst/gst.h>
#include <stdbool.h>
#include <stdint.h>

/* Encoded access units on their way to JavaScript. Not locked: its owner does that. */

#define UNIT_QUEUE_LENGTH 3

struct unit {
	GstBuffer *buffer; /* owned by who holds the unit */
	uint64_t pts_ns;
	int64_t capture_ns; /* CLOCK_MONOTONIC */
	uint32_t width;
	uint32_t height;
	bool keyframe;
	bool discontinuity; /* units are missing before this one */
};

struct unit_counters {
	uint64_t units;
	uint64_t bytes;
	uint64_t keyframes;
	uint64_t dropped;
};

struct unit_queue {
	struct unit units[UNIT_QUEUE_LENGTH];
	size_t head;
	size_t count;
	bool broken; /* a unit was dropped: what refers to it is of no use until a keyframe */
	struct unit_counters counters;
};

/*
 * Takes the unit over. When nobody collects, the new one is dropped, not those before it, which can still
 * be decoded; then each up to the next keyframe. True when a unit was dropped and a keyframe is wanted.
 */
bool unit_queue_push(struct unit_queue *queue, struct unit *unit);

bool unit_queue_take(struct unit_queue *queue, struct unit *unit);
void unit_queue_clear(struct unit_queue *queue);

#endif
