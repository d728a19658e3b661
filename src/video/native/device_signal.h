#ifndef EARSHOT_DEVICE_SIGNAL_H
#define EARSHOT_DEVICE_SIGNAL_H

#include <stdbool.h>

/* What a V4L2 device says of the signal at its input, before and beside whoever streams from it. */

enum signal_kind { SIGNAL_OK, SIGNAL_NONE, SIGNAL_UNSUPPORTED, SIGNAL_LOST };

struct signal {
	enum signal_kind kind;
	/* Why there is none, in words; with SIGNAL_OK the timings, or nothing when it has none. */
	char words[192];
};

/*
 * Looks at the device's input and, where it has DV timings (an HDMI receiver), at those it detects; with
 * `apply` the device is set to capture with them. Opens the device of its own accord and closes it.
 */
void signal_read(struct signal *signal, const char *device, bool apply);

/* ok, no-signal, unsupported, lost */
const char *signal_name(enum signal_kind kind);

#endif
