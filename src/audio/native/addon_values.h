#ifndef EARSHOT_ADDON_VALUES_H
#define EARSHOT_ADDON_VALUES_H

#include <node_api.h>
#include <stdbool.h>

#include "settings.h"
#include "stream.h"

/* Values across the border to JavaScript. Whatever returns false has thrown a TypeError. */

bool read_settings(napi_env env, napi_value object, struct stream_settings *settings);
bool read_string(napi_env env, napi_value object, const char *key, char *text, size_t capacity);

napi_value make_object(napi_env env);
napi_value make_array(napi_env env);
void put_in_array(napi_env env, napi_value array, uint32_t index, napi_value value);
void put_number(napi_env env, napi_value object, const char *key, double value);
void put_bool(napi_env env, napi_value object, const char *key, bool value);
void put_string(napi_env env, napi_value object, const char *key, const char *value);
void put_value(napi_env env, napi_value object, const char *key, napi_value value);

napi_value packet_value(napi_env env, const struct packet *packet);
napi_value event_value(napi_env env, const struct stream_event *event);
napi_value stats_value(napi_env env, const struct stream_stats *stats);

#endif
