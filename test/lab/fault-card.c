/*
 * An ALSA PCM for fault tests, at the pace of a real card, that fails on demand: captured from, it is a
 * sine; what is played into it is appended to the file <control>.played as float32, all its channels.
 * What it is told stands in a small shared file (struct control), written by fault-card.ts.
 *
 *   pcm.NAME { type earshot_fault control "/path/of/the/file" }
 */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Int32 fields in this order; fault-card.ts has the same. */
struct control {
	int32_t gone;          /* 1: open and everything else say ENODEV */
	int32_t xruns;         /* raised by one: one overrun */
	int32_t suspends;      /* raised by one: suspended until resumed or prepared */
	int32_t resumable;     /* 0: resume does nothing; n: the n-th try works */
	int32_t stalled;       /* 1: no frame comes or is taken any more, and no error */
	int32_t idle;          /* 1: reads and writes say EIO, as a USB gadget with a silent host */
	int32_t rate_hz;       /* the only rate offered */
	int32_t channels;      /* the only count offered */
	int32_t format;        /* the only format offered: SND_PCM_FORMAT_* */
	int32_t pace_ppm;      /* the clock is that much faster than it says */
	int32_t burst_ms;      /* frames appear in lumps of this; 0 at once */
	int32_t tone_hz;
	int32_t amplitude;     /* of 32767 */
	int32_t opens;         /* counted here */
	int32_t skip_ms;       /* raised: as much sound vanishes without any error */
	int32_t starts;        /* counted here */
	int32_t prefill;       /* frames that were written before the last start */
};

struct fault {
	snd_pcm_ioplug_t io;
	volatile struct control *control;
	int64_t started_ns;
	uint64_t first;        /* number of the first frame since the start, on the card's clock */
	uint64_t produced;     /* frames since the start; played back: frames that were heard */
	uint64_t transferred;
	int played_fd;
	int32_t xruns;
	int32_t suspends;
	int32_t skipped_ms;
	int resumes;
};

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double clock_rate(const struct fault *fault)
{
	return fault->io.rate * (1 + fault->control->pace_ppm / 1e6);
}

static uint64_t frames_by(const struct fault *fault, int64_t elapsed_ns)
{
	uint64_t frames = (uint64_t)((double)elapsed_ns * clock_rate(fault) / 1e9);
	uint64_t lump = (uint64_t)fault->control->burst_ms * fault->io.rate / 1000;
	return lump > 0 ? frames / lump * lump : frames;
}

static int fault_start(snd_pcm_ioplug_t *io)
{
	struct fault *fault = io->private_data;
	if (fault->control->gone)
		return -ENODEV;
	fault->control->starts++;
	fault->control->prefill = (int32_t)fault->transferred;
	fault->started_ns = now_ns();
	/* The tone runs on while nobody records it: what is lost is lost. */
	fault->first = (uint64_t)((double)fault->started_ns * clock_rate(fault) / 1e9);
	fault->produced = 0;
	if (io->stream == SND_PCM_STREAM_CAPTURE)
		fault->transferred = 0;
	long period_ns = (long)(1e9 * (double)io->period_size / io->rate);
	struct itimerspec timer = { { 0, period_ns }, { 0, period_ns } };
	return timerfd_settime(io->poll_fd, 0, &timer, NULL) < 0 ? -errno : 0;
}

static int fault_stop(snd_pcm_ioplug_t *io)
{
	struct itimerspec never = { { 0, 0 }, { 0, 0 } };
	timerfd_settime(io->poll_fd, 0, &never, NULL);
	return 0;
}

/* What was heard by now; false on an underrun. A stalled card's clock stands still. */
static bool advance_playback(struct fault *fault)
{
	if (fault->control->stalled) {
		double elapsed = (double)fault->produced * 1e9 / clock_rate(fault);
		fault->started_ns = now_ns() - (int64_t)elapsed;
		return true;
	}
	uint64_t heard = frames_by(fault, now_ns() - fault->started_ns);
	if (heard > fault->transferred)
		return false;
	if (heard > fault->produced)
		fault->produced = heard;
	return true;
}

static bool advance_capture(struct fault *fault)
{
	snd_pcm_ioplug_t *io = &fault->io;
	volatile struct control *control = fault->control;
	if (control->stalled)
		return true;
	if (control->skip_ms != fault->skipped_ms) {
		uint64_t frames = (uint64_t)(control->skip_ms - fault->skipped_ms) * io->rate / 1000;
		fault->skipped_ms = control->skip_ms;
		fault->first += frames;
		fault->started_ns += (int64_t)((double)frames * 1e9 / clock_rate(fault));
	}
	uint64_t produced = frames_by(fault, now_ns() - fault->started_ns);
	if (produced > fault->produced)
		fault->produced = produced;
	return fault->produced - fault->transferred <= io->buffer_size;
}

