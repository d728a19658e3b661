#include "capture_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monotonic.h"

#define FIRST_RETRY_MS 100
#define LAST_RETRY_MS 2000
/*
 * EIO: the host of a USB gadget is not playing, which is no fault. Looked at again this often, so that
 * the start of its sound is not lost.
 */
#define IDLE_RETRY_MS 250
/* After this much sound the device counts as good, and the next loss is retried quickly again. */
#define GOOD_NS (10 * NS_PER_S)
#define STALL_NS (2 * NS_PER_S)
#define STALL_PERIODS 10
#define RESUME_NS (2 * NS_PER_S)
#define RESUME_STEP_NS (50 * NS_PER_MS)
#define MAX_FRUITLESS 20

void capture_device_init(struct capture_device *device, struct stream *stream,
			 struct stream_counters *counters)
{
	memset(device, 0, sizeof *device);
	device->stream = stream;
	device->counters = counters;
	device->retry_ms = FIRST_RETRY_MS;
}

bool capture_device_is_open(const struct capture_device *device)
{
	return device->pcm.handle != NULL;
}

bool capture_device_is_flowing(const struct capture_device *device)
{
	return device->announced && device->suspended_until_ns == 0;
}

void capture_device_close(struct capture_device *device)
{
	pcm_close(&device->pcm);
	converter_close(&device->converter);
	free(device->chunk);
	device->chunk = NULL;
	device->suspended_until_ns = 0;
}

void capture_device_configure(struct capture_device *device, const struct device_settings *settings)
{
	bool same = strcmp(settings->name, device->settings.name) == 0 &&
		    settings->period_ms == device->settings.period_ms &&
		    settings->buffer_ms == device->settings.buffer_ms;
	if (same)
		return;
	capture_device_close(device);
	device->settings = *settings;
	device->last_error[0] = '\0';
	capture_device_hasten(device);
}

void capture_device_hasten(struct capture_device *device)
{
	device->retry_ms = FIRST_RETRY_MS;
	device->retry_at_ns = 0;
}

/* Posts a loss when its reason is news; the next try is set either way. */
static void lose(struct capture_device *device, int error, const char *step)
{
	int64_t now = monotonic_ns();
	if (device->announced && now - device->opened_ns > GOOD_NS)
		device->retry_ms = FIRST_RETRY_MS;
	capture_device_close(device);
	int retry_ms = device->retry_ms;
	if (error == -EIO && retry_ms > IDLE_RETRY_MS)
		retry_ms = IDLE_RETRY_MS;
	device->retry_at_ns = now + retry_ms * NS_PER_MS;
	device->retry_ms = 2 * device->retry_ms < LAST_RETRY_MS ? 2 * device->retry_ms : LAST_RETRY_MS;
	struct stream_event event = { .kind = EVENT_LOST, .retry_ms = retry_ms };
	snprintf(event.device, sizeof event.device, "%s", device->settings.name);
	snprintf(event.error, sizeof event.error, "%s: %s", step, snd_strerror(error));
	bool news = device->announced || strcmp(event.error, device->last_error) != 0;
	device->announced = false;
	if (!news)
		return;
	memcpy(device->last_error, event.error, sizeof device->last_error);
	stream_post_event(device->stream, &event);
}

static int allocate(struct capture_device *device)
{
	const struct pcm *pcm = &device->pcm;
	device->chunk_frames = (uint32_t)pcm->period_frames;
	ssize_t frame_bytes = snd_pcm_frames_to_bytes(pcm->handle, 1);
	device->chunk = calloc(device->chunk_frames, (size_t)frame_bytes);
	if (device->chunk == NULL)
		return -ENOMEM;
	return converter_open(&device->converter, pcm->format, (int)pcm->rate_hz,
			      (int)pcm->channels, device->chunk_frames);
}

void capture_device_try_open(struct capture_device *device, int64_t now_ns)
{
	if (capture_device_is_open(device) || now_ns < device->retry_at_ns)
		return;
	const char *step = "open";
	int error = pcm_open(&device->pcm, &device->settings, &step);
	if (error == 0 && (error = allocate(device)) < 0)
		step = "memory";
	if (error < 0) {
		lose(device, error, step);
		return;
	}
	timeline_start(&device->timeline, (int)device->pcm.rate_hz);
	device->frames = 0;
	device->resampled = 0;
	device->fruitless = 0;
	device->after_xrun = false;
	device->opened_ns = monotonic_ns();
	device->last_data_ns = device->opened_ns;
}

/* The first sound came: only now it is known that the device works. */
static void announce(struct capture_device *device)
{
	const struct pcm *pcm = &device->pcm;
	device->announced = true;
	if (device->ever_opened)
		device->counters->reopens++;
	device->ever_opened = true;
	struct stream_event event = {
		.kind = EVENT_OPENED,
		.rate_hz = pcm->rate_hz,
		.channels = pcm->channels,
		.period_ms = (double)pcm->period_frames * 1e3 / pcm->rate_hz,
		.buffer_ms = (double)pcm->buffer_frames * 1e3 / pcm->rate_hz,
	};
	snprintf(event.device, sizeof event.device, "%s", device->settings.name);
	stream_post_event(device->stream, &event);
}

static int64_t stall_deadline(const struct capture_device *device)
{
	const struct pcm *pcm = &device->pcm;
	int64_t periods = (int64_t)(STALL_PERIODS * pcm->period_frames) * NS_PER_S / pcm->rate_hz;
	return device->last_data_ns + (periods > STALL_NS ? periods : STALL_NS);
}

int64_t capture_device_deadline(const struct capture_device *device)
{
	if (!capture_device_is_open(device))
		return device->retry_at_ns;
	if (device->suspended_until_ns != 0)
		return device->resume_at_ns;
	return stall_deadline(device);
}

