#include <gst/app/gstappsink.h>
#include <stdio.h>

#include "engine_parts.h"

/* What the pipeline's own threads call: pictures on their way, encoded units, messages. */

static uint64_t running_time(const GstSegment *segment, GstBuffer *buffer)
{
	GstClockTime pts = GST_BUFFER_PTS(buffer);
	uint64_t running = gst_segment_to_running_time(segment, GST_FORMAT_TIME, pts);
	return GST_CLOCK_TIME_IS_VALID(running) ? running : 0;
}

/* The running time of a buffer on its way through a pad; 0 before the pad has a segment. */
static uint64_t passing_time(GstPad *pad, GstPadProbeInfo *info)
{
	GstEvent *event = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0);
	if (event == NULL)
		return 0;
	const GstSegment *segment;
	gst_event_parse_segment(event, &segment);
	uint64_t pts = running_time(segment, GST_PAD_PROBE_INFO_BUFFER(info));
	gst_event_unref(event);
	return pts;
}

static GstPadProbeReturn on_picture(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
	struct engine *engine = data;
	uint64_t pts = passing_time(pad, info);
	g_mutex_lock(&engine->lock);
	bool pass = rate_limit_pass(&engine->rate, pts);
	g_mutex_unlock(&engine->lock);
	return pass ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

static GstPadProbeReturn on_encoder_input(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
	struct engine *engine = data;
	uint64_t pts = passing_time(pad, info);
	g_mutex_lock(&engine->lock);
	encode_times_enter(&engine->times, pts, engine_now_ns());
	g_mutex_unlock(&engine->lock);
	return GST_PAD_PROBE_OK;
}

static void on_overrun(GstElement *queue, gpointer data)
{
	(void)queue;
	struct engine *engine = data;
	g_mutex_lock(&engine->lock);
	engine->leaked++;
	g_mutex_unlock(&engine->lock);
}

/* The size of what was encoded; 0 where the caps do not say. */
static void read_size(struct unit *unit, GstCaps *caps)
{
	if (caps == NULL)
		return;
	const GstStructure *structure = gst_caps_get_structure(caps, 0);
	int width = 0;
	int height = 0;
	gst_structure_get_int(structure, "width", &width);
	gst_structure_get_int(structure, "height", &height);
	unit->width = (uint32_t)width;
	unit->height = (uint32_t)height;
}

static GstFlowReturn on_unit(GstAppSink *sink, gpointer data)
{
	struct engine *engine = data;
	GstSample *sample = gst_app_sink_pull_sample(sink);
	GstBuffer *buffer = sample != NULL ? gst_sample_get_buffer(sample) : NULL;
	if (buffer == NULL) {
		if (sample != NULL)
			gst_sample_unref(sample);
		return GST_FLOW_OK;
	}
	struct unit unit = {
		.buffer = gst_buffer_ref(buffer),
		.pts_ns = running_time(gst_sample_get_segment(sample), buffer),
		.keyframe = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT),
	};
	unit.capture_ns = (int64_t)(gst_element_get_base_time(GST_ELEMENT(sink)) + unit.pts_ns);
	read_size(&unit, gst_sample_get_caps(sample));
	gst_sample_unref(sample);
	g_mutex_lock(&engine->lock);
	if (engine->pictures > 0)
		engine->pictures--;
	encode_times_leave(&engine->times, unit.pts_ns, engine_now_ns(), unit.capture_ns);
	bool keyframe_wanted = unit_queue_push(&engine->units, &unit);
	engine_signal(engine);
	g_mutex_unlock(&engine->lock);
	if (keyframe_wanted)
		engine_give(engine, &(struct command){ .kind = COMMAND_KEYFRAME });
	return GST_FLOW_OK;
}

static void post_failure(struct engine *engine, GstMessage *message)
{
	GError *error = NULL;
	char *debug = NULL;
	bool fatal = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
	if (fatal)
		gst_message_parse_error(message, &error, &debug);
	else
		gst_message_parse_warning(message, &error, &debug);
	engine_post(engine, fatal ? EVENT_ERROR : EVENT_WARNING, GST_MESSAGE_SRC_NAME(message),
	     error != NULL ? error->message : "unknown", debug);
	g_clear_error(&error);
	g_free(debug);
}

static void post_element(struct engine *engine, GstMessage *message)
{
	const GstStructure *structure = gst_message_get_structure(message);
	char *text = structure != NULL ? gst_structure_to_string(structure) : NULL;
	if (text != NULL)
		engine_post(engine, EVENT_ELEMENT, GST_MESSAGE_SRC_NAME(message), text, NULL);
	g_free(text);
}

static void post_state(struct engine *engine, GstMessage *message)
{
	GstState state;
	gst_message_parse_state_changed(message, NULL, &state, NULL);
	if (state == GST_STATE_PLAYING && GST_IS_PIPELINE(GST_MESSAGE_SRC(message)))
		engine_post(engine, EVENT_PLAYING, "", "", NULL);
}

/* Messages are taken where they are posted: nothing has to poll for them. */
static GstBusSyncReply on_message(GstBus *bus, GstMessage *message, gpointer data)
{
	(void)bus;
	struct engine *engine = data;
	switch (GST_MESSAGE_TYPE(message)) {
	case GST_MESSAGE_ERROR:
	case GST_MESSAGE_WARNING:
		post_failure(engine, message);
		break;
	case GST_MESSAGE_EOS:
		engine_post(engine, EVENT_ENDED, GST_MESSAGE_SRC_NAME(message), "", NULL);
		break;
	case GST_MESSAGE_ELEMENT:
		post_element(engine, message);
		break;
	case GST_MESSAGE_STATE_CHANGED:
		post_state(engine, message);
		break;
	default:
		break;
	}
	gst_message_unref(message);
	return GST_BUS_DROP;
}

/* Calls `probe` for each buffer that comes to the named element, which may not be there. */
static void watch_input(struct engine *engine, const char *name, GstPadProbeCallback probe)
{
	GstElement *element = gst_bin_get_by_name(GST_BIN(engine->pipeline), name);
	GstPad *pad = element != NULL ? gst_element_get_static_pad(element, "sink") : NULL;
	if (pad != NULL)
		gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, probe, engine, NULL);
	g_clear_object(&pad);
	g_clear_object(&element);
}

static void watch_pictures(struct engine *engine)
{
	watch_input(engine, "source-queue", on_picture);
	watch_input(engine, "encoder", on_encoder_input);
	GstElement *queue = gst_bin_get_by_name(GST_BIN(engine->pipeline), "source-queue");
	if (queue != NULL)
		g_signal_connect(queue, "overrun", G_CALLBACK(on_overrun), engine);
	g_clear_object(&queue);
}

void flow_tie(struct engine *engine)
{
	GstAppSinkCallbacks callbacks = { .new_sample = on_unit };
	if (engine->sink != NULL)
		gst_app_sink_set_callbacks(GST_APP_SINK(engine->sink), &callbacks, engine, NULL);
	watch_pictures(engine);
	GstBus *bus = gst_element_get_bus(engine->pipeline);
	gst_bus_set_sync_handler(bus, on_message, engine, NULL);
	gst_object_unref(bus);
}
