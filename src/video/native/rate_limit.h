#ifndef EARSHOT_RATE_LIMIT_H
#define EARSHOT_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Lets at most so many pictures a second pass, each as it comes. GStreamer's videorate announces another
 * rate to the encoder, which then begins anew, and with max-rate it holds each picture back.
 */
struct rate_limit {
	uint64_t interval_ns; /* 0: no limit */
	uint64_t due_ns;
};

void rate_limit_set(struct rate_limit *limit, uint32_t pictures_per_second);

/* Whether the picture of this time may pass. */
bool rate_limit_pass(struct rate_limit *limit, uint64_t pts_ns);

#endif
