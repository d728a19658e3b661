#ifndef EARSHOT_MONOTONIC_H
#define EARSHOT_MONOTONIC_H

#include <stdint.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

static inline int64_t timespec_to_ns(const struct timespec *time)
{
	return (int64_t)time->tv_sec * NS_PER_S + time->tv_nsec;
}

/* CLOCK_MONOTONIC, the clock of process.hrtime. */
static inline int64_t monotonic_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return timespec_to_ns(&now);
}

#endif