int capture_device_poll(struct capture_device *device, struct pollfd *descriptors)
{
	if (!capture_device_is_open(device) || device->suspended_until_ns != 0)
		return 0;
	int count = snd_pcm_poll_descriptors(device->pcm.handle, descriptors, MAX_PCM_DESCRIPTORS);
	return count > 0 ? count : 0;
}

static void after_restart(struct capture_device *device, int error)
{
	if (error < 0) {
		lose(device, error, "restart");
		return;
	}
	device->last_data_ns = monotonic_ns();
	timeline_resync(&device->timeline);
}

static void try_resume(struct capture_device *device, int64_t now_ns)
{
	int error = snd_pcm_resume(device->pcm.handle);
	/* Plugins say that they have resumed whether they have or not. */
	bool suspended = snd_pcm_state(device->pcm.handle) == SND_PCM_STATE_SUSPENDED;
	bool waiting = error == -EAGAIN || (error == 0 && suspended);
	if (waiting && now_ns < device->suspended_until_ns) {
		device->resume_at_ns = now_ns + RESUME_STEP_NS;
		return;
	}
	device->suspended_until_ns = 0;
	/* Most drivers cannot resume and say so; those that can need no restart. */
	if (error < 0 || suspended)
		error = pcm_restart(&device->pcm);
	after_restart(device, error);
}

/* Every error of every call while the device is open comes through here. */
static void recover(struct capture_device *device, int error, const char *step)
{
	if (error == -EAGAIN || error == -EINTR)
		return;
	if (error == -ESTRPIPE) {
		device->counters->suspends++;
		device->suspended_until_ns = monotonic_ns() + RESUME_NS;
		device->resume_at_ns = 0;
		return;
	}
	if (error != -EPIPE || ++device->fruitless > MAX_FRUITLESS) {
		lose(device, error, step);
		return;
	}
	device->counters->xruns++;
	device->after_xrun = true;
	after_restart(device, pcm_restart(&device->pcm));
}

void capture_device_service(struct capture_device *device, struct pollfd *descriptors, int count,
			    int64_t now_ns)
{
	if (!capture_device_is_open(device))
		return;
	if (device->suspended_until_ns != 0) {
		if (now_ns >= device->resume_at_ns)
			try_resume(device, now_ns);
		return;
	}
	if (count == 0)
		return;
	unsigned short events = 0;
	int error = snd_pcm_poll_descriptors_revents(device->pcm.handle, descriptors,
						     (unsigned int)count, &events);
	if (error < 0) {
		recover(device, error, "poll");
	} else if ((events & (POLLERR | POLLNVAL)) != 0 && ++device->fruitless > MAX_FRUITLESS) {
		/* The position below names the error; a descriptor that only ever says POLLERR would spin. */
		lose(device, -EIO, "poll");
	}
}

void capture_device_check_stall(struct capture_device *device)
{
	if (capture_device_is_open(device) && device->suspended_until_ns == 0 &&
	    monotonic_ns() >= stall_deadline(device))
		lose(device, -ETIMEDOUT, "no sound");
}

/* The timestamps' verdict on what is missing, and the event of the overrun that made it so. */
static int64_t note_gap(struct capture_device *device, int64_t captured_ns)
{
	int64_t gap = timeline_update(&device->timeline, device->frames, captured_ns);
	uint64_t lost = (uint64_t)(gap * (int64_t)device->pcm.rate_hz / NS_PER_S);
	device->counters->lost_samples += lost;
	if (device->after_xrun || lost > 0) {
		struct stream_event event = { .kind = EVENT_XRUN, .lost_samples = lost };
		stream_post_event(device->stream, &event);
	}
	device->after_xrun = false;
	return gap;
}

bool capture_device_read(struct capture_device *device, struct captured *captured)
{
	if (!capture_device_is_open(device) || device->suspended_until_ns != 0)
		return false;
	int64_t captured_ns;
	snd_pcm_sframes_t count = pcm_position(&device->pcm, &captured_ns);
	if (count > 0) {
		snd_pcm_uframes_t wanted = (snd_pcm_uframes_t)count;
		count = pcm_read(&device->pcm, device->chunk,
				 wanted < device->chunk_frames ? wanted : device->chunk_frames);
	}
	if (count <= 0) {
		if (count < 0)
			recover(device, (int)count, "read");
		return false;
	}
	captured->fresh = device->frames == 0;
	captured->gap_ns = note_gap(device, captured_ns);
	captured->frames = (uint32_t)count;
	captured->stereo = converter_stereo(&device->converter, device->chunk, captured->frames);
	device->frames += count;
	device->counters->captured_samples += (uint64_t)count;
	device->fruitless = 0;
	device->last_data_ns = monotonic_ns();
	if (!device->announced)
		announce(device);
	if (timeline_rate_changed(&device->timeline, device->frames, device->last_data_ns)) {
		lose(device, -ESTALE, "sample rate");
		return false;
	}
	return true;
}

const float *capture_device_resample(struct capture_device *device, const struct captured *captured,
				     uint32_t *frames, int64_t *time_ns)
{
	double first = (double)device->resampled * device->pcm.rate_hz / OUTPUT_RATE_HZ;
	*time_ns = timeline_at(&device->timeline, first);
	const float *stereo = converter_resample(&device->converter, captured->stereo,
						 captured->frames, frames);
	device->resampled += *frames;
	return stereo;
}

void capture_device_skip(struct capture_device *device)
{
	device->resampled = (uint64_t)device->frames * OUTPUT_RATE_HZ / device->pcm.rate_hz;
	converter_reset(&device->converter);
}
