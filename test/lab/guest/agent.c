/*
 * Init of a guest from here on: runs programs for the machine that started it, over a virtio serial port.
 *
 * Both ways go frames: length of the payload, id of the program, kind (u32 each, little endian), payload.
 * From the machine: START (id is new; the payload is the working directory and the arguments, each ended by
 * a zero byte), INPUT (nothing: end of input), SIGNAL (u32). From here: READY (once), OUTPUT and ERRORS
 * (nothing: end of it), EXIT (u32 code, u32 signal).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum kind { READY = 1, START, INPUT, SIGNAL, OUTPUT, ERRORS, EXIT };

#define MAX_PROGRAMS 64
#define MAX_ARGUMENTS 256
#define MAX_PAYLOAD (256 * 1024)
#define MAX_PENDING_INPUT (1024 * 1024)

struct header {
	uint32_t length;
	uint32_t id;
	uint32_t kind;
};

struct program {
	uint32_t id;
	pid_t pid; /* 0: free */
	bool exited;
	int status;
	/* -1: at its end. */
	int output;
	int errors;
	int input;
	bool input_ends;
	/* Input that the program did not take yet. */
	char *pending;
	size_t pending_bytes;
};

static struct program programs[MAX_PROGRAMS];
static int port;

/* Without its port a guest is of no use to anybody. */
static void end(const char *why)
{
	fprintf(stderr, "agent: %s: %s\n", why, strerror(errno));
	reboot(RB_POWER_OFF);
	exit(1);
}

static void write_all(const void *data, size_t bytes)
{
	const char *at = data;
	while (bytes > 0) {
		ssize_t written = write(port, at, bytes);
		if (written < 0 && errno != EINTR)
			end("writing to the port");
		if (written > 0) {
			at += written;
			bytes -= (size_t)written;
		}
	}
}

static void read_all(void *data, size_t bytes)
{
	char *at = data;
	while (bytes > 0) {
		ssize_t got = read(port, at, bytes);
		if (got == 0 || (got < 0 && errno != EINTR))
			end("reading from the port");
		if (got > 0) {
			at += got;
			bytes -= (size_t)got;
		}
	}
}

static void send_frame(uint32_t id, enum kind kind, const void *payload, size_t bytes)
{
	struct header header = { (uint32_t)bytes, id, kind };
	write_all(&header, sizeof header);
	write_all(payload, bytes);
}

static struct program *find(uint32_t id)
{
	for (int i = 0; i < MAX_PROGRAMS; i++)
		if (programs[i].pid != 0 && programs[i].id == id)
			return &programs[i];
	return NULL;
}

static void close_input(struct program *program)
{
	if (program->input >= 0)
		close(program->input);
	program->input = -1;
	free(program->pending);
	program->pending = NULL;
	program->pending_bytes = 0;
}

static void refuse(uint32_t id, const char *why)
{
	send_frame(id, ERRORS, why, strlen(why));
	send_frame(id, OUTPUT, NULL, 0);
	send_frame(id, ERRORS, NULL, 0);
	send_frame(id, EXIT, (uint32_t[]){ 127, 0 }, 8);
}

static void become(char **words, int input, int output, int errors)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	dup2(input, 0);
	dup2(output, 1);
	dup2(errors, 2);
	if (chdir(words[0]) < 0)
		fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
	else {
		execvp(words[1], words + 1);
		fprintf(stderr, "%s: %s\n", words[1], strerror(errno));
	}
	_exit(127);
}

static void start(uint32_t id, char *payload, size_t bytes)
{
	char *words[MAX_ARGUMENTS + 2] = { NULL };
	int count = 0;
	for (size_t at = 0; at < bytes && count <= MAX_ARGUMENTS; at += strlen(payload + at) + 1)
		words[count++] = payload + at;
	struct program *program = NULL;
	for (int i = 0; i < MAX_PROGRAMS && program == NULL; i++)
		if (programs[i].pid == 0)
			program = &programs[i];
	if (program == NULL || count < 2 || count > MAX_ARGUMENTS) {
		refuse(id, "agent: too many programs or arguments\n");
		return;
	}
	int input[2], output[2], errors[2];
	if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
		end("making pipes");
	pid_t pid = fork();
	if (pid < 0)
		end("starting a program");
	if (pid == 0)
		become(words, input[0], output[1], errors[1]);
	/* A group of its own: a signal reaches all that it started. Whichever of the two is first. */
	setpgid(pid, pid);
	close(input[0]);
	close(output[1]);
	close(errors[1]);
	fcntl(input[1], F_SETFL, O_NONBLOCK);
	*program = (struct program){
		.id = id, .pid = pid, .output = output[0], .errors = errors[0], .input = input[1]
	};
}

