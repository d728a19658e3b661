#ifndef EARSHOT_FADE_H
#define EARSHOT_FADE_H

#include <stdbool.h>
#include <stdint.h>

/* Mute without a click: a gain that takes 5 ms from 1 to 0 and back. */

/* Multiplies interleaved 48 kHz stereo by `gain`, which moves towards 0 (muted) or 1. */
void fade_apply(float *gain, bool muted, float *stereo, uint32_t frames);

#endif
