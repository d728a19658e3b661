#ifndef EARSHOT_PLATFORM_GPIO_H
#define EARSHOT_PLATFORM_GPIO_H

#include <linux/gpio.h>
#include <stdbool.h>
#include <stdint.h>

/* The GPIO character device, uAPI version 2 (linux/gpio.h). Every call is 0 or an errno. */

struct gpio_line_request {
	uint32_t offset;
	/* GPIO_V2_LINE_FLAG_* */
	uint64_t flags;
	/* Of an output, logical: with ACTIVE_LOW true drives the line low. */
	bool value;
	/* Of an input; 0: none. */
	uint32_t debounce_us;
	char consumer[GPIO_MAX_NAME_SIZE];
};

int gpio_chip(int chip, struct gpiochip_info *info);
int gpio_line(int chip, uint32_t offset, struct gpio_v2_line_info *info);

/* Takes one line; `line` gets a descriptor that is closed to give it back. */
int gpio_take(int chip, const struct gpio_line_request *request, int *line);

int gpio_get(int line, bool *value);
int gpio_set(int line, bool value);

/* Reads one edge without blocking: EAGAIN when none waits. `line` has to be O_NONBLOCK. */
int gpio_edge(int line, struct gpio_v2_line_event *event);

#endif
