#include "device_watch.h"

#include <stdio.h>
#include <string.h>

void signal_watch_init(struct signal_watch *watch, const char *device)
{
	*watch = (struct signal_watch){ .last = { .kind = SIGNAL_OK } };
	snprintf(watch->device, sizeof watch->device, "%s", device);
}

bool signal_watch_look(struct signal_watch *watch, bool apply)
{
	if (watch->device[0] == '\0')
		return false;
	struct signal now;
	signal_read(&now, watch->device, apply);
	bool news = !watch->looked || now.kind != watch->last.kind ||
		    strcmp(now.words, watch->last.words) != 0;
	watch->looked = true;
	watch->last = now;
	return news;
}
