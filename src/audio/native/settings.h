#ifndef EARSHOT_SETTINGS_H
#define EARSHOT_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/* What a stream runs with, in the units the code uses. Everything past the device is 48 kHz stereo. */

#define OUTPUT_RATE_HZ 48000
#define OUTPUT_CHANNELS 2

/* Of speexdsp, 0 to 10: above 90 dB of stopband for 1 % of a small ARM core, 1 ms of delay. */
#define RESAMPLER_QUALITY 6

/* The longest frame: 60 ms. */
#define MAX_FRAME_SAMPLES 2880

/*
 * The longest packet: one Opus frame's own limit (RFC 6716 section 3.2.1), which also keeps the RTP
 * packet below an Ethernet MTU. The encoder lowers the bitrate of long frames to stay within it.
 */
#define MAX_PACKET_BYTES 1275

#define DEVICE_NAME_BYTES 260

struct encoder_settings {
	int bitrate_bps;
	int channels;
	int frame_samples;
	int application; /* OPUS_APPLICATION_* */
	int complexity;
	bool vbr;
	bool constrained;
	int signal;    /* OPUS_SIGNAL_* or OPUS_AUTO */
	int bandwidth; /* OPUS_BANDWIDTH_* */
	bool dtx;
	bool fec;
};

struct device_settings {
	char name[DEVICE_NAME_BYTES];
	double period_ms;
	double buffer_ms;
};

struct stream_settings {
	struct device_settings device;
	struct encoder_settings encoder;
	uint32_t delay_samples; /* how long the sound is held back */
	bool muted;
	bool active;
};

#endif
