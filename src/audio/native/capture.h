#ifndef EARSHOT_CAPTURE_H
#define EARSHOT_CAPTURE_H

/* Entry of a stream's thread: captures, converts, encodes and recovers until the stream is stopped. */
void *capture_thread(void *stream);

#endif
