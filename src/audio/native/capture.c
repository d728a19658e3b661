#include "capture.h"

#include <stdlib.h>

#include "capture_device.h"
#include "delay_line.h"
#include "framer.h"
#include "monotonic.h"
#include "stream.h"

/* What may wait for JavaScript: 100 ms of sound, beside the newest packet. */
#define QUEUE_SAMPLES (OUTPUT_RATE_HZ / 10)

/* A device that delivers several frames at once is paced; its packets wait for this at most. */
#define LONGEST_HOLD_NS (60 * NS_PER_MS)
/* Paced packets go out a little faster than they were captured, so that a late burst is caught up with. */
#define PACE_NUMERATOR 49
#define PACE_DENOMINATOR 50
/* Wake-ups after which a device that delivered in bursts counts as even again. */
#define BURST_MEMORY 100

struct capture {
	struct stream *stream;
	struct stream_counters counters;
	struct capture_device device;
	struct delay_line delay;
	struct framer framer;
	struct levels levels;
	bool active;
	int64_t last_due_ns;
	int packets_this_wake;
	uint64_t samples_this_wake;
	uint64_t burst_samples;
	int burst_wakes; /* left until it is forgotten */
};

/* When the packet is handed over: at once, unless it came with others in one burst. */
static int64_t due_time(const struct capture *capture, uint32_t samples)
{
	int64_t now = monotonic_ns();
	if (capture->packets_this_wake == 0 && capture->burst_wakes == 0)
		return now;
	int64_t step = (int64_t)samples * NS_PER_S / OUTPUT_RATE_HZ * PACE_NUMERATOR /
		       PACE_DENOMINATOR;
	int64_t due = capture->last_due_ns + step;
	if (due < now)
		return now;
	return due < now + LONGEST_HOLD_NS ? due : now + LONGEST_HOLD_NS;
}

static void queue_packet(void *context, struct packet *packet)
{
	struct capture *capture = context;
	packet->due_ns = due_time(capture, packet->samples);
	capture->last_due_ns = packet->due_ns;
	capture->packets_this_wake++;
	capture->samples_this_wake += packet->samples;
	capture->counters.encoded_frames++;
	capture->counters.encoded_bytes += packet->bytes;
	if (capture->packets_this_wake > 1) {
		capture->burst_wakes = BURST_MEMORY;
		if (capture->samples_this_wake > capture->burst_samples)
			capture->burst_samples = capture->samples_this_wake;
		if (capture->burst_samples > QUEUE_SAMPLES)
			capture->burst_samples = QUEUE_SAMPLES;
	}
	uint64_t limit = QUEUE_SAMPLES + packet->samples + capture->burst_samples;
	worker_lock(&capture->stream->worker);
	packet_queue_push(&capture->stream->packets, packet, limit);
	worker_unlock(&capture->stream->worker);
}

static void frame_sound(void *context, const float *stereo, uint32_t samples, int64_t time_ns)
{
	struct capture *capture = context;
	framer_push(&capture->framer, stereo, samples, time_ns);
}

static void begin_wake(struct capture *capture)
{
	capture->packets_this_wake = 0;
	capture->samples_this_wake = 0;
	if (capture->burst_wakes > 0 && --capture->burst_wakes == 0)
		capture->burst_samples = 0;
}

static void hand_over_retired(struct stream *stream, struct encoder *retired, uint64_t generation)
{
	worker_lock(&stream->worker);
	struct encoder *older = stream->retired_encoder;
	stream->retired_encoder = retired != NULL ? retired : older;
	stream->worker.applied_generation = generation;
	worker_signal(&stream->worker);
	worker_unlock(&stream->worker);
	/* Only when two changes came within one wake-up. */
	if (retired != NULL)
		encoder_free(older);
}

static void apply_settings(struct capture *capture)
{
	struct stream *stream = capture->stream;
	worker_lock(&stream->worker);
	uint64_t generation = stream->worker.generation;
	bool changed = generation != stream->worker.applied_generation;
	struct stream_settings settings = stream->settings;
	struct encoder *encoder = changed ? stream->next_encoder : NULL;
	if (changed)
		stream->next_encoder = NULL;
	worker_unlock(&stream->worker);
	if (!changed)
		return;
	struct framer *framer = &capture->framer;
	struct encoder *retired = NULL;
	if (encoder != NULL)
		retired = framer_swap_encoder(framer, encoder);
	encoder_apply(framer->encoder, &settings.encoder);
	framer_set_frame(framer, settings.encoder.frame_samples);
	framer->muted = settings.muted;
	delay_line_set(&capture->delay, settings.delay_samples);
	if (settings.active != capture->active)
		delay_line_drop(&capture->delay);
	if (!settings.active && capture->active)
		framer_rest(framer);
	capture->active = settings.active;
	capture_device_configure(&capture->device, &settings.device);
	hand_over_retired(stream, retired, generation);
}

