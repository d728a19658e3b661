#ifndef EARSHOT_DECODER_H
#define EARSHOT_DECODER_H

#include <opus/opus.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Opus packets from the network, which may be anything, at 48 kHz in interleaved stereo. All lengths are
 * in samples per channel.
 */

/* The longest packet lasts 120 ms (RFC 6716 section 2.1.4). */
#define MAX_DECODED_SAMPLES 5760

/* What a packet lasts; 0 when it is none. */
int decoder_samples(const uint8_t *packet, size_t bytes);

/*
 * Whether the packet carries a copy of the sound before it (in-band FEC): the LBRR flag of either channel
 * in the header of its first SILK frame (RFC 6716 sections 4.2.3 and 4.2.4).
 */
bool decoder_has_fec(const uint8_t *packet, size_t bytes);

/* How many were decoded into `stereo`, which has room for decoder_samples; 0 when it is no packet. */
int decoder_decode(OpusDecoder *opus, const uint8_t *packet, size_t bytes, float *stereo);

/*
 * `samples` of the sound before `next`, from its FEC where it has it and made up where not. 0 when it is
 * no packet or `samples` no multiple of 2.5 ms up to 120 ms.
 */
int decoder_decode_fec(OpusDecoder *opus, const uint8_t *next, size_t bytes, int samples,
		       float *stereo);

/* `samples` made up after what was decoded last; 0 for a length as above. */
int decoder_conceal(OpusDecoder *opus, int samples, float *stereo);

#endif
