#ifndef EARSHOT_PACKET_QUEUE_H
#define EARSHOT_PACKET_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings.h"

/*
 * The packets that wait for JavaScript: bounded by the sound they hold, oldest dropped and counted.
 * No lock of its own; the stream's lock is held around every call.
 */

struct packet {
	int64_t capture_time_ns;
	/* When the encoder was done with it. */
	int64_t encoded_ns;
	/* When it is to be handed over; later than now where the device delivers in bursts. */
	int64_t due_ns;
	uint32_t samples;
	uint16_t bytes;
	bool discontinuity;
	uint8_t payload[MAX_PACKET_BYTES];
};

/* 200 ms of the shortest frames, rounded up to a power of two. */
#define PACKET_SLOTS 128

struct packet_queue {
	struct packet slots[PACKET_SLOTS];
	size_t head; /* the oldest */
	size_t count;
	uint64_t samples;
	uint64_t dropped;
};

/* Appends a copy; drops the oldest while more than `limit_samples` would wait. */
void packet_queue_push(struct packet_queue *queue, const struct packet *packet,
		       uint64_t limit_samples);

/* Takes the oldest packet that is due by `now_ns`; false when there is none. */
bool packet_queue_take(struct packet_queue *queue, int64_t now_ns, struct packet *packet);

/* Whether a packet is due by `now_ns`. */
bool packet_queue_is_due(const struct packet_queue *queue, int64_t now_ns);

/* When the first packet that is not due yet will be, or INT64_MAX. */
int64_t packet_queue_next_due(const struct packet_queue *queue, int64_t now_ns);

#endif
