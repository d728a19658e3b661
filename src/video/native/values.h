#ifndef EARSHOT_VALUES_H
#define EARSHOT_VALUES_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values across the border to JavaScript. Whatever returns false has thrown a TypeError. */

/* Reads `wanted` arguments. */
bool read_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values);

/* A string of at most MAX_TEXT_BYTES, to be freed with g_free. */
#define MAX_TEXT_BYTES 4096
bool read_text(napi_env env, napi_value value, const char *key, char **text);

/* A Uint8Array (a Buffer is one). */
bool read_bytes(napi_env env, napi_value value, uint8_t **data, size_t *bytes);

bool read_number(napi_env env, napi_value value, const char *key, double *number);

napi_value make_object(napi_env env);
napi_value make_array(napi_env env);
napi_value make_bool(napi_env env, bool value);
void put_value(napi_env env, napi_value object, const char *key, napi_value value);
void put_number(napi_env env, napi_value object, const char *key, double value);
void put_time(napi_env env, napi_value object, const char *key, int64_t value);
void put_bool(napi_env env, napi_value object, const char *key, bool value);
void put_string(napi_env env, napi_value object, const char *key, const char *value);
void put_function(napi_env env, napi_value object, const char *name, napi_callback callback);

#endif
