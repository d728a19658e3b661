#include "pace.h"

#include "monotonic.h"

#define MARGIN 1.25
/* What a device with a clock may have kept while this machine stood still. */
#define MOST_KEPT_S 2.0

void pace_start(struct pace *pace, uint32_t rate_hz, uint64_t buffer_frames, int64_t now_ns)
{
	double buffers = 2.0 * (double)buffer_frames;
	double kept = MOST_KEPT_S * rate_hz;
	*pace = (struct pace){
		.rate_hz = rate_hz,
		.capacity = buffers > kept ? buffers : kept,
		.frames = buffers,
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
