#include "fade.h"

#define FADE_STEP (1.0F / 240)

void fade_apply(float *gain, bool muted, float *stereo, uint32_t frames)
{
	float target = muted ? 0.0F : 1.0F;
	float now = *gain;
	if (now == target && now == 1.0F)
		return;
	for (uint32_t i = 0; i < frames; i++) {
		if (now > target)
			now = now > FADE_STEP ? now - FADE_STEP : 0.0F;
		else if (now < target)
			now = now < 1 - FADE_STEP ? now + FADE_STEP : 1.0F;
		stereo[2 * i] *= now;
		stereo[2 * i + 1] *= now;
	}
	*gain = now;
}
