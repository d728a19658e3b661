#include "timeline.h"

#include <math.h>

#include "monotonic.h"

/*
 * Bandwidth of the loop: quick at first, when the first timestamps may be off by a plugin's buffer, then
 * narrow enough to turn 5 ms of jitter into 20 us.
 */
#define FAST_HZ 1.0
#define SLOW_HZ 0.1
#define FAST_NS (2 * NS_PER_S)

/* Crystals are within 100 ppm; a USB host's clock may be worse. */
#define LARGEST_DRIFT 1e-3

/* Timestamps off by more than this for a whole window mean a gap, not jitter. */
#define GAP_NS (20.0 * NS_PER_MS)
#define WINDOW_NS (250 * NS_PER_MS)

/* Time is never set back at once, so that packets do not overlap. */
#define LARGEST_SETBACK_NS (5.0 * NS_PER_MS)

/* 44.1 kHz in place of 48 is 8 %; no clock drifts by 3. */
#define RATE_TOLERANCE 0.03
#define RATE_WINDOW_NS (2 * NS_PER_S)

void timeline_start(struct timeline *timeline, int rate_hz)
{
	*timeline = (struct timeline){ 0 };
	timeline->nominal_ns = (double)NS_PER_S / rate_hz;
	timeline->frame_ns = timeline->nominal_ns;
}

void timeline_resync(struct timeline *timeline)
{
	timeline->resync = true;
	timeline->rate_since_ns = 0;
	timeline->measured_ratio = 0;
}

static void open_window(struct timeline *timeline, int64_t now_ns)
{
	timeline->window_end_ns = now_ns + WINDOW_NS;
	timeline->smallest_error_ns = INFINITY;
	timeline->largest_error_ns = -INFINITY;
}

static void move_anchor(struct timeline *timeline, double by_ns)
{
	double fraction = timeline->anchor_fraction_ns + by_ns;
	double whole = floor(fraction);
	timeline->anchor_ns += (int64_t)whole;
	timeline->anchor_fraction_ns = fraction - whole;
}

static double clamp(double value, double limit)
{
	return fmin(fmax(value, -limit), limit);
}

/* The error that a whole window agrees on: a gap when the frames come later than they should. */
static int64_t close_window(struct timeline *timeline, int64_t measured_ns)
{
	double gap = 0;
	if (timeline->smallest_error_ns > GAP_NS) {
		gap = timeline->smallest_error_ns;
		move_anchor(timeline, gap);
	} else if (timeline->largest_error_ns < -GAP_NS) {
		move_anchor(timeline, -LARGEST_SETBACK_NS);
	}
	open_window(timeline, measured_ns);
	return (int64_t)gap;
}

static void begin(struct timeline *timeline, int64_t frame, int64_t measured_ns)
{
	timeline->started = true;
	timeline->resync = false;
	timeline->started_ns = measured_ns;
	timeline->anchor_ns = measured_ns;
	timeline->anchor_fraction_ns = 0;
	timeline->anchor = frame;
	open_window(timeline, measured_ns);
}

static void follow(struct timeline *timeline, double frames, double error, double bandwidth_hz)
{
	double seconds = frames * timeline->nominal_ns / (double)NS_PER_S;
	double omega = fmin(2 * M_PI * bandwidth_hz * seconds, 0.5);
	move_anchor(timeline, M_SQRT2 * omega * error);
	double drift = timeline->frame_ns - timeline->nominal_ns + omega * omega * error / frames;
	timeline->frame_ns =
		timeline->nominal_ns + clamp(drift, LARGEST_DRIFT * timeline->nominal_ns);
}

int64_t timeline_update(struct timeline *timeline, int64_t frame, int64_t measured_ns)
{
	if (!timeline->started) {
		begin(timeline, frame, measured_ns);
		return 0;
	}
	double frames = (double)(frame - timeline->anchor);
	move_anchor(timeline, frames * timeline->frame_ns);
	timeline->anchor = frame;
	double error = (double)(measured_ns - timeline->anchor_ns) - timeline->anchor_fraction_ns;
	if (timeline->resync) {
		int64_t gap = error > 0 ? (int64_t)error : 0;
		begin(timeline, frame, timeline->anchor_ns + gap);
		return gap;
	}
	bool fast = measured_ns - timeline->started_ns < FAST_NS;
	if (frames > 0 && (fast || fabs(error) < GAP_NS))
		follow(timeline, frames, clamp(error, GAP_NS), fast ? FAST_HZ : SLOW_HZ);
	if (fast) {
		open_window(timeline, measured_ns);
		return 0;
	}
	timeline->smallest_error_ns = fmin(timeline->smallest_error_ns, error);
	timeline->largest_error_ns = fmax(timeline->largest_error_ns, error);
	return measured_ns >= timeline->window_end_ns ? close_window(timeline, measured_ns) : 0;
}

int64_t timeline_at(const struct timeline *timeline, double frame)
{
	double offset = (frame - (double)timeline->anchor) * timeline->frame_ns;
	return timeline->anchor_ns + (int64_t)(offset + timeline->anchor_fraction_ns);
}

bool timeline_rate_changed(struct timeline *timeline, int64_t frame, int64_t now_ns)
{
	if (timeline->rate_since_ns == 0) {
		timeline->rate_since_ns = now_ns;
		timeline->rate_since_frame = frame;
		return false;
	}
	int64_t elapsed = now_ns - timeline->rate_since_ns;
	if (elapsed < RATE_WINDOW_NS)
		return false;
	double expected = (double)elapsed / timeline->nominal_ns;
	double ratio = (double)(frame - timeline->rate_since_frame) / expected;
	double before = timeline->measured_ratio;
	timeline->rate_since_ns = now_ns;
	timeline->rate_since_frame = frame;
	timeline->measured_ratio = ratio;
	/* A gap bends one window; a clock bends each of them alike. */
	return fabs(ratio - 1) > RATE_TOLERANCE && fabs(ratio - before) < RATE_TOLERANCE / 3;
}
