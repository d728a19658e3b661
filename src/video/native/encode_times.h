#ifndef EARSHOT_ENCODE_TIMES_H
#define EARSHOT_ENCODE_TIMES_H

#include <stddef.h>
#include <stdint.h>

/* How long pictures take in the encoder, by their timestamps. Not locked: its owner does that. */

/* Pictures in the encoder at once; a pipelined one in hardware holds a few. */
#define ENCODE_TIMES_LENGTH 32

struct encode_times_stats {
	uint64_t count;
	int64_t total_ns;
	int64_t longest_ns;
	/* From capture to the end of the encoder, over the same pictures. */
	int64_t capture_total_ns;
};

struct encode_times {
	struct {
		uint64_t pts_ns;
		int64_t entered_ns;
	} entries[ENCODE_TIMES_LENGTH];
	size_t next;
	struct encode_times_stats stats;
};

void encode_times_enter(struct encode_times *times, uint64_t pts_ns, int64_t now_ns);
void encode_times_leave(struct encode_times *times, uint64_t pts_ns, int64_t now_ns,
			int64_t capture_ns);

/* Since they were last taken. */
struct encode_times_stats encode_times_take(struct encode_times *times);

#endif
