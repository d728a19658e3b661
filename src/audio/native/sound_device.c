#include "sound_device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "monotonic.h"

#define FIRST_RETRY_MS 100
#define LAST_RETRY_MS 2000
/*
 * EIO: the host of a USB gadget is not listening, which is no fault. Looked at again this often, so that
 * the start of its sound is not lost.
 */
#define IDLE_RETRY_MS 250
/* After this much sound the device counts as good, and the next loss is retried quickly again. */
#define GOOD_NS (10 * NS_PER_S)
#define RESUME_NS (2 * NS_PER_S)
#define RESUME_STEP_NS (50 * NS_PER_MS)
#define MAX_FRUITLESS 20

void sound_device_init(struct sound_device *device, struct worker *worker,
		       snd_pcm_stream_t direction, struct device_counters *counters)
{
	*device = (struct sound_device){
		.worker = worker,
		.direction = direction,
		.counters = counters,
		.retry_ms = FIRST_RETRY_MS,
	};
}

bool sound_device_is_open(const struct sound_device *device)
{
	return device->pcm.handle != NULL;
}

bool sound_device_is_suspended(const struct sound_device *device)
{
	return device->suspended_until_ns != 0;
}

bool sound_device_is_flowing(const struct sound_device *device)
{
	return device->announced && !sound_device_is_suspended(device);
}

bool sound_device_is_due(const struct sound_device *device, int64_t now_ns)
{
	return !sound_device_is_open(device) && now_ns >= device->retry_at_ns;
}

bool sound_device_configure(struct sound_device *device, const struct device_settings *settings)
{
	bool same = strcmp(settings->name, device->settings.name) == 0 &&
		    settings->period_ms == device->settings.period_ms &&
		    settings->buffer_ms == device->settings.buffer_ms;
	if (same)
		return false;
	device->settings = *settings;
	device->last_error[0] = '\0';
	sound_device_hasten(device);
	return true;
}

void sound_device_hasten(struct sound_device *device)
{
	device->retry_ms = FIRST_RETRY_MS;
	device->retry_at_ns = 0;
}

void sound_device_forget(struct sound_device *device)
{
	device->announced = false;
	device->ever_opened = false;
	device->last_error[0] = '\0';
	sound_device_hasten(device);
}

int sound_device_open(struct sound_device *device, const char **failed_step)
{
	int error = pcm_open(&device->pcm, device->direction, &device->settings, failed_step);
	if (error < 0)
		return error;
	device->fruitless = 0;
	device->rest_until_ns = 0;
	device->opened_ns = monotonic_ns();
	pace_start(&device->pace, device->pcm.rate_hz, device->pcm.buffer_frames, device->opened_ns);
	return 0;
}

void sound_device_close(struct sound_device *device)
{
	pcm_close(&device->pcm);
	device->suspended_until_ns = 0;
}

void sound_device_lose(struct sound_device *device, int error, const char *step)
{
	int64_t now = monotonic_ns();
	if (device->announced && now - device->opened_ns > GOOD_NS)
		device->retry_ms = FIRST_RETRY_MS;
	sound_device_close(device);
	int retry_ms = device->retry_ms;
	if (error == -EIO && retry_ms > IDLE_RETRY_MS)
		retry_ms = IDLE_RETRY_MS;
	device->retry_at_ns = now + retry_ms * NS_PER_MS;
	device->retry_ms = 2 * device->retry_ms < LAST_RETRY_MS ? 2 * device->retry_ms : LAST_RETRY_MS;
	struct event event = { .kind = EVENT_LOST, .retry_ms = retry_ms };
	snprintf(event.device, sizeof event.device, "%s", device->settings.name);
	snprintf(event.error, sizeof event.error, "%s: %s", step, snd_strerror(error));
	bool news = device->announced || strcmp(event.error, device->last_error) != 0;
	device->announced = false;
	if (!news)
		return;
	memcpy(device->last_error, event.error, sizeof device->last_error);
	worker_post_event(device->worker, &event);
}

void sound_device_announce(struct sound_device *device)
{
	if (device->announced)
		return;
	const struct pcm *pcm = &device->pcm;
	device->announced = true;
	if (device->ever_opened)
		device->counters->reopens++;
	device->ever_opened = true;
	struct event event = {
		.kind = EVENT_OPENED,
		.rate_hz = pcm->rate_hz,
		.channels = pcm->channels,
		.period_ms = (double)pcm->period_frames * 1e3 / pcm->rate_hz,
		.buffer_ms = (double)pcm->buffer_frames * 1e3 / pcm->rate_hz,
	};
	snprintf(event.device, sizeof event.device, "%s", device->settings.name);
	worker_post_event(device->worker, &event);
}

int64_t sound_device_deadline(const struct sound_device *device)
{
	if (!sound_device_is_open(device))
		return device->retry_at_ns;
	if (sound_device_is_suspended(device))
		return device->resume_at_ns;
	return device->rest_until_ns != 0 ? device->rest_until_ns : INT64_MAX;
}

int sound_device_poll(struct sound_device *device, struct pollfd *descriptors)
{
	if (sound_device_deadline(device) != INT64_MAX)
		return 0;
	int count = snd_pcm_poll_descriptors(device->pcm.handle, descriptors, MAX_PCM_DESCRIPTORS);
	return count > 0 ? count : 0;
}

int sound_device_service(struct sound_device *device, struct pollfd *descriptors, int count)
{
	device->rest_until_ns = 0;
	if (!sound_device_is_open(device) || sound_device_is_suspended(device) || count == 0)
		return 0;
	unsigned short events = 0;
	int error = snd_pcm_poll_descriptors_revents(device->pcm.handle, descriptors,
						     (unsigned int)count, &events);
	if (error < 0)
		return error;
	/* The position names the error; a descriptor that only ever says POLLERR would spin. */
	if ((events & (POLLERR | POLLNVAL)) != 0 && ++device->fruitless > MAX_FRUITLESS)
		return -EIO;
	return 0;
}

enum recovery sound_device_recover(struct sound_device *device, int error)
{
	if (error == -EAGAIN || error == -EINTR)
		return RECOVERY_NONE;
	if (error == -ESTRPIPE) {
		device->counters->suspends++;
		device->suspended_until_ns = monotonic_ns() + RESUME_NS;
		device->resume_at_ns = 0;
		return RECOVERY_NONE;
	}
	if (error != -EPIPE || ++device->fruitless > MAX_FRUITLESS)
		return RECOVERY_LOST;
	device->counters->xruns++;
	return RECOVERY_RESTART;
}

bool sound_device_resume(struct sound_device *device, int64_t now_ns, bool *restart)
{
	if (now_ns < device->resume_at_ns)
		return false;
	int error = snd_pcm_resume(device->pcm.handle);
	/* Plugins say that they have resumed whether they have or not. */
	bool suspended = snd_pcm_state(device->pcm.handle) == SND_PCM_STATE_SUSPENDED;
	bool waiting = error == -EAGAIN || (error == 0 && suspended);
	if (waiting && now_ns < device->suspended_until_ns) {
		device->resume_at_ns = now_ns + RESUME_STEP_NS;
		return false;
	}
	device->suspended_until_ns = 0;
	/* Most drivers cannot resume and say so; those that can need no restart. */
	*restart = error < 0 || suspended;
	return true;
}
