#include "device_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void say(struct signal *signal, enum signal_kind kind, const char *words)
{
	signal->kind = kind;
	snprintf(signal->words, sizeof signal->words, "%s", words);
}

static void fail(struct signal *signal, const char *step, int error)
{
	signal->kind = SIGNAL_LOST;
	snprintf(signal->words, sizeof signal->words, "%s: %s", step, strerror(error));
}

/* False with the signal said when the device cannot capture at all. */
static bool check_capture(struct signal *signal, int fd)
{
	struct v4l2_capability capability = { 0 };
	if (ioctl(fd, VIDIOC_QUERYCAP, &capability) < 0) {
		fail(signal, "it is no V4L2 device", errno);
		return false;
	}
	uint32_t all = capability.capabilities;
	uint32_t own = (all & V4L2_CAP_DEVICE_CAPS) != 0 ? capability.device_caps : all;
	if ((own & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE)) != 0)
		return true;
	say(signal, SIGNAL_UNSUPPORTED, "the device does not capture");
	return false;
}

/* What the input itself says, in words that say more than the timings' errors; left when it says nothing. */
static void read_input(struct signal *signal, int fd)
{
	struct v4l2_input input = { 0 };
	int index = 0;
	if (ioctl(fd, VIDIOC_G_INPUT, &index) < 0)
		return;
	input.index = (uint32_t)index;
	if (ioctl(fd, VIDIOC_ENUMINPUT, &input) < 0)
		return;
	if ((input.status & V4L2_IN_ST_NO_POWER) != 0)
		say(signal, SIGNAL_NONE, "the source has no power");
	else if ((input.status & V4L2_IN_ST_NO_SIGNAL) != 0)
		say(signal, SIGNAL_NONE, "nothing arrives at the input");
	else if ((input.status & (V4L2_IN_ST_NO_H_LOCK | V4L2_IN_ST_NO_SYNC)) != 0)
		say(signal, SIGNAL_NONE, "the input finds no picture in the signal");
}

static double frames_per_second(const struct v4l2_bt_timings *timings)
{
	double lines = (double)V4L2_DV_BT_FRAME_HEIGHT(timings);
	double total = lines * (double)V4L2_DV_BT_FRAME_WIDTH(timings);
	double fields = timings->interlaced != 0 ? 2 : 1;
	return total > 0 ? (double)timings->pixelclock * fields / total : 0;
}

static void apply_timings(struct signal *signal, int fd, const struct v4l2_dv_timings *detected)
{
	struct v4l2_dv_timings set = { 0 };
	if (ioctl(fd, VIDIOC_G_DV_TIMINGS, &set) == 0 && set.type == detected->type &&
	    memcmp(&set.bt, &detected->bt, offsetof(struct v4l2_bt_timings, standards)) == 0)
		return;
	set = *detected;
	/* EBUSY: somebody streams with others; what streams then fails by itself and says so. */
	if (ioctl(fd, VIDIOC_S_DV_TIMINGS, &set) == 0 || errno == EBUSY)
		return;
	char words[sizeof signal->words];
	snprintf(words, sizeof words, "%.64s, which the device refuses (%.64s)", signal->words,
		 strerror(errno));
	say(signal, SIGNAL_UNSUPPORTED, words);
}

static void read_timings(struct signal *signal, int fd, bool apply)
{
	struct v4l2_dv_timings timings = { 0 };
	if (ioctl(fd, VIDIOC_QUERY_DV_TIMINGS, &timings) == 0) {
		signal->kind = SIGNAL_OK;
		snprintf(signal->words, sizeof signal->words, "%ux%u%s at %.2f Hz",
			 timings.bt.width, timings.bt.height,
			 timings.bt.interlaced != 0 ? " interlaced" : "",
			 frames_per_second(&timings.bt));
		if (apply)
			apply_timings(signal, fd, &timings);
		return;
	}
	/* VIDIOC_QUERY_DV_TIMINGS of the kernel's documentation says what each error means. */
	switch (errno) {
	case ENOLINK:
		say(signal, SIGNAL_NONE, "nothing arrives at the input");
		break;
	case ENOLCK:
		say(signal, SIGNAL_NONE, "the signal is not stable");
		break;
	case ERANGE:
		say(signal, SIGNAL_UNSUPPORTED, "its timings are beyond what the device captures");
		break;
	case ENODEV:
	case EIO:
		fail(signal, "the signal cannot be read", errno);
		break;
	default:
		/* No DV timings at this input: a camera, or a grabber that hides them. */
		say(signal, SIGNAL_OK, "");
	}
}

void signal_read(struct signal *signal, const char *device, bool apply)
{
	int fd = open(device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		fail(signal, "it cannot be opened", errno);
		return;
	}
	if (check_capture(signal, fd)) {
		read_timings(signal, fd, apply);
		/* Timings that it cannot take are no picture to the input either, and say more. */
		if (signal->kind == SIGNAL_OK || signal->kind == SIGNAL_NONE)
			read_input(signal, fd);
	}
	close(fd);
}

const char *signal_name(enum signal_kind kind)
{
	static const char *const names[] = { "ok", "no-signal", "unsupported", "lost" };
	return names[kind];
}
