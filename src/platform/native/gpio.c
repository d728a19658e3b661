#include "gpio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int call(int fd, unsigned long request, void *data)
{
	while (ioctl(fd, request, data) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return 0;
}

int gpio_chip(int chip, struct gpiochip_info *info)
{
	memset(info, 0, sizeof *info);
	return call(chip, GPIO_GET_CHIPINFO_IOCTL, info);
}

int gpio_line(int chip, uint32_t offset, struct gpio_v2_line_info *info)
{
	memset(info, 0, sizeof *info);
	info->offset = offset;
	return call(chip, GPIO_V2_GET_LINEINFO_IOCTL, info);
}

/* An edge that is read must never wait for the next one. */
static int make_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
		return 0;
	int error = errno;
	close(fd);
	return error;
}

static void add_attribute(struct gpio_v2_line_config *config, struct gpio_v2_line_attribute value)
{
	config->attrs[config->num_attrs].mask = 1;
	config->attrs[config->num_attrs].attr = value;
	config->num_attrs += 1;
}

int gpio_take(int chip, const struct gpio_line_request *request, int *line)
{
	struct gpio_v2_line_request wanted;
	memset(&wanted, 0, sizeof wanted);
	wanted.offsets[0] = request->offset;
	wanted.num_lines = 1;
	memcpy(wanted.consumer, request->consumer, sizeof wanted.consumer);
	wanted.config.flags = request->flags;
	if ((request->flags & GPIO_V2_LINE_FLAG_OUTPUT) != 0)
		add_attribute(&wanted.config, (struct gpio_v2_line_attribute){
						      .id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES,
						      .values = request->value,
					      });
	else if (request->debounce_us != 0)
		add_attribute(&wanted.config, (struct gpio_v2_line_attribute){
						      .id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE,
						      .debounce_period_us = request->debounce_us,
					      });
	int error = call(chip, GPIO_V2_GET_LINE_IOCTL, &wanted);
	if (error != 0)
		return error;
	*line = wanted.fd;
	return make_nonblocking(wanted.fd);
}

int gpio_get(int line, bool *value)
{
	struct gpio_v2_line_values values = { .mask = 1 };
	int error = call(line, GPIO_V2_LINE_GET_VALUES_IOCTL, &values);
	*value = (values.bits & 1) != 0;
	return error;
}

int gpio_set(int line, bool value)
{
	struct gpio_v2_line_values values = { .mask = 1, .bits = value };
	return call(line, GPIO_V2_LINE_SET_VALUES_IOCTL, &values);
}

int gpio_edge(int line, struct gpio_v2_line_event *event)
{
	ssize_t length = read(line, event, sizeof *event);
	if (length == (ssize_t)sizeof *event)
		return 0;
	return length < 0 ? errno : EIO;
}
