#ifndef EARSHOT_PCM_H
#define EARSHOT_PCM_H

#include <alsa/asoundlib.h>
#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

/* One open ALSA capture PCM with everything about it chosen explicitly. */
struct pcm {
	snd_pcm_t *handle;
	snd_pcm_access_t access;
	snd_pcm_format_t format;
	unsigned int rate_hz;
	unsigned int channels;
	snd_pcm_uframes_t period_frames;
	snd_pcm_uframes_t buffer_frames;
};

/*
 * Opens and starts a capture: the device's own parameters, nothing converted by ALSA where the name
 * leaves that to us. 0, or a negative error with nothing kept and `failed_step` naming the call.
 */
int pcm_open(struct pcm *pcm, const struct device_settings *settings, const char **failed_step);

/* May block while a plugin's server does not answer. */
void pcm_close(struct pcm *pcm);

/* Prepares and starts anew after an overrun. */
int pcm_restart(struct pcm *pcm);

/* When the frame that would be read next was captured, CLOCK_MONOTONIC ns, and how many wait; or an error. */
snd_pcm_sframes_t pcm_position(struct pcm *pcm, int64_t *captured_ns);

/* Reads at most `frames`; the count, -EAGAIN when none wait, or an error. */
snd_pcm_sframes_t pcm_read(struct pcm *pcm, void *samples, snd_pcm_uframes_t frames);

#endif
