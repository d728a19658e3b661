#include "pcm.h"

#include <errno.h>
#include <math.h>

#include "convert.h"
#include "monotonic.h"

/* A timestamp further than this from now is of another clock. */
#define CLOCK_MISMATCH_NS (5 * NS_PER_S)

/* After 48 kHz, which needs no conversion. */
static const unsigned int other_rates[] = { 44100, 96000, 32000, 88200, 192000, 24000, 22050, 16000 };

static int choose_access(struct pcm *pcm, snd_pcm_hw_params_t *params)
{
	pcm->access = SND_PCM_ACCESS_RW_INTERLEAVED;
	int error = snd_pcm_hw_params_set_access(pcm->handle, params, pcm->access);
	if (error == 0)
		return 0;
	pcm->access = SND_PCM_ACCESS_MMAP_INTERLEAVED;
	return snd_pcm_hw_params_set_access(pcm->handle, params, pcm->access);
}

static int choose_format(struct pcm *pcm, snd_pcm_hw_params_t *params)
{
	int error = -EINVAL;
	for (int i = 0; i < convertible_format_count && error != 0; i++) {
		pcm->format = convertible_formats[i];
		error = snd_pcm_hw_params_set_format(pcm->handle, params, pcm->format);
	}
	return error;
}

static int choose_channels(struct pcm *pcm, snd_pcm_hw_params_t *params)
{
	pcm->channels = OUTPUT_CHANNELS;
	if (snd_pcm_hw_params_set_channels(pcm->handle, params, pcm->channels) == 0)
		return 0;
	return snd_pcm_hw_params_set_channels_near(pcm->handle, params, &pcm->channels);
}

static int choose_rate(struct pcm *pcm, snd_pcm_hw_params_t *params)
{
	pcm->rate_hz = OUTPUT_RATE_HZ;
	if (snd_pcm_hw_params_set_rate(pcm->handle, params, pcm->rate_hz, 0) == 0)
		return 0;
	for (size_t i = 0; i < sizeof other_rates / sizeof other_rates[0]; i++) {
		pcm->rate_hz = other_rates[i];
		if (snd_pcm_hw_params_set_rate(pcm->handle, params, pcm->rate_hz, 0) == 0)
			return 0;
	}
	pcm->rate_hz = OUTPUT_RATE_HZ;
	return snd_pcm_hw_params_set_rate_near(pcm->handle, params, &pcm->rate_hz, NULL);
}

static int choose_sizes(struct pcm *pcm, snd_pcm_hw_params_t *params,
			const struct device_settings *settings)
{
	double frames_per_ms = pcm->rate_hz / 1e3;
	pcm->period_frames = (snd_pcm_uframes_t)lround(settings->period_ms * frames_per_ms);
	pcm->buffer_frames = (snd_pcm_uframes_t)lround(settings->buffer_ms * frames_per_ms);
	/* Less than two periods would overrun at once. */
	if (pcm->buffer_frames < 2 * pcm->period_frames)
		pcm->buffer_frames = 2 * pcm->period_frames;
	int error = snd_pcm_hw_params_set_period_size_near(pcm->handle, params,
							   &pcm->period_frames, NULL);
	if (error < 0)
		return error;
	return snd_pcm_hw_params_set_buffer_size_near(pcm->handle, params, &pcm->buffer_frames);
}

static int set_hardware(struct pcm *pcm, const struct device_settings *settings,
			const char **failed_step)
{
	snd_pcm_hw_params_t *params;
	snd_pcm_hw_params_alloca(&params);
	int error;
	*failed_step = "parameters";
	if ((error = snd_pcm_hw_params_any(pcm->handle, params)) < 0)
		return error;
	snd_pcm_hw_params_set_rate_resample(pcm->handle, params, 0);
	*failed_step = "access";
	if ((error = choose_access(pcm, params)) < 0)
		return error;
	*failed_step = "format";
	if ((error = choose_format(pcm, params)) < 0)
		return error;
	*failed_step = "channels";
	if ((error = choose_channels(pcm, params)) < 0)
		return error;
	*failed_step = "rate";
	if ((error = choose_rate(pcm, params)) < 0)
		return error;
	*failed_step = "period and buffer";
	if ((error = choose_sizes(pcm, params, settings)) < 0)
		return error;
	*failed_step = "parameters";
	if ((error = snd_pcm_hw_params(pcm->handle, params)) < 0)
		return error;
	/* What the device made of it. */
	snd_pcm_hw_params_get_period_size(params, &pcm->period_frames, NULL);
	snd_pcm_hw_params_get_buffer_size(params, &pcm->buffer_frames);
	return 0;
}

