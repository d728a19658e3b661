#ifndef EARSHOT_DELAY_LINE_H
#define EARSHOT_DELAY_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

/*
 * Holds 48 kHz stereo back. The delay is changed without a click: by splices of 5 to 20 ms, each cross-faded
 * at the place that matches best, one in 40 ms, and the last few ms by reading a little faster or slower.
 * What is handed on carries the true capture time of the sound in it; that moves by 20 ms in 40 at most,
 * which an RTP clock takes for jitter, so that timestamps step on exactly (src/media/rtp-clock.ts). At a
 * delay of 0 nothing is copied. Allocates nothing.
 */

#define DELAY_LONGEST_MS 800
#define DELAY_LONGEST_SAMPLES (DELAY_LONGEST_MS * (OUTPUT_RATE_HZ / 1000))

/* A power of two above the longest delay, one slice of input and what a splice looks back at. */
#define DELAY_RING_SAMPLES 65536

/* What a splice looks at: 20 ms to skip, and 10 ms to compare. */
#define DELAY_LOOK_SAMPLES 1440

struct delay_line {
	/* Hears the sound, at most DELAY_RING_SAMPLES a call; `time_ns` is when its first sample was captured. */
	void (*on_sound)(void *context, const float *stereo, uint32_t samples, int64_t time_ns);
	void *context;
	uint32_t target; /* samples */
	bool through;    /* nothing is held: what comes is handed on as it is */
	bool filling;    /* nothing is handed on until `target` is held */
	uint64_t begun;  /* the first sample in the ring that is of this sound */
	uint64_t written;
	uint64_t read;
	int64_t written_ns; /* when the sample at `written` was or will be captured */
	/* A splice under way: what is read fades to what is `fade_to`. */
	uint64_t fade_to;
	uint32_t fade_left;
	float likeness; /* of the two: 1 the same wave, 0 nothing in common */
	uint32_t until_splice;
	/* A glide under way: `glide_by` samples are passed over (or lingered on) within `glide_length`. */
	int32_t glide_by;
	uint32_t glide_length;
	uint32_t glide_done;
	uint64_t glide_from;
	float mono[DELAY_LOOK_SAMPLES];
	float ring[DELAY_RING_SAMPLES * OUTPUT_CHANNELS];
};

/* Zeroed memory with `on_sound` set becomes a line without delay. */
void delay_line_init(struct delay_line *line);

/* At most DELAY_LONGEST_SAMPLES; the delay moves there with the sound that comes. */
void delay_line_set(struct delay_line *line, uint32_t samples);

/* How long it holds the sound back now, in samples. */
uint32_t delay_line_delay(const struct delay_line *line);

/* Adds samples and hands on as many; `time_ns` is when the first of them was captured. */
void delay_line_push(struct delay_line *line, const float *stereo, uint32_t samples, int64_t time_ns);

/*
 * Sound of `gap_ns` is missing before what comes next. A gap shorter than the delay is held as silence, and
 * what is held plays on; past it all that is held is dropped. Returns what is missing in what is handed on,
 * beside that silence, in ns.
 */
int64_t delay_line_gap(struct delay_line *line, int64_t gap_ns);

/* Drops what is held (a pause, a lost device); the sound that comes is held back from its beginning. */
void delay_line_drop(struct delay_line *line);

#endif
