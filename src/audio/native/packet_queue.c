#include "packet_queue.h"

#include <string.h>

static size_t slot_at(size_t index)
{
	return index % PACKET_SLOTS;
}

/* Sound is missing where the packet was: the one behind it says so. */
static void drop_oldest(struct packet_queue *queue)
{
	queue->samples -= queue->slots[queue->head].samples;
	queue->head = slot_at(queue->head + 1);
	queue->count--;
	queue->dropped++;
	if (queue->count > 0)
		queue->slots[queue->head].discontinuity = true;
}

void packet_queue_push(struct packet_queue *queue, const struct packet *packet,
		       uint64_t limit_samples)
{
	bool dropped = false;
	while (queue->count > 0 && (queue->count == PACKET_SLOTS ||
				    queue->samples + packet->samples > limit_samples)) {
		drop_oldest(queue);
		dropped = true;
	}
	struct packet *slot = &queue->slots[slot_at(queue->head + queue->count)];
	/* The payload's unused end is left alone. */
	memcpy(slot, packet, offsetof(struct packet, payload) + packet->bytes);
	if (dropped && queue->count == 0)
		slot->discontinuity = true;
	queue->count++;
	queue->samples += packet->samples;
}

bool packet_queue_is_due(const struct packet_queue *queue, int64_t now_ns)
{
	return queue->count > 0 && queue->slots[queue->head].due_ns <= now_ns;
}

bool packet_queue_take(struct packet_queue *queue, int64_t now_ns, struct packet *packet)
{
	if (!packet_queue_is_due(queue, now_ns))
		return false;
	const struct packet *slot = &queue->slots[queue->head];
	memcpy(packet, slot, offsetof(struct packet, payload) + slot->bytes);
	queue->head = slot_at(queue->head + 1);
	queue->count--;
	queue->samples -= packet->samples;
	return true;
}

int64_t packet_queue_next_due(const struct packet_queue *queue, int64_t now_ns)
{
	for (size_t i = 0; i < queue->count; i++) {
		const struct packet *slot = &queue->slots[slot_at(queue->head + i)];
		if (slot->due_ns > now_ns)
			return slot->due_ns;
	}
	return INT64_MAX;
}
