#include "capture.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture_device.h"
#include "framer.h"
#include "hotplug.h"
#include "monotonic.h"
#include "stream.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#define REALTIME_PRIORITY 40

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
	struct framer framer;
	struct levels levels;
	bool active;
	int hotplug_fd;
	int64_t last_due_ns;
	int packets_this_wake;
	uint64_t samples_this_wake;
	uint64_t burst_samples;
	int burst_wakes; /* left until it is forgotten */
};

static void request_realtime(struct capture *capture)
{
	struct sched_param parameter = { .sched_priority = REALTIME_PRIORITY };
	/* The threads that ALSA's plugins start do not inherit it. */
	bool granted = sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameter) == 0;
	struct stream_event event = { .kind = EVENT_REALTIME_REFUSED };
	if (!granted) {
		snprintf(event.error, sizeof event.error, "SCHED_FIFO: %s", strerror(errno));
		stream_post_event(capture->stream, &event);
	}
	stream_lock(capture->stream);
	capture->stream->stats.realtime = granted;
	stream_unlock(capture->stream);
}

/* Filters that fade into silence would otherwise end in denormal numbers, a hundred times slower. */
static void flush_denormals(void)
{
#if defined(__SSE__)
	/* Flush to zero, denormals are zero. */
	_mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__)
	uint64_t control;
	__asm__ volatile("mrs %0, fpcr" : "=r"(control));
	__asm__ volatile("msr fpcr, %0" : : "r"(control | (UINT64_C(1) << 24)));
#elif defined(__arm__) && defined(__ARM_FP)
	uint32_t control;
	__asm__ volatile("vmrs %0, fpscr" : "=r"(control));
	__asm__ volatile("vmsr fpscr, %0" : : "r"(control | (UINT32_C(1) << 24)));
#endif
}

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
	stream_lock(capture->stream);
	packet_queue_push(&capture->stream->packets, packet, limit);
	stream_unlock(capture->stream);
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
	stream_lock(stream);
	struct encoder *older = stream->retired_encoder;
	stream->retired_encoder = retired != NULL ? retired : older;
	stream->applied_generation = generation;
	stream_signal(stream);
	stream_unlock(stream);
	/* Only when two changes came within one wake-up. */
	if (retired != NULL)
		encoder_free(older);
}

static void apply_settings(struct capture *capture)
{
	struct stream *stream = capture->stream;
	stream_lock(stream);
	uint64_t generation = stream->generation;
	bool changed = generation != stream->applied_generation;
	struct stream_settings settings = stream->settings;
	struct encoder *encoder = changed ? stream->next_encoder : NULL;
	if (changed)
		stream->next_encoder = NULL;
	stream_unlock(stream);
	if (!changed)
		return;
	struct framer *framer = &capture->framer;
	struct encoder *retired = NULL;
	if (encoder != NULL)
		retired = framer_swap_encoder(framer, encoder);
	encoder_apply(framer->encoder, &settings.encoder);
	framer_set_frame(framer, settings.encoder.frame_samples);
	framer->muted = settings.muted;
	if (!settings.active && capture->active)
		framer_rest(framer);
	capture->active = settings.active;
	capture_device_configure(&capture->device, &settings.device);
	hand_over_retired(stream, retired, generation);
}

static void process(struct capture *capture, const struct captured *captured)
{
	struct framer *framer = &capture->framer;
	levels_add(&capture->levels, captured->stereo, (size_t)captured->frames * OUTPUT_CHANNELS);
	if (!capture->active) {
		capture_device_skip(&capture->device);
		return;
	}
	if (captured->gap_ns > 0)
		framer_gap(framer, captured->gap_ns);
	uint32_t frames;
	int64_t time_ns;
	const float *stereo = capture_device_resample(&capture->device, captured, &frames, &time_ns);
	framer_push(framer, stereo, frames, time_ns);
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
	bool open = capture->device.announced;
	stream_lock(stream);
	struct stream_stats *stats = &stream->stats;
	struct stream_window *window = &stats->window;
	stats->counters = capture->counters;
	stats->rate_hz = open ? capture->device.pcm.rate_hz : 0;
	stats->channels = open ? capture->device.pcm.channels : 0;
	if (capture->levels.peak > window->levels.peak)
		window->levels.peak = capture->levels.peak;
	window->levels.square_sum += capture->levels.square_sum;
	window->levels.count += capture->levels.count;
	window->encode_total_ns += framer->encode_total_ns;
	window->encode_count += framer->encode_count;
	if (framer->encode_longest_ns > window->encode_longest_ns)
		window->encode_longest_ns = framer->encode_longest_ns;
	if (packet_queue_is_due(&stream->packets, monotonic_ns()))
		stream_signal(stream);
	stream_unlock(stream);
	capture->levels = (struct levels){ 0 };
	framer->encode_total_ns = 0;
	framer->encode_longest_ns = 0;
	framer->encode_count = 0;
}

