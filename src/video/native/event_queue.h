#ifndef EARSHOT_EVENT_QUEUE_H
#define EARSHOT_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What happened to a pipeline, on its way to JavaScript. Not locked: its owner does that. */

#define EVENT_QUEUE_LENGTH 32
#define EVENT_TEXT_BYTES 512
#define EVENT_NAME_BYTES 64

enum engine_event_kind {
	EVENT_PLAYING, /* live sources begin to deliver */
	EVENT_ENDED,   /* end of stream */
	EVENT_ERROR,   /* text: what failed; detail: where; the pipeline delivers no more */
	EVENT_WARNING,
	EVENT_ELEMENT,	/* a message of an element's own; text: its structure */
	EVENT_ELEMENTS, /* text: the names of those asked for that there are */
	EVENT_SIGNAL,	/* of a V4L2 device; text: see device_signal.h */
};

struct engine_event {
	enum engine_event_kind kind;
	char source[EVENT_NAME_BYTES]; /* name of the element */
	char text[EVENT_TEXT_BYTES];
	char detail[EVENT_TEXT_BYTES];
};

struct event_queue {
	struct engine_event events[EVENT_QUEUE_LENGTH];
	size_t head;
	size_t count;
};

/* When nobody collects, the oldest makes room: what counts is how things are. */
void event_queue_push(struct event_queue *queue, const struct engine_event *event);
bool event_queue_take(struct event_queue *queue, struct engine_event *event);

#endif
