#ifndef EARSHOT_DEVICE_WATCH_H
#define EARSHOT_DEVICE_WATCH_H

#include <stdbool.h>

#include "device_signal.h"

/* Looks at a device's signal again and again, and tells what is news. */
struct signal_watch {
	char device[64]; /* empty: there is none to look at, and its signal is good */
	bool looked;
	struct signal last;
};

void signal_watch_init(struct signal_watch *watch, const char *device);

/* True when the signal is not as it was last time. */
bool signal_watch_look(struct signal_watch *watch, bool apply);

#endif
