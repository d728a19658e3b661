#ifndef EARSHOT_DEVICE_LIST_H
#define EARSHOT_DEVICE_LIST_H

#include <alsa/asoundlib.h>
#include <stddef.h>

#include "settings.h"

struct listed_device {
	char id[DEVICE_NAME_BYTES];
	char description[256];
};

/*
 * The PCMs of one direction of this machine: every card's as `hw:CARD=<id>,DEV=<n>`, and those that the ALSA
 * configuration lists with a hint and defines itself. Opens no PCM. Returns how many were written.
 */
size_t device_list(struct listed_device *devices, size_t capacity, snd_pcm_stream_t direction);

#endif
