#include "encode_times.h"

void encode_times_enter(struct encode_times *times, uint64_t pts_ns, int64_t now_ns)
{
	times->entries[times->next].pts_ns = pts_ns;
	times->entries[times->next].entered_ns = now_ns;
	times->next = (times->next + 1) % ENCODE_TIMES_LENGTH;
}

void encode_times_leave(struct encode_times *times, uint64_t pts_ns, int64_t now_ns,
			int64_t capture_ns)
{
	for (size_t i = 0; i < ENCODE_TIMES_LENGTH; i++) {
		if (times->entries[i].entered_ns == 0 || times->entries[i].pts_ns != pts_ns)
			continue;
		int64_t spent = now_ns - times->entries[i].entered_ns;
		times->entries[i].entered_ns = 0;
		times->stats.count++;
		times->stats.total_ns += spent;
		times->stats.capture_total_ns += now_ns > capture_ns ? now_ns - capture_ns : 0;
		if (spent > times->stats.longest_ns)
			times->stats.longest_ns = spent;
		return;
	}
}

struct encode_times_stats encode_times_take(struct encode_times *times)
{
	struct encode_times_stats taken = times->stats;
	times->stats = (struct encode_times_stats){ 0 };
	return taken;
}
