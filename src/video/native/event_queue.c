#include "event_queue.h"

void event_queue_push(struct event_queue *queue, const struct engine_event *event)
{
	if (queue->count == EVENT_QUEUE_LENGTH) {
		queue->head = (queue->head + 1) % EVENT_QUEUE_LENGTH;
		queue->count--;
	}
	queue->events[(queue->head + queue->count++) % EVENT_QUEUE_LENGTH] = *event;
}

bool event_queue_take(struct event_queue *queue, struct engine_event *event)
{
	if (queue->count == 0)
		return false;
	*event = queue->events[queue->head];
	queue->head = (queue->head + 1) % EVENT_QUEUE_LENGTH;
	queue->count--;
	return true;
}
