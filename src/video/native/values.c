#include "values.h"

#include <glib.h>
#include <stdio.h>

static bool refuse(napi_env env, const char *key, const char *wanted)
{
	char message[96];
	snprintf(message, sizeof message, "%s must be %s", key, wanted);
	napi_throw_type_error(env, NULL, message);
	return false;
}

bool read_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values)
{
	size_t count = wanted;
	if (napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok && count >= wanted)
		return true;
	napi_throw_type_error(env, NULL, "too few arguments");
	return false;
}

bool read_text(napi_env env, napi_value value, const char *key, char **text)
{
	size_t length = 0;
	if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok ||
	    length > MAX_TEXT_BYTES)
		return refuse(env, key, "a string of at most 4096 bytes");
	*text = g_malloc(length + 1);
	napi_get_value_string_utf8(env, value, *text, length + 1, &length);
	return true;
}

bool read_bytes(napi_env env, napi_value value, uint8_t **data, size_t *bytes)
{
	napi_typedarray_type type;
	bool typed = false;
	void *memory = NULL;
	if (napi_is_typedarray(env, value, &typed) != napi_ok || !typed ||
	    napi_get_typedarray_info(env, value, &type, bytes, &memory, NULL, NULL) != napi_ok ||
	    type != napi_uint8_array)
		return refuse(env, "pixels", "a Uint8Array");
	*data = memory;
	return true;
}

bool read_number(napi_env env, napi_value value, const char *key, double *number)
{
	if (napi_get_value_double(env, value, number) == napi_ok && *number >= 0 &&
	    *number <= 9007199254740991.0)
		return true;
	return refuse(env, key, "a number from 0 to 2^53 - 1");
}

napi_value make_object(napi_env env)
{
	napi_value object = NULL;
	napi_create_object(env, &object);
	return object;
}

napi_value make_array(napi_env env)
{
	napi_value array = NULL;
	napi_create_array(env, &array);
	return array;
}

napi_value make_bool(napi_env env, bool value)
{
	napi_value result = NULL;
	napi_get_boolean(env, value, &result);
	return result;
}

void put_value(napi_env env, napi_value object, const char *key, napi_value value)
{
	napi_set_named_property(env, object, key, value);
}

void put_number(napi_env env, napi_value object, const char *key, double value)
{
	napi_value number = NULL;
	napi_create_double(env, value, &number);
	put_value(env, object, key, number);
}

void put_time(napi_env env, napi_value object, const char *key, int64_t value)
{
	napi_value time = NULL;
	napi_create_bigint_int64(env, value, &time);
	put_value(env, object, key, time);
}

void put_bool(napi_env env, napi_value object, const char *key, bool value)
{
	put_value(env, object, key, make_bool(env, value));
}

void put_string(napi_env env, napi_value object, const char *key, const char *value)
{
	napi_value text = NULL;
	napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &text);
	put_value(env, object, key, text);
}

void put_function(napi_env env, napi_value object, const char *name, napi_callback callback)
{
	napi_value function = NULL;
	napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
	put_value(env, object, name, function);
}
