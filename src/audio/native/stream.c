#include "stream.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "capture.h"
#include "monotonic.h"

void stream_lock(struct stream *stream)
{
	pthread_mutex_lock(&stream->lock);
}

void stream_unlock(struct stream *stream)
{
	pthread_mutex_unlock(&stream->lock);
}

static void notify_thread(struct stream *stream)
{
	uint64_t one = 1;
	/* Full means that the thread has yet to read an earlier one. */
	ssize_t written = write(stream->command_fd, &one, sizeof one);
	(void)written;
}

static void init_lock(struct stream *stream)
{
	pthread_mutexattr_t mutex;
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setprotocol(&mutex, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&stream->lock, &mutex);
	pthread_mutexattr_destroy(&mutex);
	pthread_condattr_t condition;
	pthread_condattr_init(&condition);
	pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
	pthread_cond_init(&stream->ended, &condition);
	pthread_condattr_destroy(&condition);
}

static void free_stream(struct stream *stream)
{
	encoder_free(stream->next_encoder);
	encoder_free(stream->retired_encoder);
	if (stream->command_fd >= 0)
		close(stream->command_fd);
	pthread_cond_destroy(&stream->ended);
	pthread_mutex_destroy(&stream->lock);
	free(stream);
}

void stream_unreference(struct stream *stream)
{
	stream_lock(stream);
	int left = --stream->references;
	stream_unlock(stream);
	if (left == 0)
		free_stream(stream);
}

/* Signals are for Node's own thread. */
static int start_thread(struct stream *stream)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&stream->thread, NULL, capture_thread, stream);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

int stream_open(struct stream **opened, const struct stream_options *options)
{
	struct stream *stream = calloc(1, sizeof *stream);
	if (stream == NULL)
		return -ENOMEM;
	init_lock(stream);
	stream->wake = options->wake;
	stream->wake_context = options->wake_context;
	stream->settings = options->settings;
	stream->generation = 1;
	stream->references = 2;
	snprintf(stream->hotplug_directory, sizeof stream->hotplug_directory, "%s",
		 options->hotplug_directory);
	stream->next_encoder = encoder_create(&options->settings.encoder);
	stream->command_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int error = stream->next_encoder == NULL ? -ENOMEM : 0;
	if (error == 0 && stream->command_fd < 0)
		error = -errno;
	if (error == 0)
		error = start_thread(stream);
	if (error < 0) {
		free_stream(stream);
		return error;
	}
	*opened = stream;
	return 0;
}

int stream_configure(struct stream *stream, const struct stream_settings *settings,
		     uint64_t *generation)
{
	/* Made here: the stream's thread allocates nothing while it captures. */
	struct encoder *encoder = NULL;
	const struct encoder_settings *old = &stream->settings.encoder;
	const struct encoder_settings *new = &settings->encoder;
	bool replace = old->channels != new->channels || old->application != new->application;
	if (replace && (encoder = encoder_create(new)) == NULL)
		return -ENOMEM;
	stream_lock(stream);
	struct encoder *unused = NULL;
	if (replace) {
		unused = stream->next_encoder;
		stream->next_encoder = encoder;
	}
	struct encoder *retired = stream->retired_encoder;
	stream->retired_encoder = NULL;
	stream->settings = *settings;
	*generation = ++stream->generation;
	stream_unlock(stream);
	encoder_free(unused);
	encoder_free(retired);
	notify_thread(stream);
	return 0;
}

bool stream_take_packet(struct stream *stream, struct packet *packet)
{
	stream_lock(stream);
	bool taken = packet_queue_take(&stream->packets, monotonic_ns(), packet);
	stream_unlock(stream);
	return taken;
}

bool stream_take_event(struct stream *stream, struct stream_event *event)
{
	stream_lock(stream);
	bool taken = stream->event_count > 0;
	if (taken) {
		*event = stream->events[stream->event_head];
		stream->event_head = (stream->event_head + 1) % EVENT_SLOTS;
		stream->event_count--;
	}
	stream_unlock(stream);
	return taken;
}

uint64_t stream_applied_generation(struct stream *stream)
{
	stream_lock(stream);
	uint64_t applied = stream->applied_generation;
	stream_unlock(stream);
	return applied;
}

void stream_rearm(struct stream *stream)
{
	stream_lock(stream);
	stream->signalled = false;
	stream_unlock(stream);
}

void stream_take_stats(struct stream *stream, struct stream_stats *stats)
{
	stream_lock(stream);
	*stats = stream->stats;
	stats->dropped_frames = stream->packets.dropped;
	stream->stats.window = (struct stream_window){ 0 };
	stream_unlock(stream);
}

static bool wait_for_end(struct stream *stream, int64_t deadline_ms)
{
	int64_t until = monotonic_ns() + deadline_ms * NS_PER_MS;
	struct timespec time = { .tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S };
	stream_lock(stream);
	stream->stopping = true;
	stream->closed = true;
	notify_thread(stream);
	while (!stream->thread_ended) {
		if (pthread_cond_timedwait(&stream->ended, &stream->lock, &time) == ETIMEDOUT)
			break;
	}
	bool ended = stream->thread_ended;
	stream_unlock(stream);
	return ended;
}

bool stream_close(struct stream *stream, int64_t deadline_ms)
{
	bool ended = wait_for_end(stream, deadline_ms);
	if (ended)
		pthread_join(stream->thread, NULL);
	else
		pthread_detach(stream->thread);
	stream_unreference(stream);
	return ended;
}

void stream_post_event(struct stream *stream, const struct stream_event *event)
{
	stream_lock(stream);
	if (stream->event_count == EVENT_SLOTS) {
		stream->event_head = (stream->event_head + 1) % EVENT_SLOTS;
		stream->event_count--;
		stream->stats.dropped_events++;
	}
	stream->events[(stream->event_head + stream->event_count++) % EVENT_SLOTS] = *event;
	stream_signal(stream);
	stream_unlock(stream);
}

void stream_signal(struct stream *stream)
{
	if (stream->signalled || stream->closed)
		return;
	stream->signalled = true;
	stream->wake(stream->wake_context);
}
