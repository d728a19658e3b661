#ifndef EARSHOT_CAPTURE_H
#define EARSHOT_CAPTURE_H

/* A stream's thread: captures, converts, encodes and recovers until the stream is stopped. */
void capture_run(void *stream);

#endif
