#include "capture_device.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "monotonic.h"

#define STALL_NS (2 * NS_PER_S)
#define STALL_PERIODS 10

void capture_device_init(struct capture_device *device, struct stream *stream,
			 struct stream_counters *counters)
{
	memset(device, 0, sizeof *device);
	device->counters = counters;
	sound_device_init(&device->base, &stream->worker, SND_PCM_STREAM_CAPTURE, &counters->device);
}

void capture_device_close(struct capture_device *device)
{
	sound_device_close(&device->base);
	converter_close(&device->converter);
	free(device->chunk);
	device->chunk = NULL;
}

void capture_device_configure(struct capture_device *device, const struct device_settings *settings)
{
	if (sound_device_configure(&device->base, settings))
		capture_device_close(device);
}

static void lose(struct capture_device *device, int error, const char *step)
{
	capture_device_close(device);
	sound_device_lose(&device->base, error, step);
}

static int allocate(struct capture_device *device)
{
	const struct pcm *pcm = &device->base.pcm;
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
	if (!sound_device_is_due(&device->base, now_ns))
		return;
	const char *step = "open";
	int error = sound_device_open(&device->base, &step);
	if (error == 0 && (error = allocate(device)) < 0)
		step = "memory";
	if (error < 0) {
		lose(device, error, step);
		return;
	}
	timeline_start(&device->timeline, (int)device->base.pcm.rate_hz);
	device->frames = 0;
	device->resampled = 0;
	device->after_xrun = false;
	device->last_data_ns = device->base.opened_ns;
}

static int64_t stall_deadline(const struct capture_device *device)
{
	const struct pcm *pcm = &device->base.pcm;
	int64_t periods = (int64_t)(STALL_PERIODS * pcm->period_frames) * NS_PER_S / pcm->rate_hz;
	return device->last_data_ns + (periods > STALL_NS ? periods : STALL_NS);
}

int64_t capture_device_deadline(const struct capture_device *device)
{
	int64_t deadline = sound_device_deadline(&device->base);
	return deadline != INT64_MAX ? deadline : stall_deadline(device);
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

/* Every error of every call while the device is open comes through here. */
static void recover(struct capture_device *device, int error, const char *step)
{
	switch (sound_device_recover(&device->base, error)) {
	case RECOVERY_RESTART:
		device->after_xrun = true;
		after_restart(device, pcm_restart(&device->base.pcm));
		break;
	case RECOVERY_LOST:
		lose(device, error, step);
		break;
	case RECOVERY_NONE:
		break;
	}
}

void capture_device_service(struct capture_device *device, struct pollfd *descriptors, int count,
			    int64_t now_ns)
{
	struct sound_device *base = &device->base;
	bool restart;
	if (sound_device_is_open(base) && sound_device_is_suspended(base)) {
		if (sound_device_resume(base, now_ns, &restart))
			after_restart(device, restart ? pcm_restart(&base->pcm) : 0);
		return;
	}
	int error = sound_device_service(base, descriptors, count);
	if (error < 0)
		recover(device, error, "poll");
}

void capture_device_check_stall(struct capture_device *device)
{
	const struct sound_device *base = &device->base;
	if (sound_device_is_open(base) && !sound_device_is_suspended(base) &&
	    monotonic_ns() >= stall_deadline(device))
		lose(device, -ETIMEDOUT, "no sound");
}

/* The timestamps' verdict on what is missing, and the event of the overrun that made it so. */
static int64_t note_gap(struct capture_device *device, int64_t captured_ns)
{
	int64_t gap = timeline_update(&device->timeline, device->frames, captured_ns);
	uint64_t lost = (uint64_t)(gap * (int64_t)device->base.pcm.rate_hz / NS_PER_S);
	device->counters->lost_samples += lost;
	if (device->after_xrun || lost > 0) {
		struct event event = { .kind = EVENT_XRUN, .amount = lost };
		worker_post_event(device->base.worker, &event);
	}
	device->after_xrun = false;
	return gap;
}

/* How many frames wait and may be read now; 0 rests until more may, or an error. */
static snd_pcm_sframes_t readable(struct capture_device *device, int64_t *captured_ns)
{
	struct pcm_position position;
	int error = pcm_position(&device->base.pcm, &position);
	if (error < 0)
		return error;
	*captured_ns = position.time_ns -
		       (int64_t)position.available * NS_PER_S / device->base.pcm.rate_hz;
	if (position.available <= 0)
		return 0;
	int64_t now = monotonic_ns();
	uint64_t wanted = (uint64_t)position.available;
	if (wanted > device->chunk_frames)
		wanted = device->chunk_frames;
	uint64_t allowed = pace_allow(&device->base.pace, wanted, now);
	if (allowed < wanted)
		device->base.rest_until_ns = now + pcm_period_ns(&device->base.pcm);
	return (snd_pcm_sframes_t)allowed;
}

bool capture_device_read(struct capture_device *device, struct captured *captured)
{
	if (!sound_device_is_open(&device->base) || sound_device_is_suspended(&device->base))
		return false;
	int64_t captured_ns;
	snd_pcm_sframes_t count = readable(device, &captured_ns);
	if (count > 0)
		count = pcm_read(&device->base.pcm, device->chunk, (snd_pcm_uframes_t)count);
	if (count <= 0) {
		if (count < 0)
			recover(device, (int)count, "read");
		return false;
	}
	pace_take(&device->base.pace, (uint64_t)count);
	captured->fresh = device->frames == 0;
	captured->gap_ns = note_gap(device, captured_ns);
	captured->frames = (uint32_t)count;
	captured->stereo = converter_stereo(&device->converter, device->chunk, captured->frames);
	device->frames += count;
	device->counters->captured_samples += (uint64_t)count;
	device->base.fruitless = 0;
	device->last_data_ns = monotonic_ns();
	sound_device_announce(&device->base);
	if (timeline_rate_changed(&device->timeline, device->frames, device->last_data_ns)) {
		lose(device, -ESTALE, "sample rate");
		return false;
	}
	return true;
}

const float *capture_device_resample(struct capture_device *device, const struct captured *captured,
				     uint32_t *frames, int64_t *time_ns)
{
	double first = (double)device->resampled * device->base.pcm.rate_hz / OUTPUT_RATE_HZ;
	*time_ns = timeline_at(&device->timeline, first);
	const float *stereo = converter_resample(&device->converter, captured->stereo,
						 captured->frames, frames);
	device->resampled += *frames;
	return stereo;
}

void capture_device_skip(struct capture_device *device)
{
	device->resampled = (uint64_t)device->frames * OUTPUT_RATE_HZ / device->base.pcm.rate_hz;
	converter_reset(&device->converter);
}