/* Sleeps until sound, a command, a new card, or the next deadline; returns the device's descriptors. */
static int wait(struct capture *capture, struct pollfd *descriptors)
{
	struct stream *stream = capture->stream;
	descriptors[0] = (struct pollfd){ .fd = stream->command_fd, .events = POLLIN };
	/* A negative descriptor is passed over. */
	descriptors[1] = (struct pollfd){ .fd = capture->hotplug_fd, .events = POLLIN };
	int count = capture_device_poll(&capture->device, descriptors + 2);
	int64_t now = monotonic_ns();
	stream_lock(stream);
	int64_t until = packet_queue_next_due(&stream->packets, now);
	stream->stats.busy_since_ns = 0;
	stream_unlock(stream);
	int64_t deadline = capture_device_deadline(&capture->device);
	if (deadline < until)
		until = deadline;
	int64_t left = until > now ? until - now : 0;
	struct timespec timeout = { .tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S };
	if (ppoll(descriptors, (nfds_t)count + 2, &timeout, NULL) < 0)
		return 0;
	return count;
}

static bool take_commands(struct capture *capture, const struct pollfd *descriptors)
{
	if (descriptors[0].revents != 0) {
		uint64_t commands;
		ssize_t got = read(capture->stream->command_fd, &commands, sizeof commands);
		(void)got;
	}
	if (descriptors[1].revents != 0 && hotplug_drain(capture->hotplug_fd))
		capture_device_hasten(&capture->device);
	stream_lock(capture->stream);
	bool stopping = capture->stream->stopping;
	capture->stream->stats.busy_since_ns = monotonic_ns();
	stream_unlock(capture->stream);
	if (!stopping)
		apply_settings(capture);
	return !stopping;
}

static void run(struct capture *capture)
{
	struct pollfd descriptors[2 + MAX_PCM_DESCRIPTORS] = { 0 };
	int count = 0;
	while (take_commands(capture, descriptors)) {
		begin_wake(capture);
		bool was_flowing = capture_device_is_flowing(&capture->device);
		capture_device_service(&capture->device, descriptors + 2, count, monotonic_ns());
		capture_device_try_open(&capture->device, monotonic_ns());
		read_all(capture);
		capture_device_check_stall(&capture->device);
		if (was_flowing && !capture_device_is_flowing(&capture->device)) {
			/* The frame under way ends in silence now, not when the sound is back. */
			framer_gap(&capture->framer, NS_PER_S);
		}
		publish(capture);
		count = wait(capture, descriptors);
	}
}

void *capture_thread(void *context)
{
	struct stream *stream = context;
	struct capture *capture = calloc(1, sizeof *capture);
	if (capture != NULL) {
		capture->stream = stream;
		capture->framer.on_packet = queue_packet;
		capture->framer.context = capture;
		capture->framer.gain = 1;
		capture->hotplug_fd = hotplug_open(stream->hotplug_directory);
		capture_device_init(&capture->device, stream, &capture->counters);
		flush_denormals();
		request_realtime(capture);
		run(capture);
		capture_device_close(&capture->device);
		if (capture->hotplug_fd >= 0)
			close(capture->hotplug_fd);
		encoder_free(capture->framer.encoder);
		free(capture);
	}
	stream_lock(stream);
	stream->thread_ended = true;
	pthread_cond_signal(&stream->ended);
	stream_unlock(stream);
	stream_unreference(stream);
	return NULL;
}