static void process(struct capture *capture, const struct captured *captured)
{
	levels_add(&capture->levels, captured->stereo, (size_t)captured->frames * OUTPUT_CHANNELS);
	if (!capture->active) {
		capture_device_skip(&capture->device);
		return;
	}
	if (captured->gap_ns > 0)
		framer_gap(&capture->framer, delay_line_gap(&capture->delay, captured->gap_ns));
	uint32_t frames;
	int64_t time_ns;
	const float *stereo = capture_device_resample(&capture->device, captured, &frames, &time_ns);
	delay_line_push(&capture->delay, stereo, frames, time_ns);
}

static void read_all(struct capture *capture)
{
	struct captured captured;
	/* More than the buffer holds would mean that the device is faster than this machine. */
	for (int reads = 0; reads < 256 && capture_device_read(&capture->device, &captured); reads++)
		process(capture, &captured);
}

static void publish(struct capture *capture)
{
	struct stream *stream = capture->stream;
	struct framer *framer = &capture->framer;
	const struct sound_device *device = &capture->device.base;
	bool open = device->announced;
	worker_lock(&stream->worker);
	struct stream_stats *stats = &stream->stats;
	struct stream_window *window = &stats->window;
	stats->counters = capture->counters;
	stats->rate_hz = open ? device->pcm.rate_hz : 0;
	stats->channels = open ? device->pcm.channels : 0;
	levels_merge(&window->levels, &capture->levels);
	window->encode_total_ns += framer->encode_total_ns;
	window->encode_count += framer->encode_count;
	if (framer->encode_longest_ns > window->encode_longest_ns)
		window->encode_longest_ns = framer->encode_longest_ns;
	if (packet_queue_is_due(&stream->packets, monotonic_ns()))
		worker_signal(&stream->worker);
	worker_unlock(&stream->worker);
	capture->levels = (struct levels){ 0 };
	framer->encode_total_ns = 0;
	framer->encode_longest_ns = 0;
	framer->encode_count = 0;
}

static int64_t next_deadline(struct capture *capture)
{
	worker_lock(&capture->stream->worker);
	int64_t due = packet_queue_next_due(&capture->stream->packets, monotonic_ns());
	worker_unlock(&capture->stream->worker);
	int64_t deadline = capture_device_deadline(&capture->device);
	return deadline < due ? deadline : due;
}

static void work(struct capture *capture, struct pollfd *descriptors, int count)
{
	struct capture_device *device = &capture->device;
	begin_wake(capture);
	bool was_flowing = sound_device_is_flowing(&device->base);
	capture_device_service(device, descriptors, count, monotonic_ns());
	capture_device_try_open(device, monotonic_ns());
	read_all(capture);
	capture_device_check_stall(device);
	if (was_flowing && !sound_device_is_flowing(&device->base)) {
		/* The frame under way ends in silence now, not when the sound is back. */
		delay_line_drop(&capture->delay);
		framer_gap(&capture->framer, NS_PER_S);
	}
	publish(capture);
}

static void run(struct capture *capture)
{
	struct worker *worker = &capture->stream->worker;
	struct sound_device *device = &capture->device.base;
	struct pollfd descriptors[WORKER_DESCRIPTORS + MAX_PCM_DESCRIPTORS] = { 0 };
	struct pollfd *of_device = descriptors + WORKER_DESCRIPTORS;
	int count = 0;
	bool cards;
	while (worker_begin(worker, descriptors, &cards)) {
		apply_settings(capture);
		if (cards)
			sound_device_hasten(device);
		work(capture, of_device, count);
		count = sound_device_poll(device, of_device);
		if (!worker_sleep(worker, descriptors, count, next_deadline(capture)))
			count = 0;
	}
}

void capture_run(void *context)
{
	struct stream *stream = context;
	struct capture *capture = calloc(1, sizeof *capture);
	if (capture == NULL)
		return;
	capture->stream = stream;
	capture->delay.on_sound = frame_sound;
	capture->delay.context = capture;
	delay_line_init(&capture->delay);
	capture->framer.on_packet = queue_packet;
	capture->framer.context = capture;
	capture->framer.gain = 1;
	capture_device_init(&capture->device, stream, &capture->counters);
	run(capture);
	capture_device_close(&capture->device);
	encoder_free(capture->framer.encoder);
	free(capture);
}
