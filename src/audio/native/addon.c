#include <alsa/asoundlib.h>
#include <dlfcn.h>
#include <node_api.h>
#include <opus/opus.h>
#include <stdlib.h>

#include "addon_handle.h"
#include "addon_values.h"
#include "device_list.h"

/* The functions JavaScript sees; native-audio.ts gives them their types. */

#define MAX_LISTED_DEVICES 64

/* listDevices(playback): [{id, description}]. */
static napi_value js_list_devices(napi_env env, napi_callback_info info)
{
	napi_value values[1];
	bool playback;
	if (!arguments(env, info, 1, values))
		return NULL;
	if (napi_get_value_bool(env, values[0], &playback) != napi_ok) {
		napi_throw_type_error(env, NULL, "playback must be a boolean");
		return NULL;
	}
	struct listed_device *devices = calloc(MAX_LISTED_DEVICES, sizeof *devices);
	napi_value array = make_array(env);
	if (devices == NULL)
		return array;
	size_t count = device_list(devices, MAX_LISTED_DEVICES,
				   playback ? SND_PCM_STREAM_PLAYBACK : SND_PCM_STREAM_CAPTURE);
	for (uint32_t i = 0; i < count; i++) {
		napi_value device = make_object(env);
		put_string(env, device, "id", devices[i].id);
		put_string(env, device, "description", devices[i].description);
		put_in_array(env, array, i, device);
	}
	free(devices);
	return array;
}

/* ALSA would print each failed try to standard error; the events carry the reason. */
static void discard_message(const char *file, int line, const char *function, int error,
			    const char *format, ...)
{
	(void)file;
	(void)line;
	(void)function;
	(void)error;
	(void)format;
}

/* A thread that a driver never lets go still needs this code when its environment is gone. */
static void stay_loaded(void)
{
	Dl_info info;
	if (dladdr((void *)(uintptr_t)stay_loaded, &info) != 0 && info.dli_fname != NULL)
		dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE);
}

NAPI_MODULE_INIT()
{
	stay_loaded();
	snd_lib_error_set_handler(discard_message);
	export_capture(env, exports);
	export_playback(env, exports);
	export_decoder(env, exports);
	export_encoder(env, exports);
	export_function(env, exports, "close", js_close_worker);
	export_function(env, exports, "listDevices", js_list_devices);
	put_string(env, exports, "opusVersion", opus_get_version_string());
	put_string(env, exports, "alsaVersion", snd_asoundlib_version());
	return exports;
}
