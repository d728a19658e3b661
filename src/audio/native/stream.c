#include "stream.h"

#include <errno.h>
#include <stdlib.h>

#include "capture.h"
#include "monotonic.h"

static void release(void *owner)
{
	struct stream *stream = owner;
	encoder_free(stream->next_encoder);
	encoder_free(stream->retired_encoder);
	worker_destroy(&stream->worker);
	free(stream);
}

int stream_open(struct stream **opened, const struct stream_options *options)
{
	struct stream *stream = calloc(1, sizeof *stream);
	if (stream == NULL)
		return -ENOMEM;
	stream->settings = options->settings;
	int error = worker_init(&stream->worker, &(struct worker_options){
							 .run = capture_run,
							 .release = release,
							 .owner = stream,
							 .hotplug_directory = options->hotplug_directory,
							 .wake = options->wake,
							 .wake_context = options->wake_context,
						 });
	if (error < 0) {
		free(stream);
		return error;
	}
	stream->next_encoder = encoder_create(&options->settings.encoder);
	error = stream->next_encoder == NULL ? -ENOMEM : worker_start(&stream->worker);
	if (error < 0) {
		release(stream);
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
	worker_lock(&stream->worker);
	struct encoder *unused = NULL;
	if (replace) {
		unused = stream->next_encoder;
		stream->next_encoder = encoder;
	}
	struct encoder *retired = stream->retired_encoder;
	stream->retired_encoder = NULL;
	stream->settings = *settings;
	*generation = worker_next_generation(&stream->worker);
	worker_unlock(&stream->worker);
	encoder_free(unused);
	encoder_free(retired);
	worker_notify(&stream->worker);
	return 0;
}

bool stream_take_packet(struct stream *stream, struct packet *packet)
{
	worker_lock(&stream->worker);
	bool taken = packet_queue_take(&stream->packets, monotonic_ns(), packet);
	worker_unlock(&stream->worker);
	return taken;
}

void stream_take_stats(struct stream *stream, struct stream_stats *stats)
{
	worker_lock(&stream->worker);
	*stats = stream->stats;
	stats->dropped_frames = stream->packets.dropped;
	stats->worker = worker_state(&stream->worker);
	stream->stats.window = (struct stream_window){ 0 };
	worker_unlock(&stream->worker);
}
