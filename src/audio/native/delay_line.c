#include "delay_line.h"

#include <math.h>
#include <string.h>

#include "monotonic.h"

#define MASK (DELAY_RING_SAMPLES - 1)
/* Input is taken in slices, whatever a device delivers at once. */
#define SLICE 2048

#define SHORTEST_SPLICE 240
#define LONGEST_SPLICE (DELAY_LOOK_SAMPLES - COMPARED)
#define FADE 480
/* What two places are compared by: 10 ms, a period of 100 Hz. */
#define COMPARED 480
#define SPLICE_SPACING 1920
/* Coarsely first: every fourth sample at every fourth place. */
#define COARSE 4
/* As good as the best: then the longest splice is the best. */
#define NEARLY 0.005F
/* A last piece that matches worse than this is glided over. */
#define GOOD_LIKENESS 0.9F
/* Of the level below which any place is as good as another: -80 dBFS. */
#define SILENT_POWER 1e-8F
/* Samples of a glide for each sample of delay; its steepest is 1.5 in so many: 2.3 %. */
#define GLIDE_LENGTH 64
/* Half the points that a place between two samples is read from. */
#define GLIDE_REACH 4

void delay_line_init(struct delay_line *line)
{
	line->through = true;
}

static int64_t samples_to_ns(int64_t samples)
{
	return samples * NS_PER_S / OUTPUT_RATE_HZ;
}

static float *at(struct delay_line *line, uint64_t position)
{
	return line->ring + (position & MASK) * OUTPUT_CHANNELS;
}

uint32_t delay_line_delay(const struct delay_line *line)
{
	return line->through ? 0 : (uint32_t)(line->written - line->read);
}

static void stop_changes(struct delay_line *line)
{
	line->fade_left = 0;
	line->until_splice = 0;
	line->glide_length = 0;
}

void delay_line_drop(struct delay_line *line)
{
	stop_changes(line);
	line->through = line->target == 0;
	line->filling = !line->through;
	line->begun = line->written;
	line->read = line->written;
}

void delay_line_set(struct delay_line *line, uint32_t samples)
{
	line->target = samples < DELAY_LONGEST_SAMPLES ? samples : DELAY_LONGEST_SAMPLES;
	if (line->filling && line->written - line->read >= line->target)
		line->filling = false;
	if (line->target == 0 || !line->through)
		return;
	/* From here on the ring is written, so that there is something to go back to. */
	line->through = false;
	line->begun = line->written;
	line->read = line->written;
}

/* Samples at `position`, handed on as they lie in the ring: in two pieces where it turns around. */
static void hand_on(struct delay_line *line, uint64_t position, uint32_t samples)
{
	while (samples > 0) {
		uint32_t room = DELAY_RING_SAMPLES - (uint32_t)(position & MASK);
		uint32_t piece = samples < room ? samples : room;
		int64_t behind = (int64_t)(line->written - position);
		line->on_sound(line->context, at(line, position), piece,
			       line->written_ns - samples_to_ns(behind));
		position += piece;
		samples -= piece;
	}
}

/* `samples` of both channels from `position` on; unevenly, so that opposite ones do not cancel. */
static void mix(struct delay_line *line, uint64_t position, uint32_t samples, float *mono)
{
	for (uint32_t i = 0; i < samples; i++) {
		const float *stereo = at(line, position + i);
		mono[i] = stereo[0] + 0.5F * stereo[1];
	}
}

static float likeness(const float *a, const float *b, uint32_t step)
{
	float product = 0;
	float power_a = 0;
	float power_b = 0;
	for (uint32_t i = 0; i < COMPARED; i += step) {
		product += a[i] * b[i];
		power_a += a[i] * a[i];
		power_b += b[i] * b[i];
	}
	float silent = SILENT_POWER * COMPARED / (float)step;
	if (power_a < silent && power_b < silent)
		return 1;
	return product / sqrtf((power_a + silent) * (power_b + silent));
}

struct splice {
	uint32_t samples;
	float likeness;
};

/* The longest of the places from `from` to `to` that is as like as the likest; compares every `step`. */
static struct splice search(const float *here, int direction, uint32_t from, uint32_t to,
			    uint32_t step)
{
	struct splice best = { .samples = from, .likeness = -2 };
	for (uint32_t samples = from; samples <= to; samples += step) {
		float like = likeness(here, here + direction * (int32_t)samples, step);
		if (like > best.likeness + NEARLY)
			best = (struct splice){ samples, like };
		else if (like > best.likeness - NEARLY)
			best = (struct splice){ samples, fmaxf(like, best.likeness) };
	}
	return best;
}

