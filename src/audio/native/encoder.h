#ifndef EARSHOT_ENCODER_H
#define EARSHOT_ENCODER_H

#include <opus/opus.h>
#include <stdbool.h>
#include <stdint.h>

#include "settings.h"

/* An Opus encoder with its settings. Made and freed by JavaScript's thread, used by the stream's. */
struct encoder {
	OpusEncoder *opus;
	int channels;
	int application;
	/* So many packets to come must not lean on those before them. */
	int independent;
	float mono[MAX_FRAME_SAMPLES];
};

/* NULL when memory is short or Opus refuses the settings. */
struct encoder *encoder_create(const struct encoder_settings *settings);
void encoder_free(struct encoder *encoder);

/* Whether `settings` need another encoder than this one; all else is changed live. */
bool encoder_fits(const struct encoder *encoder, const struct encoder_settings *settings);

/*
 * Applies the settings that can be changed live. The frame length is none of them: Opus takes any legal
 * length at each call.
 */
int encoder_apply(struct encoder *encoder, const struct encoder_settings *settings);

/*
 * Lets a new encoder hear `frames` of what came just before its first packet, so that its lookahead is
 * filled with sound in place of zeros and the switch leaves no hole.
 */
void encoder_prime(struct encoder *encoder, const float *stereo, int frames);

/* Forgets what was encoded so far (after a pause). */
void encoder_reset(struct encoder *encoder);

/* Encodes one frame of interleaved stereo into at most MAX_PACKET_BYTES; its length, or an Opus error. */
int encoder_encode(struct encoder *encoder, const float *stereo, int frames, uint8_t *packet);

#endif
