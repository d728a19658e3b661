#include "addon_gpio.h"

#include <errno.h>
#include <limits.h>

#include "gpio.h"
#include "values.h"

/* GPIO as JavaScript sees it; native-platform.ts has the types. */

/* A descriptor, which is what every call takes first. */
static bool read_fd(napi_env env, napi_value value, int *fd)
{
	int64_t number;
	if (!read_integer(env, value, "fd", 0, INT_MAX, &number))
		return false;
	*fd = (int)number;
	return true;
}

static bool read_offset(napi_env env, napi_value value, uint32_t *offset)
{
	int64_t number;
	if (!read_integer(env, value, "offset", 0, UINT32_MAX, &number))
		return false;
	*offset = (uint32_t)number;
	return true;
}

/* gpioChip(chip): {name, label, lines}. */
static napi_value js_chip(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	int chip;
	struct gpiochip_info found;
	if (!read_arguments(env, info, 1, values) || !read_fd(env, values[0], &chip))
		return NULL;
	int error = gpio_chip(chip, &found);
	if (error != 0) {
		throw_errno(env, "GPIO_GET_CHIPINFO", error);
		return NULL;
	}
	napi_value object = make_object(env);
	put_string(env, object, "name", found.name);
	put_string(env, object, "label", found.label);
	put_number(env, object, "lines", found.lines);
	return object;
}

/* gpioLine(chip, offset): {name, consumer, flags}. */
static napi_value js_line(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	int chip;
	uint32_t offset;
	struct gpio_v2_line_info found;
	if (!read_arguments(env, info, 2, values) || !read_fd(env, values[0], &chip) ||
	    !read_offset(env, values[1], &offset))
		return NULL;
	int error = gpio_line(chip, offset, &found);
	if (error != 0) {
		throw_errno(env, "GPIO_V2_GET_LINEINFO", error);
		return NULL;
	}
	napi_value object = make_object(env);
	put_string(env, object, "name", found.name);
	put_string(env, object, "consumer", found.consumer);
	put_number(env, object, "flags", (double)found.flags);
	return object;
}

/* gpioTake(chip, offset, flags, value, debounceUs, consumer): the line's descriptor. */
static napi_value js_take(napi_env env, napi_callback_info info)
{
	napi_value values[6];
	int chip;
	int64_t flags;
	int64_t value;
	int64_t debounce;
	struct gpio_line_request request = { 0 };
	if (!read_arguments(env, info, 6, values) || !read_fd(env, values[0], &chip) ||
	    !read_offset(env, values[1], &request.offset) ||
	    !read_integer(env, values[2], "flags", 0, UINT32_MAX, &flags) ||
	    !read_integer(env, values[3], "value", 0, 1, &value) ||
	    !read_integer(env, values[4], "debounceUs", 0, UINT32_MAX, &debounce) ||
	    !read_text(env, values[5], "consumer", request.consumer, sizeof request.consumer))
		return NULL;
	request.flags = (uint64_t)flags;
	request.value = value == 1;
	request.debounce_us = (uint32_t)debounce;
	int line = -1;
	int error = gpio_take(chip, &request, &line);
	if (error == 0)
		return make_number(env, line);
	throw_errno(env, "GPIO_V2_GET_LINE", error);
	return NULL;
}

/* gpioGet(line): 0 or 1, logical. */
static napi_value js_get(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	int line;
	bool value;
	if (!read_arguments(env, info, 1, values) || !read_fd(env, values[0], &line))
		return NULL;
	int error = gpio_get(line, &value);
	if (error == 0)
		return make_number(env, value);
	throw_errno(env, "GPIO_V2_LINE_GET_VALUES", error);
	return NULL;
}

/* gpioSet(line, value) */
static napi_value js_set(napi_env env, napi_callback_info info)
{
	napi_value values[2];
	int line;
	int64_t value;
	if (!read_arguments(env, info, 2, values) || !read_fd(env, values[0], &line) ||
	    !read_integer(env, values[1], "value", 0, 1, &value))
		return NULL;
	int error = gpio_set(line, value == 1);
	if (error != 0)
		throw_errno(env, "GPIO_V2_LINE_SET_VALUES", error);
	return NULL;
}

/* gpioEdge(line): 1 rising, 0 falling, logical, or −1 when no edge waits. */
static napi_value js_edge(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	int line;
	struct gpio_v2_line_event event;
	if (!read_arguments(env, info, 1, values) || !read_fd(env, values[0], &line))
		return NULL;
	int error = gpio_edge(line, &event);
	if (error == 0)
		return make_number(env, event.id == GPIO_V2_LINE_EVENT_RISING_EDGE);
	if (error == EAGAIN)
		return make_number(env, -1);
	throw_errno(env, "read of a GPIO edge", error);
	return NULL;
}

void export_gpio(napi_env env, napi_value exports)
{
	put_function(env, exports, "gpioChip", js_chip);
	put_function(env, exports, "gpioLine", js_line);
	put_function(env, exports, "gpioTake", js_take);
	put_function(env, exports, "gpioGet", js_get);
	put_function(env, exports, "gpioSet", js_set);
	put_function(env, exports, "gpioEdge", js_edge);
}
