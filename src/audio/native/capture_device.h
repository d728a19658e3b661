#ifndef EARSHOT_CAPTURE_DEVICE_H
#define EARSHOT_CAPTURE_DEVICE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "convert.h"
#include "sound_device.h"
#include "stream.h"
#include "timeline.h"

/* A device that is captured from, with what is made of its sound: 48 kHz stereo and true time. */

struct capture_device {
	struct sound_device base;
	struct stream_counters *counters;
	struct converter converter;
	struct timeline timeline;
	void *chunk;             /* raw samples of one read */
	uint32_t chunk_frames;   /* what it holds */
	int64_t frames;          /* read since it was opened */
	uint64_t resampled;      /* frames out since it was opened */
	bool after_xrun;
	int64_t last_data_ns;
};

/* One read, converted. */
struct captured {
	const float *stereo; /* at the device's rate, for the levels */
	uint32_t frames;
	int64_t gap_ns;      /* of sound missing before it */
	bool fresh;          /* the first since the device was opened */
};

void capture_device_init(struct capture_device *device, struct stream *stream,
			 struct stream_counters *counters);

/* Takes new settings; another device or other sizes close it, to be opened at once. */
void capture_device_configure(struct capture_device *device, const struct device_settings *settings);

/* Opens the device when a try is due. */
void capture_device_try_open(struct capture_device *device, int64_t now_ns);

void capture_device_close(struct capture_device *device);

/* When it wants to be called whatever happens: the next try, the next resume, or the stall deadline. */
int64_t capture_device_deadline(const struct capture_device *device);

/* After the poll: sees to errors and suspends. */
void capture_device_service(struct capture_device *device, struct pollfd *descriptors, int count,
			    int64_t now_ns);

/* After the reads: a device that delivers nothing for 2 s or 10 periods is opened anew. */
void capture_device_check_stall(struct capture_device *device);

/* Reads and converts what waits, one chunk a call; false when there is none (any more). */
bool capture_device_read(struct capture_device *device, struct captured *captured);

/* That chunk at 48 kHz, and when its first frame was captured. */
const float *capture_device_resample(struct capture_device *device, const struct captured *captured,
				     uint32_t *frames, int64_t *time_ns);

/* What was read is not wanted (nobody listens); the next chunk is resampled as if nothing came before. */
void capture_device_skip(struct capture_device *device);

#endif
