#ifndef EARSHOT_INTERLEAVE_H
#define EARSHOT_INTERLEAVE_H

#include <alsa/asoundlib.h>
#include <stdint.h>

/*
 * Stereo to the samples of a device, in one of `convertible_formats`: mono gets the mean of both
 * channels, more than two have sound in the first two (front left and right) and silence in the others.
 * What is too loud is clipped, never wrapped.
 */
void interleave(void *samples, snd_pcm_format_t format, unsigned int channels, const float *stereo,
		uint32_t frames);

#endif