/* Where the sound just before is most like the sound just before here: `direction` 1 is later. */
static struct splice find_splice(struct delay_line *line, int direction, uint32_t longest)
{
	uint64_t first = line->read - COMPARED - (direction < 0 ? longest : 0);
	mix(line, first, COMPARED + longest, line->mono);
	const float *here = line->mono + (direction < 0 ? longest : 0);
	struct splice coarse = search(here, direction, SHORTEST_SPLICE, longest, COARSE);
	uint32_t from = coarse.samples > SHORTEST_SPLICE + COARSE ? coarse.samples - COARSE :
								    SHORTEST_SPLICE;
	uint32_t to = coarse.samples + COARSE < longest ? coarse.samples + COARSE : longest;
	return search(here, direction, from, to, 1);
}

static void begin_fade(struct delay_line *line, int64_t by, float like)
{
	line->fade_to = (uint64_t)((int64_t)line->read + by);
	line->fade_left = FADE;
	line->likeness = fminf(fmaxf(like, 0), 1);
	line->until_splice = SPLICE_SPACING;
}

static void begin_glide(struct delay_line *line, int32_t by)
{
	line->glide_by = by;
	line->glide_length = (uint32_t)(by < 0 ? -by : by) * GLIDE_LENGTH;
	line->glide_done = 0;
	line->glide_from = line->read;
}

/* Whether it is silent around here, so that nobody hears where it is cut. */
static bool is_silent(const struct splice *splice, const float *here)
{
	float power = 0;
	for (uint32_t i = 0; i < COMPARED; i++)
		power += here[i] * here[i];
	return splice->likeness >= 1 && power < SILENT_POWER * COMPARED;
}

/* Begins the next step towards the target, when there is one to be made. `delay` is without the slice that came. */
static void approach(struct delay_line *line, uint32_t delay)
{
	if (delay == line->target) {
		if (delay == 0)
			line->through = true;
		return;
	}
	int direction = delay > line->target ? 1 : -1;
	uint32_t left = delay > line->target ? delay - line->target : line->target - delay;
	uint32_t longest = left < LONGEST_SPLICE ? left : LONGEST_SPLICE;
	uint32_t looked_back = COMPARED + (direction < 0 ? longest : 0);
	/* Just begun: there is not enough behind yet. */
	if (line->read - line->begun < looked_back)
		return;
	if (longest < SHORTEST_SPLICE) {
		begin_glide(line, direction * (int32_t)left);
		return;
	}
	struct splice splice = find_splice(line, direction, longest);
	if (is_silent(&splice, line->mono + (direction < 0 ? longest : 0)))
		splice.samples = longest;
	if (left > LONGEST_SPLICE || splice.likeness >= GOOD_LIKENESS)
		begin_fade(line, direction * (int64_t)splice.samples, splice.likeness);
	else
		begin_glide(line, direction * (int32_t)left);
}

/* Up to `samples` of a splice: the two fade at even power, whatever they have in common. */
static uint32_t hand_on_fade(struct delay_line *line, uint32_t samples)
{
	float faded[FADE * OUTPUT_CHANNELS];
	uint32_t count = samples < line->fade_left ? samples : line->fade_left;
	int64_t behind = (int64_t)(line->written - line->fade_to);
	for (uint32_t i = 0; i < count; i++) {
		float in = 1 - (float)line->fade_left / (FADE + 1);
		in = in * in * (3 - 2 * in);
		float out = 1 - in;
		float even = 1 / sqrtf(in * in + out * out + 2 * line->likeness * in * out);
		const float *before = at(line, line->read);
		const float *after = at(line, line->fade_to);
		faded[2 * i] = even * (out * before[0] + in * after[0]);
		faded[2 * i + 1] = even * (out * before[1] + in * after[1]);
		line->read++;
		line->fade_to++;
		line->fade_left--;
	}
	line->on_sound(line->context, faded, count, line->written_ns - samples_to_ns(behind));
	if (line->fade_left == 0)
		line->read = line->fade_to;
	return count;
}

