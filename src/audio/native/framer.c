#include "framer.h"

#include <string.h>

#include "fade.h"
#include "monotonic.h"

static int64_t samples_to_ns(int64_t samples)
{
	return samples * NS_PER_S / OUTPUT_RATE_HZ;
}

static void remember(struct framer *framer, const float *stereo, int samples)
{
	int kept = samples < PRIMING_SAMPLES ? samples : PRIMING_SAMPLES;
	int older = PRIMING_SAMPLES - kept;
	memmove(framer->history, framer->history + kept * OUTPUT_CHANNELS,
		(size_t)older * OUTPUT_CHANNELS * sizeof(float));
	memcpy(framer->history + older * OUTPUT_CHANNELS,
	       stereo + (samples - kept) * OUTPUT_CHANNELS,
	       (size_t)kept * OUTPUT_CHANNELS * sizeof(float));
	framer->history_samples += kept;
	if (framer->history_samples > PRIMING_SAMPLES)
		framer->history_samples = PRIMING_SAMPLES;
}

static void encode_frame(struct framer *framer)
{
	struct packet *packet = &framer->packet;
	int samples = framer->frame_samples;
	int64_t start = monotonic_ns();
	int bytes = encoder_encode(framer->encoder, framer->samples, samples, packet->payload);
	int64_t end = monotonic_ns();
	int64_t spent = end - start;
	framer->encode_total_ns += spent;
	framer->encode_count++;
	if (spent > framer->encode_longest_ns)
		framer->encode_longest_ns = spent;
	remember(framer, framer->samples, samples);
	framer->buffered -= samples;
	memmove(framer->samples, framer->samples + samples * OUTPUT_CHANNELS,
		(size_t)framer->buffered * OUTPUT_CHANNELS * sizeof(float));
	packet->capture_time_ns = framer->time_ns;
	packet->encoded_ns = end;
	framer->time_ns += samples_to_ns(samples);
	if (bytes <= 0) {
		/* Opus refuses nothing that the settings allow; if it does, the step is shown. */
		framer->discontinuity = true;
		return;
	}
	packet->samples = (uint32_t)samples;
	packet->bytes = (uint16_t)bytes;
	packet->discontinuity = framer->discontinuity;
	framer->discontinuity = false;
	framer->on_packet(framer->context, packet);
}

static void encode_full_frames(struct framer *framer)
{
	while (framer->buffered >= framer->frame_samples)
		encode_frame(framer);
}

void framer_set_frame(struct framer *framer, int frame_samples)
{
	framer->frame_samples = frame_samples;
	if (framer->encoder != NULL)
		encode_full_frames(framer);
}

struct encoder *framer_swap_encoder(struct framer *framer, struct encoder *encoder)
{
	struct encoder *before = framer->encoder;
	if (before != NULL && framer->history_samples == PRIMING_SAMPLES)
		encoder_prime(encoder, framer->history, PRIMING_SAMPLES);
	framer->encoder = encoder;
	return before;
}

/* Appends up to the end of the frame; silence where `stereo` is NULL. Returns how many were taken. */
static int append(struct framer *framer, const float *stereo, int64_t samples)
{
	int room = framer->frame_samples - framer->buffered;
	int taken = samples < room ? (int)samples : room;
	float *end = framer->samples + framer->buffered * OUTPUT_CHANNELS;
	size_t bytes = (size_t)taken * OUTPUT_CHANNELS * sizeof(float);
	if (stereo == NULL) {
		memset(end, 0, bytes);
	} else {
		memcpy(end, stereo, bytes);
		fade_apply(&framer->gain, framer->muted, end, (uint32_t)taken);
	}
	framer->buffered += taken;
	encode_full_frames(framer);
	return taken;
}

void framer_gap(struct framer *framer, int64_t gap_ns)
{
	int64_t missing = gap_ns * OUTPUT_RATE_HZ / NS_PER_S;
	if (framer->buffered > 0 && missing > 0)
		missing -= append(framer, NULL, missing);
	if (missing > 0)
		framer->discontinuity = true;
}

void framer_push(struct framer *framer, const float *stereo, uint32_t samples, int64_t time_ns)
{
	int64_t begin_ns = time_ns;
	uint32_t pushed = 0;
	while (pushed < samples) {
		if (framer->buffered == 0) {
			int64_t now = begin_ns + samples_to_ns(pushed);
			/* Time follows the device's clock, but never turns back. */
			int64_t earliest =
				framer->time_ns - samples_to_ns(framer->frame_samples) / 2;
			framer->time_ns = now > earliest ? now : earliest;
		}
		pushed += (uint32_t)append(framer, stereo + (size_t)pushed * OUTPUT_CHANNELS,
					   samples - pushed);
	}
}

void framer_rest(struct framer *framer)
{
	framer->buffered = 0;
	framer->history_samples = 0;
	framer->discontinuity = true;
	if (framer->encoder != NULL)
		encoder_reset(framer->encoder);
}
