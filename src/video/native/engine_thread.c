#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include "device_release.h"
#include "engine_parts.h"

/* The thread of an engine: makes the pipeline, carries out commands one after another, takes it down. */

/* How often the signal of a device is looked at. */
#define WATCH_US 500000

static void find_elements(struct engine *engine)
{
	GString *found = g_string_new(NULL);
	char **names = g_strsplit(engine->elements, ",", -1);
	for (char **name = names; *name != NULL; name++) {
		GstElementFactory *factory = gst_element_factory_find(*name);
		if (factory == NULL)
			continue;
		g_string_append_printf(found, "%s%s", found->len > 0 ? "," : "", *name);
		gst_object_unref(factory);
	}
	engine_post(engine, EVENT_ELEMENTS, "", found->str, NULL);
	g_strfreev(names);
	g_string_free(found, TRUE);
}

/* Capture times are only comparable when everything runs on CLOCK_MONOTONIC, whatever elements offer. */
static void use_monotonic_clock(GstElement *pipeline)
{
	GstClock *clock = g_object_new(GST_TYPE_SYSTEM_CLOCK, "name", "earshot-clock",
				       "clock-type", GST_CLOCK_TYPE_MONOTONIC, NULL);
	gst_object_ref_sink(clock);
	gst_pipeline_use_clock(GST_PIPELINE(pipeline), clock);
	gst_object_unref(clock);
}

static void play(struct engine *engine)
{
	GstStateChangeReturn started = gst_element_set_state(engine->pipeline, GST_STATE_PLAYING);
	g_mutex_lock(&engine->lock);
	bool told = engine->failed;
	g_mutex_unlock(&engine->lock);
	if (started == GST_STATE_CHANGE_FAILURE && !told)
		engine_post(engine, EVENT_ERROR, "", "the pipeline does not start", NULL);
}

static void launch(struct engine *engine)
{
	GError *error = NULL;
	device_use_begins(engine->watch.device);
	engine->launched = true;
	engine->pipeline =
		gst_parse_launch_full(engine->description, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &error);
	if (engine->pipeline == NULL || !GST_IS_PIPELINE(engine->pipeline)) {
		engine_post(engine, EVENT_ERROR, "",
		     error != NULL ? error->message : "it is no pipeline", engine->description);
		g_clear_error(&error);
		return;
	}
	g_clear_error(&error);
	use_monotonic_clock(engine->pipeline);
	engine->source = gst_bin_get_by_name(GST_BIN(engine->pipeline), "pictures");
	engine->sink = gst_bin_get_by_name(GST_BIN(engine->pipeline), "units");
	flow_tie(engine);
	/* A source of pictures that plays before their size is set may negotiate one of its own: the first starts it. */
	if (engine->source == NULL)
		play(engine);
}

static void set_property(struct engine *engine, const struct command *command)
{
	GstElement *element =
		engine->pipeline != NULL ?
			gst_bin_get_by_name(GST_BIN(engine->pipeline), command->element) :
			NULL;
	if (element == NULL ||
	    g_object_class_find_property(G_OBJECT_GET_CLASS(element), command->property) == NULL)
		engine_post(engine, EVENT_WARNING, command->element, "there is no such property",
		     command->property);
	else
		gst_util_set_object_arg(G_OBJECT(element), command->property, command->value);
	g_clear_object(&element);
}

static void force_keyframe(struct engine *engine)
{
	if (engine->sink == NULL)
		return;
	gst_element_send_event(engine->sink,
			       gst_video_event_new_upstream_force_key_unit(
				       GST_CLOCK_TIME_NONE, TRUE, ++engine->keyframes));
}

static void set_picture_size(struct engine *engine, const struct command *command)
{
	if (command->width == engine->picture_width && command->height == engine->picture_height)
		return;
	engine->picture_width = command->width;
	engine->picture_height = command->height;
	GstCaps *given = gst_app_src_get_caps(GST_APP_SRC(engine->source));
	GstCaps *caps = given != NULL ? gst_caps_copy(given) : gst_caps_new_empty_simple("video/x-raw");
	gst_caps_set_simple(caps, "format", G_TYPE_STRING, "RGB", "width", G_TYPE_INT,
			    (int)command->width, "height", G_TYPE_INT, (int)command->height, NULL);
	gst_app_src_set_caps(GST_APP_SRC(engine->source), caps);
	gst_caps_unref(caps);
	if (given != NULL)
		gst_caps_unref(given);
}

static void push_picture(struct engine *engine, struct command *command)
{
	if (engine->source == NULL)
		return;
	bool is_first = engine->picture_width == 0;
	set_picture_size(engine, command);
	if (is_first)
		play(engine);
	GstBuffer *buffer = gst_buffer_new_wrapped(command->pixels, command->bytes);
	command->pixels = NULL;
	GST_BUFFER_PTS(buffer) = command->pts_ns;
	gst_app_src_push_buffer(GST_APP_SRC(engine->source), buffer);
}

static bool carry_out(struct engine *engine, struct command *command)
{
	switch (command->kind) {
	case COMMAND_PROPERTY:
		set_property(engine, command);
		break;
	case COMMAND_KEYFRAME:
		force_keyframe(engine);
		break;
	case COMMAND_PICTURE:
		push_picture(engine, command);
		break;
	case COMMAND_STOP:
		return false;
	}
	return true;
}

static void set_busy(struct engine *engine, bool busy)
{
	g_mutex_lock(&engine->lock);
	engine->busy_since_ns = busy ? engine_now_ns() : 0;
	g_mutex_unlock(&engine->lock);
}

/* True while the device, if there is one, has a signal to launch with. */
static bool watch_signal(struct engine *engine, bool apply)
{
	if (signal_watch_look(&engine->watch, apply))
		engine_post(engine, EVENT_SIGNAL, engine->watch.device,
		     signal_name(engine->watch.last.kind), engine->watch.last.words);
	return engine->watch.last.kind == SIGNAL_OK;
}

static void start(struct engine *engine)
{
	GError *error = NULL;
	if (!gst_init_check(NULL, NULL, &error)) {
		engine_post(engine, EVENT_ERROR, "", error != NULL ? error->message : "no GStreamer", NULL);
		g_clear_error(&error);
		return;
	}
	if (engine->elements[0] != '\0')
		find_elements(engine);
	if (engine->description[0] != '\0' && watch_signal(engine, true))
		launch(engine);
}

static void serve(struct engine *engine)
{
	bool going = true;
	while (going) {
		set_busy(engine, false);
		struct command *command =
			g_async_queue_timeout_pop(engine->commands, WATCH_US);
		set_busy(engine, true);
		if (command != NULL) {
			going = carry_out(engine, command);
			engine_free_command(command);
		} else if (engine->pipeline != NULL) {
			watch_signal(engine, false);
		}
	}
}

static void take_down(struct engine *engine)
{
	if (engine->pipeline != NULL)
		gst_element_set_state(engine->pipeline, GST_STATE_NULL);
	g_clear_object(&engine->source);
	g_clear_object(&engine->sink);
	g_clear_object(&engine->pipeline);
	if (engine->launched)
		device_use_ends(engine->watch.device);
}

gpointer engine_thread(gpointer data)
{
	struct engine *engine = data;
	start(engine);
	serve(engine);
	take_down(engine);
	g_mutex_lock(&engine->lock);
	engine->thread_ended = true;
	g_cond_signal(&engine->ended);
	if (!engine->closed)
		engine->wake(engine->wake_context);
	g_mutex_unlock(&engine->lock);
	engine_release(engine);
	return NULL;
}