static snd_pcm_sframes_t fault_pointer(snd_pcm_ioplug_t *io)
{
	struct fault *fault = io->private_data;
	volatile struct control *control = fault->control;
	if (control->gone) {
		snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
	} else if (control->suspends != fault->suspends) {
		fault->suspends = control->suspends;
		fault->resumes = 0;
		snd_pcm_ioplug_set_state(io, SND_PCM_STATE_SUSPENDED);
	} else if (control->xruns != fault->xruns) {
		fault->xruns = control->xruns;
		return -EPIPE;
	} else if (io->state == SND_PCM_STATE_RUNNING) {
		bool playback = io->stream == SND_PCM_STREAM_PLAYBACK;
		if (!(playback ? advance_playback(fault) : advance_capture(fault)))
			return -EPIPE;
	}
	return (snd_pcm_sframes_t)(fault->produced % io->buffer_size);
}

static void put_sample(uint8_t *to, snd_pcm_format_t format, double value)
{
	int32_t word = (int32_t)lrint(value * 2147483647.0);
	int16_t half = (int16_t)lrint(value * 32767);
	float real = (float)value;
	switch (format) {
	case SND_PCM_FORMAT_S16_LE:
		memcpy(to, &half, 2);
		break;
	case SND_PCM_FORMAT_S24_3LE:
		to[0] = (uint8_t)(word >> 8);
		to[1] = (uint8_t)(word >> 16);
		to[2] = (uint8_t)(word >> 24);
		break;
	case SND_PCM_FORMAT_S24_LE:
		word >>= 8;
		memcpy(to, &word, 4);
		break;
	case SND_PCM_FORMAT_FLOAT_LE:
		memcpy(to, &real, 4);
		break;
	default:
		memcpy(to, &word, 4);
		break;
	}
}

static float get_sample(const uint8_t *from, snd_pcm_format_t format)
{
	int32_t word = 0;
	float real = 0;
	if (format == SND_PCM_FORMAT_FLOAT_LE)
		return *(float *)memcpy(&real, from, 4);
	/* To the upper end of the word, which is little-endian as the samples are. */
	size_t unused = format == SND_PCM_FORMAT_S16_LE ? 2 : format == SND_PCM_FORMAT_S24_3LE ? 1 : 0;
	memcpy((uint8_t *)&word + unused, from, 4 - unused);
	if (format == SND_PCM_FORMAT_S24_LE)
		word = (int32_t)((uint32_t)word << 8);
	return (float)word / 2147483648;
}

static uint8_t *sample_place(const snd_pcm_channel_area_t *area, snd_pcm_uframes_t frame)
{
	return (uint8_t *)area->addr + (area->first + frame * area->step) / 8;
}

/* Keeps what is played, in the file. */
static int keep(struct fault *fault, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset,
		snd_pcm_uframes_t size)
{
	snd_pcm_ioplug_t *io = &fault->io;
	float kept[4096];
	for (snd_pcm_uframes_t i = 0; i < size;) {
		size_t count = 0;
		for (; i < size && count + io->channels <= 4096; i++) {
			for (unsigned int channel = 0; channel < io->channels; channel++)
				kept[count++] = get_sample(sample_place(&areas[channel], offset + i), io->format);
		}
		if (write(fault->played_fd, kept, count * sizeof *kept) < 0)
			return -errno;
	}
	return 0;
}

static snd_pcm_sframes_t fault_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
					snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	struct fault *fault = io->private_data;
	if (fault->control->gone)
		return -ENODEV;
	if (fault->control->idle)
		return -EIO;
	if (io->stream == SND_PCM_STREAM_PLAYBACK) {
		int error = keep(fault, areas, offset, size);
		if (error < 0)
			return error;
		fault->transferred += size;
		return (snd_pcm_sframes_t)size;
	}
	for (snd_pcm_uframes_t i = 0; i < size; i++) {
		double frame = (double)(fault->first + fault->transferred + i);
		double phase = fmod(frame * fault->control->tone_hz / io->rate, 1.0);
		double value = fault->control->amplitude / 32767.0 * sin(2 * M_PI * phase);
		for (unsigned int channel = 0; channel < io->channels; channel++)
			put_sample(sample_place(&areas[channel], offset + i), io->format, value);
	}
	fault->transferred += size;
	return (snd_pcm_sframes_t)size;
}

