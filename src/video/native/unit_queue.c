#include "unit_queue.h"

bool unit_queue_push(struct unit_queue *queue, struct unit *unit)
{
	gsize bytes = gst_buffer_get_size(unit->buffer);
	queue->counters.units++;
	queue->counters.bytes += bytes;
	queue->counters.keyframes += unit->keyframe ? 1 : 0;
	bool full = queue->count == UNIT_QUEUE_LENGTH;
	if (full || (queue->broken && !unit->keyframe)) {
		queue->counters.dropped++;
		queue->broken = true;
		gst_buffer_unref(unit->buffer);
		return full;
	}
	unit->discontinuity = queue->broken;
	queue->broken = false;
	queue->units[(queue->head + queue->count++) % UNIT_QUEUE_LENGTH] = *unit;
	return false;
}

bool unit_queue_take(struct unit_queue *queue, struct unit *unit)
{
	if (queue->count == 0)
		return false;
	*unit = queue->units[queue->head];
	queue->head = (queue->head + 1) % UNIT_QUEUE_LENGTH;
	queue->count--;
	return true;
}

void unit_queue_clear(struct unit_queue *queue)
{
	struct unit unit;
	while (unit_queue_take(queue, &unit))
		gst_buffer_unref(unit.buffer);
}
