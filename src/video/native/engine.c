#include "engine.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "engine_parts.h"

/* JavaScript's side of an engine, and what all its sides share. */

/* Pictures on their way through the pipeline: what a burst may hold in memory. */
#define MAX_PICTURES 8

int64_t engine_now_ns(void)
{
	return g_get_monotonic_time() * 1000;
}

void engine_signal(struct engine *engine)
{
	if (engine->signalled || engine->stopping)
		return;
	engine->signalled = true;
	engine->wake(engine->wake_context);
}

void engine_post(struct engine *engine, enum engine_event_kind kind, const char *source,
		 const char *text, const char *detail)
{
	struct engine_event event = { .kind = kind };
	snprintf(event.source, sizeof event.source, "%s", source);
	snprintf(event.text, sizeof event.text, "%s", text);
	snprintf(event.detail, sizeof event.detail, "%s", detail != NULL ? detail : "");
	g_mutex_lock(&engine->lock);
	engine->failed = engine->failed || kind == EVENT_ERROR;
	event_queue_push(&engine->events, &event);
	engine_signal(engine);
	g_mutex_unlock(&engine->lock);
}

void engine_free_command(gpointer data)
{
	struct command *command = data;
	g_free(command->element);
	g_free(command->property);
	g_free(command->value);
	g_free(command->pixels);
	g_free(command);
}

void engine_give(struct engine *engine, const struct command *command)
{
	g_async_queue_push(engine->commands, g_memdup2(command, sizeof *command));
}

void engine_release(struct engine *engine)
{
	g_mutex_lock(&engine->lock);
	int left = --engine->references;
	g_mutex_unlock(&engine->lock);
	if (left > 0)
		return;
	unit_queue_clear(&engine->units);
	g_async_queue_unref(engine->commands);
	g_mutex_clear(&engine->lock);
	g_cond_clear(&engine->ended);
	g_free(engine->description);
	g_free(engine->elements);
	g_free(engine);
}

/* Signals are for Node's own thread, and GStreamer's threads inherit from this one. */
static GThread *start_thread(struct engine *engine)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	GThread *thread = g_thread_try_new("earshot-video", engine_thread, engine, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return thread;
}

struct engine *engine_open(const struct engine_options *options)
{
	struct engine *engine = g_new0(struct engine, 1);
	engine->description = g_strdup(options->description);
	engine->elements = g_strdup(options->elements);
	signal_watch_init(&engine->watch, options->v4l2_device);
	engine->wake = options->wake;
	engine->wake_context = options->wake_context;
	engine->references = 2;
	engine->busy_since_ns = engine_now_ns();
	engine->commands = g_async_queue_new_full(engine_free_command);
	g_mutex_init(&engine->lock);
	g_cond_init(&engine->ended);
	engine->thread = start_thread(engine);
	if (engine->thread != NULL)
		return engine;
	engine->references = 1;
	engine_release(engine);
	return NULL;
}

void engine_set_property(struct engine *engine, const char *element, const char *property,
			 const char *value)
{
	engine_give(engine, &(struct command){ .kind = COMMAND_PROPERTY,
					.element = g_strdup(element),
					.property = g_strdup(property),
					.value = g_strdup(value) });
}

void engine_force_keyframe(struct engine *engine)
{
	engine_give(engine, &(struct command){ .kind = COMMAND_KEYFRAME });
}

void engine_limit_rate(struct engine *engine, uint32_t pictures_per_second)
{
	g_mutex_lock(&engine->lock);
	rate_limit_set(&engine->rate, pictures_per_second);
	g_mutex_unlock(&engine->lock);
}

bool engine_push_picture(struct engine *engine, const uint8_t *rgb, uint32_t width,
			 uint32_t height, uint64_t pts_ns)
{
	g_mutex_lock(&engine->lock);
	bool room = engine->pictures < MAX_PICTURES;
	engine->pictures += room ? 1 : 0;
	g_mutex_unlock(&engine->lock);
	if (!room)
		return false;
	/* GStreamer's rows of RGB begin at multiples of four bytes. */
	size_t row = (size_t)width * 3;
	size_t stride = GST_ROUND_UP_4(row);
	uint8_t *pixels = g_malloc(stride * height);
	for (uint32_t y = 0; y < height; y++) {
		memcpy(pixels + y * stride, rgb + y * row, row);
		memset(pixels + y * stride + row, 0, stride - row);
	}
	engine_give(engine, &(struct command){ .kind = COMMAND_PICTURE,
					.pixels = pixels,
					.bytes = stride * height,
					.width = width,
					.height = height,
					.pts_ns = pts_ns });
	return true;
}

bool engine_take_unit(struct engine *engine, struct unit *unit)
{
	g_mutex_lock(&engine->lock);
	bool taken = unit_queue_take(&engine->units, unit);
	g_mutex_unlock(&engine->lock);
	return taken;
}

bool engine_take_event(struct engine *engine, struct engine_event *event)
{
	g_mutex_lock(&engine->lock);
	bool taken = event_queue_take(&engine->events, event);
	g_mutex_unlock(&engine->lock);
	return taken;
}

void engine_stats(struct engine *engine, struct engine_stats *stats)
{
	g_mutex_lock(&engine->lock);
	int64_t since = engine->busy_since_ns;
	*stats = (struct engine_stats){
		.units = engine->units.counters,
		.times = encode_times_take(&engine->times),
		.leaked = engine->leaked,
		.busy_ns = since > 0 ? engine_now_ns() - since : 0,
	};
	g_mutex_unlock(&engine->lock);
}

void engine_rearm(struct engine *engine)
{
	g_mutex_lock(&engine->lock);
	engine->signalled = false;
	g_mutex_unlock(&engine->lock);
}

void engine_stop(struct engine *engine)
{
	g_mutex_lock(&engine->lock);
	bool told = engine->stopping;
	engine->stopping = true;
	g_mutex_unlock(&engine->lock);
	/* Before what waits: pictures and properties of a pipeline that ends change nothing. */
	if (!told)
		g_async_queue_push_front(engine->commands,
					 g_memdup2(&(struct command){ .kind = COMMAND_STOP },
						   sizeof(struct command)));
}

bool engine_ended(struct engine *engine)
{
	g_mutex_lock(&engine->lock);
	bool ended = engine->thread_ended;
	g_mutex_unlock(&engine->lock);
	return ended;
}

static bool wait_for_end(struct engine *engine, int64_t deadline_ms)
{
	int64_t until = g_get_monotonic_time() + deadline_ms * 1000;
	g_mutex_lock(&engine->lock);
	engine->closed = true;
	while (!engine->thread_ended && g_cond_wait_until(&engine->ended, &engine->lock, until))
		;
	bool ended = engine->thread_ended;
	g_mutex_unlock(&engine->lock);
	return ended;
}

bool engine_close(struct engine *engine, int64_t deadline_ms)
{
	engine_stop(engine);
	bool ended = wait_for_end(engine, deadline_ms);
	if (ended)
		g_thread_join(engine->thread);
	else
		g_thread_unref(engine->thread);
	engine_release(engine);
	return ended;
}
