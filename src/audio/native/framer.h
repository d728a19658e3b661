#ifndef EARSHOT_FRAMER_H
#define EARSHOT_FRAMER_H

#include <stdbool.h>
#include <stdint.h>

#include "encoder.h"
#include "packet_queue.h"
#include "settings.h"

/* What a new encoder hears before its first packet: 10 ms. */
#define PRIMING_SAMPLES 480

/*
 * Cuts 48 kHz stereo into frames and encodes them. Samples are kept as stereo whatever the encoder has,
 * so a change of settings between two frames loses none and moves none.
 */
struct framer {
	struct encoder *encoder;
	int frame_samples;
	float samples[MAX_FRAME_SAMPLES * OUTPUT_CHANNELS];
	int buffered;
	int64_t time_ns;      /* of the first buffered sample */
	bool discontinuity;   /* for the next packet */
	bool muted;
	float gain; /* 1, or on its way to or at 0 */
	float history[PRIMING_SAMPLES * OUTPUT_CHANNELS];
	int history_samples;
	/* Encoder time since it was last taken. */
	int64_t encode_total_ns;
	int64_t encode_longest_ns;
	uint32_t encode_count;
	void (*on_packet)(void *context, struct packet *packet);
	void *context;
	struct packet packet;
};

/* Encodes every full frame among what is buffered with the new length from now on. */
void framer_set_frame(struct framer *framer, int frame_samples);

/* Another encoder from the next frame on; returns the one before (NULL at first). */
struct encoder *framer_swap_encoder(struct framer *framer, struct encoder *encoder);

/*
 * Sound of `gap_ns` is missing before what comes next. A gap that ends within the frame under way is
 * filled with silence; past it, the frame is completed and the next one begins after the gap.
 */
void framer_gap(struct framer *framer, int64_t gap_ns);

/* Adds samples; `time_ns` is when the first was captured. Calls `on_packet` for each full frame. */
void framer_push(struct framer *framer, const float *stereo, uint32_t samples, int64_t time_ns);

/* Drops what is buffered, and begins anew with a discontinuity (after a pause). */
void framer_rest(struct framer *framer);

#endif
