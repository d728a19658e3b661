#ifndef EARSHOT_ADDON_VALUES_H
#define EARSHOT_ADDON_VALUES_H

#include <node_api.h>
#include <stdbool.h>

#include "playback.h"
#include "settings.h"
#include "stream.h"

/* Values across the border to JavaScript. Whatever returns false has thrown a TypeError. */

bool read_settings(napi_env env, napi_value object, struct stream_settings *settings);
bool read_encoder(napi_env env, napi_value object, struct encoder_settings *settings);
bool read_playback_settings(napi_env env, napi_value object, struct playback_settings *settings);

/* `key` names the value in the error. */
bool read_text(napi_env env, napi_value value, const char *key, char *text, size_t capacity);

/* A count of samples. */
bool read_samples(napi_env env, napi_value value, uint32_t *samples);

/* A Float32Array with room for as many samples of interleaved stereo. */
bool read_pcm(napi_env env, napi_value value, uint32_t samples, float **pcm);

/* A Uint8Array (a Buffer is one). `bytes` may come out 0, and `data` then NULL. */
bool read_bytes(napi_env env, napi_value value, uint8_t **data, size_t *bytes);

napi_value make_object(napi_env env);
napi_value make_array(napi_env env);
void put_in_array(napi_env env, napi_value array, uint32_t index, napi_value value);
void put_number(napi_env env, napi_value object, const char *key, double value);
void put_bool(napi_env env, napi_value object, const char *key, bool value);
void put_string(napi_env env, napi_value object, const char *key, const char *value);
void put_value(napi_env env, napi_value object, const char *key, napi_value value);

napi_value packet_value(napi_env env, const struct packet *packet);
napi_value stats_value(napi_env env, const struct stream_stats *stats);
napi_value playback_stats_value(napi_env env, const struct playback_stats *stats);

/* Takes all that wait; `amount` is what the amount of an overrun is called. */
napi_value events_value(napi_env env, struct worker *worker, const char *amount);

#endif
