#include "playback_device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interleave.h"
#include "monotonic.h"

/* A host that takes nothing for so long does not listen. */
#define STALL_NS (500 * NS_PER_MS)
#define STALL_PERIODS 10
/* While it does not, this often it is looked whether it has begun; 20 wake-ups a second cost nothing. */
#define IDLE_LOOK_NS (50 * NS_PER_MS)

void playback_device_init(struct playback_device *device, struct worker *worker,
			  struct device_counters *counters)
{
	memset(device, 0, sizeof *device);
	sound_device_init(&device->base, worker, SND_PCM_STREAM_PLAYBACK, counters);
}

void playback_device_close(struct playback_device *device)
{
	/* What waits in the buffer is not played out: closing would take as long. */
	if (sound_device_is_open(&device->base))
		snd_pcm_drop(device->base.pcm.handle);
	sound_device_close(&device->base);
	drift_resampler_close(&device->resampler);
	free(device->stereo);
	free(device->chunk);
	device->stereo = NULL;
	device->chunk = NULL;
	device->idle = false;
}

void playback_device_rest(struct playback_device *device)
{
	playback_device_close(device);
	sound_device_forget(&device->base);
}

void playback_device_configure(struct playback_device *device,
			       const struct device_settings *settings)
{
	if (sound_device_configure(&device->base, settings))
		playback_device_rest(device);
}

bool playback_device_is_flowing(const struct playback_device *device)
{
	return sound_device_is_open(&device->base) && !sound_device_is_suspended(&device->base) &&
	       !device->idle;
}

static void lose(struct playback_device *device, int error, const char *step)
{
	playback_device_close(device);
	sound_device_lose(&device->base, error, step);
}

static int allocate(struct playback_device *device)
{
	const struct pcm *pcm = &device->base.pcm;
	device->chunk_frames = (uint32_t)pcm->period_frames;
	device->frame_bytes = (size_t)snd_pcm_frames_to_bytes(pcm->handle, 1);
	device->chunk = calloc(device->chunk_frames, device->frame_bytes);
	device->stereo = calloc(device->chunk_frames, OUTPUT_CHANNELS * sizeof(float));
	if (device->chunk == NULL || device->stereo == NULL)
		return -ENOMEM;
	return drift_resampler_open(&device->resampler, pcm->rate_hz);
}

/* The buffer is empty and the PCM waits for its first frames. */
static void begin(struct playback_device *device)
{
	device->written = 0;
	device->chunk_at = 0;
	device->chunk_end = 0;
	device->prepared = true;
	device->moved_ns = monotonic_ns();
	pace_start(&device->base.pace, device->base.pcm.rate_hz, device->base.pcm.buffer_frames,
		   device->moved_ns);
}

void playback_device_try_open(struct playback_device *device, int64_t now_ns)
{
	if (!sound_device_is_due(&device->base, now_ns))
		return;
	const char *step = "open";
	int error = sound_device_open(&device->base, &step);
	if (error == 0 && (error = allocate(device)) < 0)
		step = "memory";
	if (error < 0)
		lose(device, error, step);
	else
		begin(device);
}

static int64_t stall_deadline(const struct playback_device *device)
{
	int64_t periods = STALL_PERIODS * pcm_period_ns(&device->base.pcm);
	return device->moved_ns + (periods > STALL_NS ? periods : STALL_NS);
}

int64_t playback_device_deadline(const struct playback_device *device)
{
	int64_t deadline = sound_device_deadline(&device->base);
	return deadline != INT64_MAX ? deadline : stall_deadline(device);
}

static void post_idle(struct playback_device *device, bool idle)
{
	struct event event = { .kind = EVENT_IDLE, .idle = idle };
	snprintf(event.device, sizeof event.device, "%s", device->base.settings.name);
	worker_post_event(device->base.worker, &event);
}

/* Empties the device's buffer, which would be stale when it moves again. */
static int start_over(struct playback_device *device)
{
	snd_pcm_drop(device->base.pcm.handle);
	int error = snd_pcm_prepare(device->base.pcm.handle);
	if (error == 0)
		begin(device);
	return error;
}

static void go_idle(struct playback_device *device)
{
	int error = start_over(device);
	if (error < 0) {
		lose(device, error, "prepare");
		return;
	}
	sound_device_announce(&device->base);
	if (!device->idle)
		post_idle(device, true);
	device->idle = true;
	device->base.rest_until_ns = monotonic_ns() + IDLE_LOOK_NS;
}

/* More was taken than the buffer holds: the device's clock runs. */
static void note_progress(struct playback_device *device)
{
	device->moved_ns = monotonic_ns();
	device->base.fruitless = 0;
	sound_device_announce(&device->base);
	if (!device->idle)
		return;
	device->idle = false;
	post_idle(device, false);
}