/* Gives a program what input waits, as far as it takes it. */
static void feed(struct program *program)
{
	while (program->pending_bytes > 0) {
		ssize_t written = write(program->input, program->pending, program->pending_bytes);
		if (written < 0 && errno == EAGAIN)
			return;
		if (written < 0) {
			close_input(program);
			return;
		}
		program->pending_bytes -= (size_t)written;
		memmove(program->pending, program->pending + written, program->pending_bytes);
	}
	if (program->input_ends)
		close_input(program);
}

static void take_input(struct program *program, const char *data, size_t bytes)
{
	if (program->input < 0)
		return;
	if (program->pending_bytes + bytes > MAX_PENDING_INPUT) {
		const char *why = "agent: it does not read its input\n";
		send_frame(program->id, ERRORS, why, strlen(why));
		kill(-program->pid, SIGKILL);
		return;
	}
	program->input_ends = program->input_ends || bytes == 0;
	program->pending = realloc(program->pending, program->pending_bytes + bytes + 1);
	if (program->pending == NULL)
		end("keeping input");
	memcpy(program->pending + program->pending_bytes, data, bytes);
	program->pending_bytes += bytes;
	feed(program);
}

static void take_frame(void)
{
	static char payload[MAX_PAYLOAD + 1];
	struct header header;
	read_all(&header, sizeof header);
	if (header.length > MAX_PAYLOAD) {
		errno = EMSGSIZE;
		end("reading a frame");
	}
	read_all(payload, header.length);
	payload[header.length] = '\0';
	if (header.kind == START) {
		start(header.id, payload, header.length);
		return;
	}
	/* One that ended while this was on its way. */
	struct program *program = find(header.id);
	if (program == NULL)
		return;
	if (header.kind == INPUT) {
		take_input(program, payload, header.length);
	} else if (header.kind == SIGNAL && header.length == 4) {
		uint32_t number;
		memcpy(&number, payload, 4);
		kill(-program->pid, (int)number);
	}
}

/* Passes on what a program wrote; false at the end of it. */
static bool pass_on(struct program *program, int from, enum kind kind)
{
	static char data[64 * 1024];
	ssize_t got = read(from, data, sizeof data);
	if (got < 0 && errno == EINTR)
		return true;
	send_frame(program->id, kind, data, got > 0 ? (size_t)got : 0);
	return got > 0;
}

static void reap(int signals)
{
	struct signalfd_siginfo info;
	if (read(signals, &info, sizeof info) < 0 && errno != EAGAIN)
		end("reading signals");
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		/* Any other is an orphan that came to init. */
		for (int i = 0; i < MAX_PROGRAMS; i++) {
			if (programs[i].pid != pid || programs[i].exited)
				continue;
			programs[i].exited = true;
			close_input(&programs[i]);
			uint32_t code = WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : 0;
			uint32_t number = WIFSIGNALED(status) ? (uint32_t)WTERMSIG(status) : 0;
			send_frame(programs[i].id, EXIT, (uint32_t[]){ code, number }, 8);
		}
	}
}

static void serve(int signals)
{
	struct pollfd polled[2 + 3 * MAX_PROGRAMS];
	polled[0] = (struct pollfd){ .fd = port, .events = POLLIN };
	polled[1] = (struct pollfd){ .fd = signals, .events = POLLIN };
	for (int i = 0; i < MAX_PROGRAMS; i++) {
		struct program *program = &programs[i];
		bool taken = program->pid != 0;
		bool waits = taken && program->pending_bytes > 0;
		polled[2 + 3 * i] = (struct pollfd){ taken ? program->output : -1, POLLIN, 0 };
		polled[3 + 3 * i] = (struct pollfd){ taken ? program->errors : -1, POLLIN, 0 };
		polled[4 + 3 * i] = (struct pollfd){ waits ? program->input : -1, POLLOUT, 0 };
	}
	if (poll(polled, 2 + 3 * MAX_PROGRAMS, -1) < 0 && errno != EINTR)
		end("waiting");
	for (int i = 0; i < MAX_PROGRAMS; i++) {
		struct program *program = &programs[i];
		if (polled[2 + 3 * i].revents != 0 && !pass_on(program, program->output, OUTPUT)) {
			close(program->output);
			program->output = -1;
		}
		if (polled[3 + 3 * i].revents != 0 && !pass_on(program, program->errors, ERRORS)) {
			close(program->errors);
			program->errors = -1;
		}
		if (polled[4 + 3 * i].revents != 0)
			feed(program);
		if (program->exited && program->output < 0 && program->errors < 0)
			*program = (struct program){ 0 };
	}
	if (polled[1].revents != 0)
		reap(signals);
	if (polled[0].revents != 0)
		take_frame();
}

int main(int count, char **arguments)
{
	port = open(count == 2 ? arguments[1] : "", O_RDWR | O_CLOEXEC);
	if (port < 0)
		end("opening the port");
	sigset_t ended;
	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	sigprocmask(SIG_SETMASK, &ended, NULL);
	int signals = signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK);
	signal(SIGPIPE, SIG_IGN);
	send_frame(0, READY, NULL, 0);
	for (;;)
		serve(signals);
}
