#include "device_release.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Pipelines with a device in this process: more than one only after a driver held one for good. */
static atomic_int users;

static bool is_of(const char *link, const char *device)
{
	size_t length = strlen(device);
	if (strncmp(link, device, length) != 0)
		return false;
	return link[length] == '\0' || strcmp(link + length, " (deleted)") == 0;
}

/* Nobody else closes these: between reading what a descriptor is and closing it, it stays what it is. */
static void close_all_of(const char *device)
{
	DIR *directory = opendir("/proc/self/fd");
	if (directory == NULL)
		return;
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		char link[256];
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, link, sizeof link - 1);
		if (length < 0)
			continue;
		link[length] = '\0';
		if (is_of(link, device))
			close(atoi(entry->d_name));
	}
	closedir(directory);
}

void device_use_begins(const char *device)
{
	if (device[0] != '\0')
		atomic_fetch_add(&users, 1);
}

void device_use_ends(const char *device)
{
	if (device[0] != '\0' && atomic_fetch_sub(&users, 1) == 1)
		close_all_of(device);
}
