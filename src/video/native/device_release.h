#ifndef EARSHOT_DEVICE_RELEASE_H
#define EARSHOT_DEVICE_RELEASE_H

/*
 * Sees to it that a V4L2 device is let go of. GStreamer 1.22's v4l2src keeps its buffer pool, and with it a
 * descriptor of the device, each time it was opened: the process would run out of them, and a device that is
 * unplugged would keep its name and come back under another.
 */

/* A pipeline is about to open the device; nothing for an empty name. */
void device_use_begins(const char *device);

/* That pipeline is gone: what is still open of the device is closed, unless another pipeline uses one. */
void device_use_ends(const char *device);

#endif
