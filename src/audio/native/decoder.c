#include "decoder.h"

#include "settings.h"

/* 2.5 ms, of which every length is a multiple. */
#define STEP_SAMPLES 120
/* Configurations from here on are CELT only (RFC 6716 section 3.1). */
#define FIRST_CELT_CONFIG 16
/* A SILK frame lasts 20 ms at most; an Opus frame holds one to three. */
#define SILK_SAMPLES 960

/* The frames of a packet; false when its lengths do not add up. */
static bool parse(const uint8_t *packet, size_t bytes, const uint8_t *frames[48],
		  opus_int16 sizes[48])
{
	uint8_t toc;
	int offset;
	if (bytes == 0 || bytes > INT32_MAX)
		return false;
	return opus_packet_parse(packet, (opus_int32)bytes, &toc, frames, sizes, &offset) > 0;
}

int decoder_samples(const uint8_t *packet, size_t bytes)
{
	const uint8_t *frames[48];
	opus_int16 sizes[48];
	if (!parse(packet, bytes, frames, sizes))
		return 0;
	int samples = opus_packet_get_nb_samples(packet, (opus_int32)bytes, OUTPUT_RATE_HZ);
	return samples > 0 && samples <= MAX_DECODED_SAMPLES ? samples : 0;
}

bool decoder_has_fec(const uint8_t *packet, size_t bytes)
{
	const uint8_t *frames[48];
	opus_int16 sizes[48];
	if (!parse(packet, bytes, frames, sizes) || packet[0] >> 3 >= FIRST_CELT_CONFIG ||
	    sizes[0] == 0)
		return false;
	int samples = opus_packet_get_samples_per_frame(packet, OUTPUT_RATE_HZ);
	int silk_frames = samples > SILK_SAMPLES ? samples / SILK_SAMPLES : 1;
	/*
	 * For each channel one VAD flag a SILK frame, then the LBRR flag. Symbols of even odds at the start
	 * of a range coded frame are its first bits as they stand.
	 */
	uint8_t header = frames[0][0];
	bool mid = (header >> (7 - silk_frames) & 1) != 0;
	bool stereo = opus_packet_get_nb_channels(packet) == 2;
	return mid || (stereo && (header >> (6 - 2 * silk_frames) & 1) != 0);
}

int decoder_decode(OpusDecoder *opus, const uint8_t *packet, size_t bytes, float *stereo)
{
	int samples = decoder_samples(packet, bytes);
	if (samples == 0)
		return 0;
	int decoded = opus_decode_float(opus, packet, (opus_int32)bytes, stereo, samples, 0);
	return decoded > 0 ? decoded : 0;
}

static bool is_length(int samples)
{
	return samples > 0 && samples <= MAX_DECODED_SAMPLES && samples % STEP_SAMPLES == 0;
}

int decoder_decode_fec(OpusDecoder *opus, const uint8_t *next, size_t bytes, int samples,
		       float *stereo)
{
	if (!is_length(samples) || decoder_samples(next, bytes) == 0)
		return 0;
	int decoded = opus_decode_float(opus, next, (opus_int32)bytes, stereo, samples, 1);
	return decoded > 0 ? decoded : 0;
}

int decoder_conceal(OpusDecoder *opus, int samples, float *stereo)
{
	if (!is_length(samples))
		return 0;
	int decoded = opus_decode_float(opus, NULL, 0, stereo, samples, 0);
	return decoded > 0 ? decoded : 0;
}
