#ifndef EARSHOT_PLATFORM_VALUES_H
#define EARSHOT_PLATFORM_VALUES_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values across the border to JavaScript. Whatever returns false has thrown. */

/* Reads `wanted` arguments. */
bool read_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values);

/* A whole number from `least` to `most`; `key` names it in the error. */
bool read_integer(napi_env env, napi_value value, const char *key, int64_t least, int64_t most,
		  int64_t *number);

/* A string of fewer than `capacity` bytes. */
bool read_text(napi_env env, napi_value value, const char *key, char *text, size_t capacity);

/* Throws an Error with `errno` and `code`, as Node's own calls do; `what` failed. */
void throw_errno(napi_env env, const char *what, int error);

napi_value make_object(napi_env env);
napi_value make_number(napi_env env, double value);
void put_number(napi_env env, napi_value object, const char *key, double value);
void put_string(napi_env env, napi_value object, const char *key, const char *value);
void put_function(napi_env env, napi_value object, const char *name, napi_callback callback);

#endif
