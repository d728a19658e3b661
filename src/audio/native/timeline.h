#ifndef EARSHOT_TIMELINE_H
#define EARSHOT_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * When each frame of a device was captured, on CLOCK_MONOTONIC: a second-order delay-locked loop over
 * the timestamps of the reads, so that time steps as evenly as the device's clock does while a plugin
 * that delivers in bursts jitters around it. Sound that is really missing is found and shown as a step.
 */
struct timeline {
	double nominal_ns; /* of one frame */
	double frame_ns;   /* of one frame, as the device's clock runs */
	int64_t anchor_ns; /* time of frame `anchor` */
	double anchor_fraction_ns;
	int64_t anchor;
	int64_t started_ns;
	bool started;
	bool resync;
	/* Of the current observation window. */
	int64_t window_end_ns;
	double smallest_error_ns;
	double largest_error_ns;
	/* For the measured rate. */
	int64_t rate_since_ns;
	int64_t rate_since_frame;
	double measured_ratio;
};

/* A device was opened; frame numbers begin at 0. */
void timeline_start(struct timeline *timeline, int rate_hz);

/* The device was stopped and started again (overrun, suspend): the next timestamp shows the gap. */
void timeline_resync(struct timeline *timeline);

/*
 * Frame `frame` was captured at `measured_ns`. Returns the ns of sound found missing just before it;
 * 0 nearly always.
 */
int64_t timeline_update(struct timeline *timeline, int64_t frame, int64_t measured_ns);

/* When a frame (or a place between two) was captured. */
int64_t timeline_at(const struct timeline *timeline, double frame);

/*
 * True when over the last seconds the device delivered frames at a rate that is not its own
 * (the host of a USB gadget chose another): it has to be opened anew.
 */
bool timeline_rate_changed(struct timeline *timeline, int64_t frame, int64_t now_ns);

#endif
