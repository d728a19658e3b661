/*
 * A GPIO chip for programs that are run with this library preloaded: the character device uAPI v2 of
 * linux/gpio.h at /dev/gpiochip7, simulated inside the process. It has eight lines:
 *
 *   0 power-button  wired to 2      1 reset-button  wired to 3
 *   2 power-led                     3 disk-led
 *   4 heartbeat     held by the kernel's LED driver
 *   5 polled        wired to 0 too, and without an interrupt
 *   6, 7            without a name; 6 is wired to nothing and pulled up, 7 to nothing
 *
 * A line that is taken is one end of a socket pair; edges are written to the other.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINES 8
#define PATH "/dev/gpiochip7"

struct line {
	const char *name;
	int follows; /* -1: none */
	bool has_interrupt;
	bool level;
	/* Of who took it; 0: nobody. */
	int fd;
	int far;
	__u64 flags;
};

static struct line lines[LINES] = {
	{ "power-button", -1, true, false, 0, 0, 0 }, { "reset-button", -1, true, false, 0, 0, 0 },
	{ "power-led", 0, true, false, 0, 0, 0 },     { "disk-led", 1, true, false, 0, 0, 0 },
	{ "heartbeat", -1, true, false, 0, 0, 0 },    { "polled", 0, false, false, 0, 0, 0 },
	{ "", -1, true, true, 0, 0, 0 },	      { "", -1, true, false, 0, 0, 0 },
};
static int chip = -1;

static bool logical(const struct line *line)
{
	return line->level != ((line->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0);
}

static void set_level(int offset, bool level)
{
	struct line *line = &lines[offset];
	if (line->level == level)
		return;
	line->level = level;
	for (int i = 0; i < LINES; i++)
		if (lines[i].follows == offset)
			set_level(i, level);
	if (line->fd == 0 || (line->flags & GPIO_V2_LINE_FLAG_EDGE_RISING) == 0)
		return;
	struct gpio_v2_line_event event = {
		.id = logical(line) ? GPIO_V2_LINE_EVENT_RISING_EDGE :
				      GPIO_V2_LINE_EVENT_FALLING_EDGE,
		.offset = (__u32)offset,
	};
	if (write(line->far, &event, sizeof event) != sizeof event)
		perror("gpio-chip");
}

static int fail(int error)
{
	errno = error;
	return -1;
}

static int take(struct gpio_v2_line_request *request)
{
	__u32 offset = request->offsets[0];
	if (request->num_lines != 1 || offset >= LINES)
		return fail(EINVAL);
	struct line *line = &lines[offset];
	/* Whoever closed it gave it back. */
	if (line->fd != 0 && fcntl(line->fd, F_GETFD) < 0)
		line->fd = 0;
	if (offset == 4 || line->fd != 0)
		return fail(EBUSY);
	if ((request->config.flags & GPIO_V2_LINE_FLAG_EDGE_RISING) != 0 && !line->has_interrupt)
		return fail(ENODEV);
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return -1;
	line->fd = pair[0];
	line->far = pair[1];
	line->flags = request->config.flags;
	if ((line->flags & GPIO_V2_LINE_FLAG_OUTPUT) != 0) {
		bool value = false;
		for (__u32 i = 0; i < request->config.num_attrs; i++)
			if (request->config.attrs[i].attr.id == GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES)
				value = (request->config.attrs[i].attr.values & 1) != 0;
		set_level((int)offset,
			  value != ((line->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0));
	}
	request->fd = pair[0];
	return 0;
}

static int on_chip(unsigned long request, void *data)
{
	if (request == GPIO_GET_CHIPINFO_IOCTL) {
		struct gpiochip_info *info = data;
		strcpy(info->name, "gpiochip7");
		strcpy(info->label, "simulated");
		info->lines = LINES;
		return 0;
	}
	if (request == GPIO_V2_GET_LINEINFO_IOCTL) {
		struct gpio_v2_line_info *info = data;
		if (info->offset >= LINES)
			return fail(EINVAL);
		strcpy(info->name, lines[info->offset].name);
		if (info->offset == 4)
			strcpy(info->consumer, "heartbeat-led");
		else if (lines[info->offset].fd != 0)
			strcpy(info->consumer, "earshot");
		return 0;
	}
	if (request == GPIO_V2_GET_LINE_IOCTL)
		return take(data);
	return fail(ENOTTY);
}

static int on_line(int offset, unsigned long request, struct gpio_v2_line_values *values)
{
	struct line *line = &lines[offset];
	if (request == GPIO_V2_LINE_GET_VALUES_IOCTL) {
		values->bits = logical(line);
		return 0;
	}
	if (request != GPIO_V2_LINE_SET_VALUES_IOCTL)
		return fail(ENOTTY);
	if ((line->flags & GPIO_V2_LINE_FLAG_OUTPUT) == 0)
		return fail(EPERM);
	set_level(offset,
		  ((values->bits & 1) != 0) != ((line->flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0));
	return 0;
}

__attribute__((visibility("default"))) int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	va_start(arguments, request);
	void *data = va_arg(arguments, void *);
	va_end(arguments);
	if (fd >= 0 && fd == chip && _IOC_TYPE(request) == 0xB4)
		return on_chip(request, data);
	for (int i = 0; i < LINES; i++)
		if (lines[i].fd != 0 && lines[i].fd == fd && _IOC_TYPE(request) == 0xB4)
			return on_line(i, request, data);
	return (int)syscall(SYS_ioctl, fd, request, data);
}

static int open_chip(const char *path, int flags, int mode)
{
	if (strcmp(path, PATH) != 0) {
		int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
		/* The chip was closed, and its number is another's now. */
		if (fd == chip)
			chip = -1;
		return fd;
	}
	chip = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
	return chip;
}

__attribute__((visibility("default"))) int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	int mode = va_arg(arguments, int);
	va_end(arguments);
	return open_chip(path, flags, mode);
}

__attribute__((visibility("default"))) int open64(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	int mode = va_arg(arguments, int);
	va_end(arguments);
	return open_chip(path, flags, mode);
}