static int set_software(struct pcm *pcm)
{
	snd_pcm_sw_params_t *params;
	snd_pcm_sw_params_alloca(&params);
	int error = snd_pcm_sw_params_current(pcm->handle, params);
	if (error < 0)
		return error;
	snd_pcm_sw_params_set_avail_min(pcm->handle, params, pcm->period_frames);
	/* Playback begins with all the sound that the buffer can hold before it. */
	snd_pcm_uframes_t full = pcm->buffer_frames - pcm->buffer_frames % pcm->period_frames;
	snd_pcm_sw_params_set_start_threshold(
		pcm->handle, params, pcm->direction == SND_PCM_STREAM_PLAYBACK ? full : 1);
	/* A buffer that ran full or dry says so, in place of sound that is overwritten or repeated. */
	snd_pcm_sw_params_set_stop_threshold(pcm->handle, params, pcm->buffer_frames);
	snd_pcm_sw_params_set_tstamp_mode(pcm->handle, params, SND_PCM_TSTAMP_ENABLE);
	snd_pcm_sw_params_set_tstamp_type(pcm->handle, params, SND_PCM_TSTAMP_TYPE_MONOTONIC);
	return snd_pcm_sw_params(pcm->handle, params);
}

static int configure_and_start(struct pcm *pcm, const struct device_settings *settings,
			       const char **failed_step)
{
	int error = set_hardware(pcm, settings, failed_step);
	if (error < 0)
		return error;
	*failed_step = "software parameters";
	if ((error = set_software(pcm)) < 0)
		return error;
	*failed_step = "start";
	return pcm_restart(pcm);
}

int pcm_open(struct pcm *pcm, snd_pcm_stream_t direction, const struct device_settings *settings,
	     const char **failed_step)
{
	*pcm = (struct pcm){ .direction = direction };
	*failed_step = "open";
	/* Where the name leads through `plug`, it still converts nothing: the resampler here is better. */
	int mode = SND_PCM_NONBLOCK | SND_PCM_NO_AUTO_RESAMPLE | SND_PCM_NO_AUTO_CHANNELS |
		   SND_PCM_NO_AUTO_FORMAT;
	int error = snd_pcm_open(&pcm->handle, settings->name, direction, mode);
	if (error < 0) {
		pcm->handle = NULL;
		return error;
	}
	error = configure_and_start(pcm, settings, failed_step);
	if (error < 0)
		pcm_close(pcm);
	return error;
}

void pcm_close(struct pcm *pcm)
{
	if (pcm->handle != NULL)
		snd_pcm_close(pcm->handle);
	pcm->handle = NULL;
}

int pcm_restart(struct pcm *pcm)
{
	int error = snd_pcm_prepare(pcm->handle);
	if (error < 0 || pcm->direction == SND_PCM_STREAM_PLAYBACK)
		return error;
	return snd_pcm_start(pcm->handle);
}

int64_t pcm_period_ns(const struct pcm *pcm)
{
	return (int64_t)pcm->period_frames * NS_PER_S / pcm->rate_hz;
}

int pcm_position(struct pcm *pcm, struct pcm_position *position)
{
	snd_pcm_status_t *status;
	snd_pcm_status_alloca(&status);
	int error = snd_pcm_status(pcm->handle, status);
	if (error < 0)
		return error;
	switch (snd_pcm_status_get_state(status)) {
	case SND_PCM_STATE_XRUN:
		return -EPIPE;
	case SND_PCM_STATE_SUSPENDED:
		return -ESTRPIPE;
	case SND_PCM_STATE_DISCONNECTED:
		return -ENODEV;
	default:
		break;
	}
	snd_htimestamp_t timestamp;
	snd_pcm_status_get_htstamp(status, &timestamp);
	int64_t now = monotonic_ns();
	int64_t stamp = timespec_to_ns(&timestamp);
	/* Plugins answer with nothing, or with the time of day. */
	if (llabs(now - stamp) > CLOCK_MISMATCH_NS)
		stamp = now;
	*position = (struct pcm_position){
		.time_ns = stamp,
		.available = (snd_pcm_sframes_t)snd_pcm_status_get_avail(status),
		.delay = snd_pcm_status_get_delay(status),
	};
	return 0;
}

snd_pcm_sframes_t pcm_read(struct pcm *pcm, void *samples, snd_pcm_uframes_t frames)
{
	return pcm->access == SND_PCM_ACCESS_RW_INTERLEAVED ?
		       snd_pcm_readi(pcm->handle, samples, frames) :
		       snd_pcm_mmap_readi(pcm->handle, samples, frames);
}

snd_pcm_sframes_t pcm_write(struct pcm *pcm, const void *samples, snd_pcm_uframes_t frames)
{
	return pcm->access == SND_PCM_ACCESS_RW_INTERLEAVED ?
		       snd_pcm_writei(pcm->handle, samples, frames) :
		       snd_pcm_mmap_writei(pcm->handle, samples, frames);
}
