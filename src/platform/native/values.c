#include "values.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

bool read_arguments(napi_env env, napi_callback_info info, size_t wanted, napi_value *values)
{
	size_t count = wanted;
	if (napi_get_cb_info(env, info, &count, values, NULL, NULL) == napi_ok && count >= wanted)
		return true;
	napi_throw_type_error(env, NULL, "too few arguments");
	return false;
}

bool read_integer(napi_env env, napi_value value, const char *key, int64_t least, int64_t most,
		  int64_t *number)
{
	double given;
	if (napi_get_value_double(env, value, &given) == napi_ok && given >= (double)least &&
	    given <= (double)most && given == (double)(int64_t)given) {
		*number = (int64_t)given;
		return true;
	}
	char message[128];
	snprintf(message, sizeof message, "%s must be a whole number from %lld to %lld", key,
		 (long long)least, (long long)most);
	napi_throw_range_error(env, NULL, message);
	return false;
}

bool read_text(napi_env env, napi_value value, const char *key, char *text, size_t capacity)
{
	size_t length = 0;
	if (napi_get_value_string_utf8(env, value, NULL, 0, &length) == napi_ok &&
	    length < capacity &&
	    napi_get_value_string_utf8(env, value, text, capacity, &length) == napi_ok)
		return true;
	char message[96];
	snprintf(message, sizeof message, "%s must be a string of at most %zu bytes", key,
		 capacity - 1);
	napi_throw_type_error(env, NULL, message);
	return false;
}

void throw_errno(napi_env env, const char *what, int error)
{
	char text[160];
	char name[40];
	napi_value message;
	napi_value thrown;
	snprintf(text, sizeof text, "%s: %s", what, strerror(error));
	napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message);
	napi_create_error(env, NULL, message, &thrown);
	put_number(env, thrown, "errno", error);
	put_string(env, thrown, "code", uv_err_name_r(-error, name, sizeof name));
	napi_throw(env, thrown);
}

napi_value make_object(napi_env env)
{
	napi_value object = NULL;
	napi_create_object(env, &object);
	return object;
}

napi_value make_number(napi_env env, double value)
{
	napi_value number = NULL;
	napi_create_double(env, value, &number);
	return number;
}

void put_number(napi_env env, napi_value object, const char *key, double value)
{
	napi_set_named_property(env, object, key, make_number(env, value));
}

void put_string(napi_env env, napi_value object, const char *key, const char *value)
{
	napi_value text = NULL;
	napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &text);
	napi_set_named_property(env, object, key, text);
}

void put_function(napi_env env, napi_value object, const char *name, napi_callback callback)
{
	napi_value function = NULL;
	napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, NULL, &function);
	napi_set_named_property(env, object, name, function);
}
