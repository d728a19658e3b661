#include "device_list.h"

#include <alsa/asoundlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list {
	struct listed_device *devices;
	size_t capacity;
	size_t count;
	snd_pcm_stream_t direction;
};

static void add(struct list *list, const char *id, const char *description)
{
	if (list->count == list->capacity)
		return;
	struct listed_device *device = &list->devices[list->count++];
	snprintf(device->id, sizeof device->id, "%s", id);
	snprintf(device->description, sizeof device->description, "%s", description);
	/* ALSA's descriptions have lines. */
	for (char *c = device->description; *c != '\0'; c++) {
		if (*c == '\n')
			*c = ' ';
	}
}

static void add_pcms_of_card(struct list *list, snd_ctl_t *control)
{
	snd_ctl_card_info_t *card;
	snd_pcm_info_t *pcm;
	snd_ctl_card_info_alloca(&card);
	snd_pcm_info_alloca(&pcm);
	if (snd_ctl_card_info(control, card) < 0)
		return;
	for (int device = -1; snd_ctl_pcm_next_device(control, &device) == 0 && device >= 0;) {
		snd_pcm_info_set_device(pcm, (unsigned int)device);
		snd_pcm_info_set_subdevice(pcm, 0);
		snd_pcm_info_set_stream(pcm, list->direction);
		if (snd_ctl_pcm_info(control, pcm) < 0)
			continue;
		char id[64];
		char description[256];
		snprintf(id, sizeof id, "hw:CARD=%s,DEV=%d", snd_ctl_card_info_get_id(card), device);
		snprintf(description, sizeof description, "%s, %s",
			 snd_ctl_card_info_get_name(card), snd_pcm_info_get_name(pcm));
		add(list, id, description);
	}
}

static void add_cards(struct list *list)
{
	for (int card = -1; snd_card_next(&card) == 0 && card >= 0;) {
		char name[16];
		snd_ctl_t *control;
		snprintf(name, sizeof name, "hw:%d", card);
		if (snd_ctl_open(&control, name, SND_CTL_NONBLOCK) < 0)
			continue;
		add_pcms_of_card(list, control);
		snd_ctl_close(control);
	}
}

/* The kinds of PCM that end in a device or a server; the rest only convert for another. */
static const char *const endpoint_types[] = { "hw", "dsnoop", "dmix", "pulse", "pipewire" };

static bool is_endpoint(snd_config_t *config, const char *name)
{
	char key[DEVICE_NAME_BYTES + 16];
	snd_config_t *type;
	const char *value;
	snprintf(key, sizeof key, "pcm.%s.type", name);
	if (snd_config_search(config, key, &type) < 0 || snd_config_get_string(type, &value) < 0)
		return false;
	for (size_t i = 0; i < sizeof endpoint_types / sizeof endpoint_types[0]; i++) {
		if (strcmp(value, endpoint_types[i]) == 0)
			return true;
	}
	return false;
}

/* Names with a card in them are the cards' own, through one more layer. */
static void add_hint(struct list *list, snd_config_t *config, const void *hint)
{
	char *name = snd_device_name_get_hint(hint, "NAME");
	char *description = snd_device_name_get_hint(hint, "DESC");
	char *direction = snd_device_name_get_hint(hint, "IOID");
	const char *wanted = list->direction == SND_PCM_STREAM_CAPTURE ? "Input" : "Output";
	bool fits = direction == NULL || strcmp(direction, wanted) == 0;
	if (name != NULL && description != NULL && fits && strchr(name, ':') == NULL &&
	    is_endpoint(config, name))
		add(list, name, description);
	free(name);
	free(description);
	free(direction);
}

static void add_configured(struct list *list)
{
	void **hints;
	snd_config_t *config;
	if (snd_config_update_ref(&config) < 0)
		return;
	if (snd_device_name_hint(-1, "pcm", &hints) == 0) {
		for (void **hint = hints; *hint != NULL; hint++)
			add_hint(list, config, *hint);
		snd_device_name_free_hint(hints);
	}
	snd_config_unref(config);
}

size_t device_list(struct listed_device *devices, size_t capacity, snd_pcm_stream_t direction)
{
	struct list list = { .devices = devices, .capacity = capacity, .direction = direction };
	add_cards(&list);
	add_configured(&list);
	return list.count;
}