static void restart(struct playback_device *device)
{
	int error = pcm_restart(&device->base.pcm);
	if (error < 0)
		lose(device, error, "restart");
	else
		begin(device);
}

static void note_underrun(struct playback_device *device)
{
	struct event event = { .kind = EVENT_XRUN, .amount = device->base.counters->xruns };
	worker_post_event(device->base.worker, &event);
	restart(device);
}

/* Every error of every call while the device is open comes through here. */
static void recover(struct playback_device *device, int error, const char *step)
{
	if (error == -EIO) {
		go_idle(device);
		return;
	}
	if (error == -EPIPE && device->idle) {
		/* The silence was heard to its end: the host listens again. */
		note_progress(device);
		restart(device);
		return;
	}
	switch (sound_device_recover(&device->base, error)) {
	case RECOVERY_RESTART:
		note_underrun(device);
		break;
	case RECOVERY_LOST:
		lose(device, error, step);
		break;
	case RECOVERY_NONE:
		break;
	}
}

void playback_device_service(struct playback_device *device, struct pollfd *descriptors, int count,
			     int64_t now_ns)
{
	struct sound_device *base = &device->base;
	bool from_anew;
	if (sound_device_is_open(base) && sound_device_is_suspended(base)) {
		if (sound_device_resume(base, now_ns, &from_anew) && from_anew)
			restart(device);
		device->moved_ns = now_ns;
		return;
	}
	int error = sound_device_service(base, descriptors, count);
	if (error < 0)
		recover(device, error, "poll");
}

static void render_chunk(struct playback_device *device, uint32_t frames, render_function *render,
			 void *context)
{
	const struct pcm *pcm = &device->base.pcm;
	device->chunk_at = 0;
	device->chunk_end = frames < device->chunk_frames ? frames : device->chunk_frames;
	render(context, device->stereo, device->chunk_end);
	interleave(device->chunk, pcm->format, pcm->channels, device->stereo, device->chunk_end);
}

/* How many frames may be written now; 0 when the device is full, or an error. */
static int64_t writable(struct playback_device *device)
{
	struct pcm_position position;
	int error = pcm_position(&device->base.pcm, &position);
	if (error < 0)
		return error;
	device->position_ns = position.time_ns;
	device->delay = position.delay > 0 ? position.delay : 0;
	if (position.available <= 0)
		return 0;
	uint64_t room = (uint64_t)position.available;
	return (int64_t)pace_allow(&device->base.pace, room, monotonic_ns());
}

static bool write_chunk(struct playback_device *device, int64_t room)
{
	uint32_t left = device->chunk_end - device->chunk_at;
	snd_pcm_uframes_t frames = left < room ? left : (snd_pcm_uframes_t)room;
	snd_pcm_sframes_t count = pcm_write(
		&device->base.pcm, device->chunk + device->chunk_at * device->frame_bytes, frames);
	if (count <= 0) {
		if (count < 0)
			recover(device, (int)count, "write");
		return false;
	}
	device->chunk_at += (uint32_t)count;
	device->delay += count;
	device->written += (uint64_t)count;
	pace_take(&device->base.pace, (uint64_t)count);
	if (device->written > device->base.pcm.buffer_frames)
		note_progress(device);
	return true;
}

void playback_device_fill(struct playback_device *device, render_function *render, void *context)
{
	struct sound_device *base = &device->base;
	if (!sound_device_is_open(base) || sound_device_is_suspended(base))
		return;
	uint64_t before = device->written;
	int64_t room = 0;
	/* More than the buffer holds would mean that the device is faster than this machine. */
	for (int writes = 0; writes < 256 && sound_device_is_open(base); writes++) {
		room = writable(device);
		if (room <= 0)
			break;
		if (device->chunk_at == device->chunk_end)
			render_chunk(device, (uint32_t)room, render, context);
		if (!write_chunk(device, room))
			break;
	}
	if (room < 0)
		recover(device, (int)room, "position");
	/* Woken for nothing, or kept to real time: its descriptors would wake at once again. */
	if (sound_device_is_open(base) && (device->written == before || base->pace.clockless))
		base->rest_until_ns = monotonic_ns() + pcm_period_ns(&base->pcm) / 2;
	if (device->idle)
		base->rest_until_ns = monotonic_ns() + IDLE_LOOK_NS;
}

void playback_device_check_progress(struct playback_device *device)
{
	if (playback_device_is_flowing(device) && monotonic_ns() >= stall_deadline(device))
		go_idle(device);
}

static double at_48_khz(const struct playback_device *device, double frames)
{
	return frames * OUTPUT_RATE_HZ / device->base.pcm.rate_hz;
}

double playback_device_held(const struct playback_device *device)
{
	return at_48_khz(device, device->chunk_end - device->chunk_at) +
	       device->resampler.delay;
}

double playback_device_delay(const struct playback_device *device)
{
	return at_48_khz(device, (double)device->delay);
}