static int fault_poll_revents(snd_pcm_ioplug_t *io, struct pollfd *descriptors, unsigned int count,
			      unsigned short *events)
{
	uint64_t expirations;
	(void)count;
	ssize_t got = read(io->poll_fd, &expirations, sizeof expirations);
	(void)got;
	unsigned short ready = io->stream == SND_PCM_STREAM_PLAYBACK ? POLLOUT : POLLIN;
	*events = (descriptors[0].revents & POLLIN) != 0 ? ready : 0;
	return 0;
}

static int fault_prepare(snd_pcm_ioplug_t *io)
{
	struct fault *fault = io->private_data;
	fault->produced = 0;
	fault->transferred = 0;
	return fault->control->gone ? -ENODEV : 0;
}

/* The stream goes on where it stopped; what the card would have played meanwhile is lost. */
static void skip_to_now(struct fault *fault)
{
	uint64_t now = frames_by(fault, now_ns() - fault->started_ns);
	if (fault->io.stream == SND_PCM_STREAM_PLAYBACK) {
		/* What is in the buffer is heard from here on. */
		double elapsed = (double)fault->produced * 1e9 / clock_rate(fault);
		fault->started_ns = now_ns() - (int64_t)elapsed;
		return;
	}
	uint64_t lost = now - fault->produced;
	fault->first += lost;
	fault->started_ns += (int64_t)((double)lost * 1e9 / clock_rate(fault));
}

static int fault_resume(snd_pcm_ioplug_t *io)
{
	struct fault *fault = io->private_data;
	if (fault->control->resumable > 0 && ++fault->resumes >= fault->control->resumable) {
		skip_to_now(fault);
		snd_pcm_ioplug_set_state(io, SND_PCM_STATE_RUNNING);
		return 0;
	}
	return -EAGAIN;
}

static int fault_close(snd_pcm_ioplug_t *io)
{
	struct fault *fault = io->private_data;
	munmap((void *)(uintptr_t)fault->control, sizeof *fault->control);
	close(io->poll_fd);
	if (fault->played_fd >= 0)
		close(fault->played_fd);
	free(fault);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = fault_start,
	.stop = fault_stop,
	.pointer = fault_pointer,
	.transfer = fault_transfer,
	.close = fault_close,
	.prepare = fault_prepare,
	.resume = fault_resume,
	.poll_revents = fault_poll_revents,
};

static int set_constraints(struct fault *fault)
{
	snd_pcm_ioplug_t *io = &fault->io;
	const unsigned int accesses[] = { SND_PCM_ACCESS_RW_INTERLEAVED };
	const unsigned int formats[] = { (unsigned int)fault->control->format };
	const unsigned int channels = (unsigned int)fault->control->channels;
	const unsigned int rate = (unsigned int)fault->control->rate_hz;
	int results[] = {
		snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 1, accesses),
		snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, formats),
		snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, channels, channels),
		snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, rate, rate),
		snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 64, 1 << 18),
		snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 256, 1 << 20),
		snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 1024),
	};
	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
		if (results[i] < 0)
			return results[i];
	}
	return 0;
}

static volatile struct control *map_control(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	void *map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return map == MAP_FAILED ? NULL : map;
}

static int read_path(snd_config_t *config, const char **path)
{
	snd_config_t *entry;
	if (snd_config_search(config, "control", &entry) < 0)
		return -EINVAL;
	return snd_config_get_string(entry, path);
}

static int open_played(const char *control)
{
	char path[4096];
	snprintf(path, sizeof path, "%s.played", control);
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

SND_PCM_PLUGIN_DEFINE_FUNC(earshot_fault)
{
	(void)root;
	const char *path;
	if (read_path(conf, &path) < 0)
		return -EINVAL;
	struct fault *fault = calloc(1, sizeof *fault);
	if (fault == NULL)
		return -ENOMEM;
	fault->control = map_control(path);
	if (fault->control == NULL || fault->control->gone) {
		free(fault);
		return -ENODEV;
	}
	fault->control->opens++;
	fault->played_fd = stream == SND_PCM_STREAM_PLAYBACK ? open_played(path) : -1;
	fault->xruns = fault->control->xruns;
	fault->suspends = fault->control->suspends;
	fault->skipped_ms = fault->control->skip_ms;
	fault->io.version = SND_PCM_IOPLUG_VERSION;
	fault->io.name = "Earshot fault card";
	fault->io.callback = &callbacks;
	fault->io.private_data = fault;
	fault->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	fault->io.poll_events = POLLIN;
	int error = snd_pcm_ioplug_create(&fault->io, name, stream, mode);
	if (error < 0) {
		free(fault);
		return error;
	}
	error = set_constraints(fault);
	if (error < 0) {
		snd_pcm_ioplug_delete(&fault->io);
		return error;
	}
	*pcmp = fault->io.pcm;
	return 0;
}

SND_PCM_PLUGIN_SYMBOL(earshot_fault);
