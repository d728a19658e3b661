#include "rate_limit.h"

void rate_limit_set(struct rate_limit *limit, uint32_t pictures_per_second)
{
	limit->interval_ns = pictures_per_second > 0 ? UINT64_C(1000000000) / pictures_per_second : 0;
	limit->due_ns = 0;
}

bool rate_limit_pass(struct rate_limit *limit, uint64_t pts_ns)
{
	/* A source of just that rate jitters; its pictures are not to be dropped for it. */
	uint64_t slack = limit->interval_ns / 4;
	if (pts_ns + slack < limit->due_ns)
		return false;
	uint64_t next = limit->due_ns + limit->interval_ns;
	limit->due_ns = next > pts_ns ? next : pts_ns + limit->interval_ns;
	return true;
}
