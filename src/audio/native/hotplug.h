#ifndef EARSHOT_HOTPLUG_H
#define EARSHOT_HOTPLUG_H

#include <stdbool.h>

/* Notices sound cards that appear, so that a device that comes back is opened at once. */

/* A descriptor that becomes readable when something changes in `directory`, or -1 where it cannot be watched. */
int hotplug_open(const char *directory);

/* Empties the descriptor; whether anything had happened. */
bool hotplug_drain(int fd);

#endif
