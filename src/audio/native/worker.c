#include "worker.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "hotplug.h"
#include "monotonic.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#define REALTIME_PRIORITY 40

void worker_lock(struct worker *worker)
{
	pthread_mutex_lock(&worker->lock);
}

void worker_unlock(struct worker *worker)
{
	pthread_mutex_unlock(&worker->lock);
}

void worker_notify(struct worker *worker)
{
	uint64_t one = 1;
	/* Full means that the thread has yet to read an earlier one. */
	ssize_t written = write(worker->command_fd, &one, sizeof one);
	(void)written;
}

static void init_lock(struct worker *worker)
{
	pthread_mutexattr_t mutex;
	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setprotocol(&mutex, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&worker->lock, &mutex);
	pthread_mutexattr_destroy(&mutex);
	pthread_condattr_t condition;
	pthread_condattr_init(&condition);
	pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->ended, &condition);
	pthread_condattr_destroy(&condition);
}

int worker_init(struct worker *worker, const struct worker_options *options)
{
	worker->run = options->run;
	worker->release = options->release;
	worker->owner = options->owner;
	worker->wake = options->wake;
	worker->wake_context = options->wake_context;
	worker->references = 2;
	worker->generation = 1;
	worker->hotplug_fd = -1;
	snprintf(worker->hotplug_directory, sizeof worker->hotplug_directory, "%s",
		 options->hotplug_directory);
	worker->command_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->command_fd < 0)
		return -errno;
	init_lock(worker);
	return 0;
}

void worker_destroy(struct worker *worker)
{
	close(worker->command_fd);
	pthread_cond_destroy(&worker->ended);
	pthread_mutex_destroy(&worker->lock);
}

static void unreference(struct worker *worker)
{
	worker_lock(worker);
	int left = --worker->references;
	worker_unlock(worker);
	if (left == 0)
		worker->release(worker->owner);
}

/* Filters that fade into silence would otherwise end in denormal numbers, a hundred times slower. */
static void flush_denormals(void)
{
#if defined(__SSE__)
	/* Flush to zero, denormals are zero. */
	_mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__)
	uint64_t control;
	__asm__ volatile("mrs %0, fpcr" : "=r"(control));
	__asm__ volatile("msr fpcr, %0" : : "r"(control | (UINT64_C(1) << 24)));
#elif defined(__arm__) && defined(__ARM_FP)
	uint32_t control;
	__asm__ volatile("vmrs %0, fpscr" : "=r"(control));
	__asm__ volatile("vmsr fpscr, %0" : : "r"(control | (UINT32_C(1) << 24)));
#endif
}

static void request_realtime(struct worker *worker)
{
	struct sched_param parameter = { .sched_priority = REALTIME_PRIORITY };
	/* The threads that ALSA's plugins start do not inherit it. */
	bool granted = sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameter) == 0;
	struct event event = { .kind = EVENT_REALTIME_REFUSED };
	if (!granted) {
		snprintf(event.error, sizeof event.error, "SCHED_FIFO: %s", strerror(errno));
		worker_post_event(worker, &event);
	}
	worker_lock(worker);
	worker->realtime = granted;
	worker_unlock(worker);
}

static void *thread_main(void *context)
{
	struct worker *worker = context;
	worker->hotplug_fd = hotplug_open(worker->hotplug_directory);
	flush_denormals();
	request_realtime(worker);
	worker->run(worker->owner);
	if (worker->hotplug_fd >= 0)
		close(worker->hotplug_fd);
	worker_lock(worker);
	worker->thread_ended = true;
	pthread_cond_signal(&worker->ended);
	worker_unlock(worker);
	unreference(worker);
	return NULL;
}

/* Signals are for Node's own thread. */
int worker_start(struct worker *worker)
{
	sigset_t all;
	sigset_t before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&worker->thread, NULL, thread_main, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

uint64_t worker_next_generation(struct worker *worker)
{
	return ++worker->generation;
}

bool worker_take_event(struct worker *worker, struct event *event)
{
	worker_lock(worker);
	bool taken = worker->event_count > 0;
	if (taken) {
		*event = worker->events[worker->event_head];
		worker->event_head = (worker->event_head + 1) % EVENT_SLOTS;
		worker->event_count--;
	}
	worker_unlock(worker);
	return taken;
}

uint64_t worker_applied_generation(struct worker *worker)
{
	worker_lock(worker);
	uint64_t applied = worker->applied_generation;
	worker_unlock(worker);
	return applied;
}

struct worker_state worker_state(const struct worker *worker)
{
	int64_t since = worker->busy_since_ns;
	return (struct worker_state){
		.realtime = worker->realtime,
		.busy_ns = since > 0 ? monotonic_ns() - since : 0,
	};
}

void worker_rearm(struct worker *worker)
{
	worker_lock(worker);
	worker->signalled = false;
	worker_unlock(worker);
}

static bool wait_for_end(struct worker *worker, int64_t deadline_ms)
{
	int64_t until = monotonic_ns() + deadline_ms * NS_PER_MS;
	struct timespec time = { .tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S };
	worker_lock(worker);
	worker->stopping = true;
	worker->closed = true;
	worker_notify(worker);
	while (!worker->thread_ended) {
		if (pthread_cond_timedwait(&worker->ended, &worker->lock, &time) == ETIMEDOUT)
			break;
	}
	bool ended = worker->thread_ended;
	worker_unlock(worker);
	return ended;
}

bool worker_close(struct worker *worker, int64_t deadline_ms)
{
	bool ended = wait_for_end(worker, deadline_ms);
	if (ended)
		pthread_join(worker->thread, NULL);
	else
		pthread_detach(worker->thread);
	unreference(worker);
	return ended;
}

void worker_post_event(struct worker *worker, const struct event *event)
{
	worker_lock(worker);
	if (worker->event_count == EVENT_SLOTS) {
		worker->event_head = (worker->event_head + 1) % EVENT_SLOTS;
		worker->event_count--;
	}
	worker->events[(worker->event_head + worker->event_count++) % EVENT_SLOTS] = *event;
	worker_signal(worker);
	worker_unlock(worker);
}

void worker_signal(struct worker *worker)
{
	if (worker->signalled || worker->closed)
		return;
	worker->signalled = true;
	worker->wake(worker->wake_context);
}

bool worker_begin(struct worker *worker, const struct pollfd *descriptors, bool *cards)
{
	if (descriptors[0].revents != 0) {
		uint64_t commands;
		ssize_t got = read(worker->command_fd, &commands, sizeof commands);
		(void)got;
	}
	*cards = descriptors[1].revents != 0 && hotplug_drain(worker->hotplug_fd);
	worker_lock(worker);
	bool stopping = worker->stopping;
	worker->busy_since_ns = monotonic_ns();
	worker_unlock(worker);
	return !stopping;
}

bool worker_sleep(struct worker *worker, struct pollfd *descriptors, int count, int64_t until_ns)
{
	descriptors[0] = (struct pollfd){ .fd = worker->command_fd, .events = POLLIN };
	/* A negative descriptor is passed over. */
	descriptors[1] = (struct pollfd){ .fd = worker->hotplug_fd, .events = POLLIN };
	worker_lock(worker);
	worker->busy_since_ns = 0;
	worker_unlock(worker);
	int64_t now = monotonic_ns();
	int64_t left = until_ns > now ? until_ns - now : 0;
	struct timespec timeout = { .tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S };
	return ppoll(descriptors, (nfds_t)count + WORKER_DESCRIPTORS, &timeout, NULL) >= 0;
}
