#include "pace.h"

#include "monotonic.h"

#define MARGIN 1.25

void pace_start(struct pace *pace, uint32_t rate_hz, uint64_t buffer_frames, int64_t now_ns)
{
	double capacity = 2.0 * (double)buffer_frames;
	*pace = (struct pace){
		.rate_hz = rate_hz,
		.capacity = capacity,
		.frames = capacity,
		.last_ns = now_ns,
	};
}

uint64_t pace_allow(struct pace *pace, uint64_t wanted, int64_t now_ns)
{
	double rate = pace->clockless ? pace->rate_hz : MARGIN * pace->rate_hz;
	double frames = pace->frames + (double)(now_ns - pace->last_ns) * rate / (double)NS_PER_S;
	pace->frames = frames < pace->capacity ? frames : pace->capacity;
	pace->last_ns = now_ns;
	if ((double)wanted <= pace->frames)
		return wanted;
	pace->clockless = true;
	return pace->frames > 0 ? (uint64_t)pace->frames : 0;
}

void pace_take(struct pace *pace, uint64_t frames)
{
	pace->frames -= (double)frames;
}
