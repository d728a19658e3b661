#include "encoder.h"

#include <stdlib.h>

/* What in-band FEC is tuned for; a viewer's real loss is not known here. */
#define EXPECTED_LOSS_PERCENT 10

/* After a switch; with none a tone loses half of its level for 10 ms, with two less than a tenth. */
#define INDEPENDENT_PACKETS 2

struct encoder *encoder_create(const struct encoder_settings *settings)
{
	struct encoder *encoder = calloc(1, sizeof *encoder);
	if (encoder == NULL)
		return NULL;
	int error = OPUS_OK;
	encoder->channels = settings->channels;
	encoder->application = settings->application;
	encoder->opus = opus_encoder_create(OUTPUT_RATE_HZ, settings->channels,
					    settings->application, &error);
	if (encoder->opus == NULL || encoder_apply(encoder, settings) != OPUS_OK) {
		encoder_free(encoder);
		return NULL;
	}
	return encoder;
}

void encoder_free(struct encoder *encoder)
{
	if (encoder == NULL)
		return;
	if (encoder->opus != NULL)
		opus_encoder_destroy(encoder->opus);
	free(encoder);
}

bool encoder_fits(const struct encoder *encoder, const struct encoder_settings *settings)
{
	return encoder->channels == settings->channels &&
	       encoder->application == settings->application;
}

int encoder_apply(struct encoder *encoder, const struct encoder_settings *settings)
{
	OpusEncoder *opus = encoder->opus;
	int loss = settings->fec ? EXPECTED_LOSS_PERCENT : 0;
	int results[] = {
		opus_encoder_ctl(opus, OPUS_SET_BITRATE(settings->bitrate_bps)),
		opus_encoder_ctl(opus, OPUS_SET_COMPLEXITY(settings->complexity)),
		opus_encoder_ctl(opus, OPUS_SET_VBR(settings->vbr)),
		opus_encoder_ctl(opus, OPUS_SET_VBR_CONSTRAINT(settings->constrained)),
		opus_encoder_ctl(opus, OPUS_SET_SIGNAL(settings->signal)),
		opus_encoder_ctl(opus, OPUS_SET_MAX_BANDWIDTH(settings->bandwidth)),
		opus_encoder_ctl(opus, OPUS_SET_DTX(settings->dtx)),
		opus_encoder_ctl(opus, OPUS_SET_INBAND_FEC(settings->fec)),
		opus_encoder_ctl(opus, OPUS_SET_PACKET_LOSS_PERC(loss)),
	};
	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
		if (results[i] != OPUS_OK)
			return results[i];
	}
	return OPUS_OK;
}

static int encode(struct encoder *encoder, const float *stereo, int frames, uint8_t *packet)
{
	if (encoder->channels == OUTPUT_CHANNELS)
		return opus_encode_float(encoder->opus, stereo, frames, packet, MAX_PACKET_BYTES);
	for (int i = 0; i < frames; i++)
		encoder->mono[i] = 0.5F * (stereo[2 * i] + stereo[2 * i + 1]);
	return opus_encode_float(encoder->opus, encoder->mono, frames, packet, MAX_PACKET_BYTES);
}

void encoder_prime(struct encoder *encoder, const float *stereo, int frames)
{
	uint8_t unheard[MAX_PACKET_BYTES];
	encode(encoder, stereo, frames, unheard);
	encoder->independent = INDEPENDENT_PACKETS;
}

void encoder_reset(struct encoder *encoder)
{
	opus_encoder_ctl(encoder->opus, OPUS_RESET_STATE);
}

int encoder_encode(struct encoder *encoder, const float *stereo, int frames, uint8_t *packet)
{
	if (encoder->independent == 0)
		return encode(encoder, stereo, frames, packet);
	/* The decoder never saw the priming packet, nor the state it left. */
	opus_encoder_ctl(encoder->opus, OPUS_SET_PREDICTION_DISABLED(1));
	int bytes = encode(encoder, stereo, frames, packet);
	opus_encoder_ctl(encoder->opus, OPUS_SET_PREDICTION_DISABLED(0));
	encoder->independent--;
	return bytes;
}