/* The sample at `whole` + `fraction`, by Lagrange's polynomial through up to four on each side. */
static void interpolate(struct delay_line *line, uint64_t whole, float fraction, float *out)
{
	uint64_t after = line->written - 1 - whole;
	int last = after < GLIDE_REACH ? (int)after : GLIDE_REACH;
	/* A glide to no delay ends at the newest sample: a line through two would be heard. */
	int first = last > 1 ? 1 - last : -2;
	out[0] = 0;
	out[1] = 0;
	if (last == 0 || fraction == 0.0F) {
		memcpy(out, at(line, whole), OUTPUT_CHANNELS * sizeof(float));
		return;
	}
	for (int i = first; i <= last; i++) {
		float weight = 1;
		for (int j = first; j <= last; j++) {
			if (j != i)
				weight *= (fraction - (float)j) / (float)(i - j);
		}
		const float *sample = at(line, whole + (uint64_t)(int64_t)i);
		out[0] += weight * sample[0];
		out[1] += weight * sample[1];
	}
}

/* Up to `samples` of a glide: it begins and ends at the sound's own speed and on a whole sample. */
static uint32_t hand_on_glide(struct delay_line *line, uint32_t samples)
{
	float glided[FADE * OUTPUT_CHANNELS];
	uint32_t left = line->glide_length - line->glide_done;
	uint32_t count = samples < left ? samples : left;
	if (count > FADE)
		count = FADE;
	int64_t time_ns = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t done = line->glide_done++;
		double way = (double)done / line->glide_length;
		double by = line->glide_by * (way * way * (3 - 2 * way));
		double whole = floor(by);
		uint64_t position = line->glide_from + done + (uint64_t)(int64_t)whole;
		if (i == 0)
			time_ns = line->written_ns -
				  samples_to_ns((int64_t)(line->written - position));
		interpolate(line, position, (float)(by - whole), glided + 2 * i);
	}
	line->read = line->glide_from + line->glide_done;
	if (line->glide_done == line->glide_length) {
		line->read += (uint64_t)(int64_t)line->glide_by;
		line->glide_length = 0;
		line->until_splice = SPLICE_SPACING;
	}
	line->on_sound(line->context, glided, count, time_ns);
	return count;
}

/* Hands on `samples`, as many as have just been written. */
static void play(struct delay_line *line, uint32_t samples)
{
	while (samples > 0) {
		uint32_t count;
		if (line->fade_left == 0 && line->glide_length == 0 && line->until_splice == 0)
			approach(line, (uint32_t)(line->written - line->read) - samples);
		if (line->fade_left > 0) {
			count = hand_on_fade(line, samples);
		} else if (line->glide_length > 0) {
			count = hand_on_glide(line, samples);
		} else {
			count = samples;
			if (line->until_splice > 0 && count > line->until_splice)
				count = line->until_splice;
			hand_on(line, line->read, count);
			line->read += count;
		}
		line->until_splice -= count < line->until_splice ? count : line->until_splice;
		samples -= count;
	}
}

/* Silence where `stereo` is NULL. */
static void write_slice(struct delay_line *line, const float *stereo, uint32_t samples)
{
	for (uint32_t i = 0; i < samples; i++) {
		float *sample = at(line, line->written + i);
		sample[0] = stereo == NULL ? 0 : stereo[2 * i];
		sample[1] = stereo == NULL ? 0 : stereo[2 * i + 1];
	}
	line->written += samples;
	line->written_ns += samples_to_ns(samples);
}

static void take(struct delay_line *line, const float *stereo, uint32_t samples)
{
	write_slice(line, stereo, samples);
	if (!line->filling) {
		play(line, samples);
		return;
	}
	uint64_t held = line->written - line->read;
	if (held <= line->target)
		return;
	line->filling = false;
	play(line, (uint32_t)(held - line->target));
}

static void take_all(struct delay_line *line, const float *stereo, uint32_t samples)
{
	for (uint32_t done = 0; done < samples;) {
		uint32_t slice = samples - done < SLICE ? samples - done : SLICE;
		take(line, stereo == NULL ? NULL : stereo + (size_t)done * OUTPUT_CHANNELS, slice);
		done += slice;
	}
}

void delay_line_push(struct delay_line *line, const float *stereo, uint32_t samples, int64_t time_ns)
{
	if (line->through) {
		line->on_sound(line->context, stereo, samples, time_ns);
		return;
	}
	line->written_ns = time_ns;
	take_all(line, stereo, samples);
}

int64_t delay_line_gap(struct delay_line *line, int64_t gap_ns)
{
	uint32_t held = delay_line_delay(line);
	int64_t missing = gap_ns * OUTPUT_RATE_HZ / NS_PER_S;
	if (held > 0 && !line->filling && missing < held) {
		take_all(line, NULL, (uint32_t)missing);
		return 0;
	}
	delay_line_drop(line);
	return gap_ns + samples_to_ns(held);
}
