#include "hotplug.h"

#include <sys/inotify.h>
#include <unistd.h>

int hotplug_open(const char *directory)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0)
		return -1;
	/* IN_ATTRIB: udev grants access a moment after the node appears. */
	if (inotify_add_watch(fd, directory, IN_CREATE | IN_ATTRIB | IN_MOVED_TO) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool hotplug_drain(int fd)
{
	char events[4096];
	bool happened = false;
	while (read(fd, events, sizeof events) > 0)
		happened = true;
	return happened;
}
