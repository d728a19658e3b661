#ifndef EARSHOT_SOUND_DEVICE_H
#define EARSHOT_SOUND_DEVICE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "pace.h"
#include "pcm.h"
#include "worker.h"

/*
 * A device through its troubles, whichever way the sound goes: opened, lost, opened again with backoff;
 * suspends waited for in place; the same trouble reported once.
 */

#define MAX_PCM_DESCRIPTORS 8

/* Since the worker was opened. */
struct device_counters {
	uint64_t xruns;
	uint64_t suspends;
	uint64_t reopens;
};

struct sound_device {
	struct worker *worker;
	snd_pcm_stream_t direction;
	struct device_settings settings;
	struct device_counters *counters;
	struct pcm pcm;
	struct pace pace;
	bool announced;          /* `opened` was posted: it is known to work */
	bool ever_opened;
	int fruitless;           /* recoveries or wake-ups in a row without a frame */
	int64_t opened_ns;
	int64_t retry_at_ns;
	int retry_ms;
	int64_t suspended_until_ns; /* 0, or when resuming is given up */
	int64_t resume_at_ns;
	int64_t rest_until_ns;   /* until then its descriptors are not polled */
	char last_error[192];
};

void sound_device_init(struct sound_device *device, struct worker *worker,
		       snd_pcm_stream_t direction, struct device_counters *counters);

/* Takes new settings; true where they name another device or other sizes: it is then to be closed. */
bool sound_device_configure(struct sound_device *device, const struct device_settings *settings);

bool sound_device_is_open(const struct sound_device *device);
bool sound_device_is_suspended(const struct sound_device *device);

/* Open, known to work, and not suspended. */
bool sound_device_is_flowing(const struct sound_device *device);

/* Closed, and the next try is due. */
bool sound_device_is_due(const struct sound_device *device, int64_t now_ns);

/* Opens the PCM. 0, or a negative error and the step that failed: what else it takes decides on the loss. */
int sound_device_open(struct sound_device *device, const char **failed_step);
void sound_device_close(struct sound_device *device);

/* It was closed on purpose: what comes next is news, no re-opening, and tried at once. */
void sound_device_forget(struct sound_device *device);

/* A card appeared: the next try is now. */
void sound_device_hasten(struct sound_device *device);

/* Closes it and posts the loss when its reason is news; the next try is set either way. */
void sound_device_lose(struct sound_device *device, int error, const char *step);

/* It works: posts `opened`, once for each time it was opened. */
void sound_device_announce(struct sound_device *device);

/* When it wants to be called while it is closed, suspended or rests; INT64_MAX otherwise. */
int64_t sound_device_deadline(const struct sound_device *device);

/* Fills in the descriptors to poll; their count (0 while it is closed, suspended or rests). */
int sound_device_poll(struct sound_device *device, struct pollfd *descriptors);

/* What the descriptors say after the poll: 0, or an error to recover from. */
int sound_device_service(struct sound_device *device, struct pollfd *descriptors, int count);

enum recovery { RECOVERY_NONE, RECOVERY_RESTART, RECOVERY_LOST };

/* What an error of any call on an open PCM asks for; overruns, underruns and suspends are counted here. */
enum recovery sound_device_recover(struct sound_device *device, int error);

/* While suspended: tries to resume when due. True when the wait is over; `restart` when nothing resumed. */
bool sound_device_resume(struct sound_device *device, int64_t now_ns, bool *restart);

#endif
