#ifndef EARSHOT_PCM_H
#define EARSHOT_PCM_H

#include <alsa/asoundlib.h>
#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

/* One open ALSA PCM with everything about it chosen explicitly. */
struct pcm {
	snd_pcm_t *handle;
	snd_pcm_stream_t direction;
	snd_pcm_access_t access;
	snd_pcm_format_t format;
	unsigned int rate_hz;
	unsigned int channels;
	snd_pcm_uframes_t period_frames;
	snd_pcm_uframes_t buffer_frames;
};

/*
 * Opens a PCM, and starts it where it captures (playback starts when its buffer is full): the device's
 * own parameters, nothing converted by ALSA where the name leaves that to us. 0, or a negative error
 * with nothing kept and `failed_step` naming the call.
 */
int pcm_open(struct pcm *pcm, snd_pcm_stream_t direction, const struct device_settings *settings,
	     const char **failed_step);

/* May block while a plugin's server does not answer. */
void pcm_close(struct pcm *pcm);

/* Prepares anew after an overrun or underrun, and starts where it captures. */
int pcm_restart(struct pcm *pcm);

int64_t pcm_period_ns(const struct pcm *pcm);

struct pcm_position {
	int64_t time_ns; /* CLOCK_MONOTONIC, when the rest was true */
	snd_pcm_sframes_t available; /* frames that can be read or written */
	snd_pcm_sframes_t delay; /* frames between this end and the converter */
};

/* 0, or an error: the state of the PCM counts as one. */
int pcm_position(struct pcm *pcm, struct pcm_position *position);

/* Reads at most `frames`; the count, -EAGAIN when none wait, or an error. */
snd_pcm_sframes_t pcm_read(struct pcm *pcm, void *samples, snd_pcm_uframes_t frames);

/* Writes at most `frames`; the count, -EAGAIN when there is no room, or an error. */
snd_pcm_sframes_t pcm_write(struct pcm *pcm, const void *samples, snd_pcm_uframes_t frames);

#endif
