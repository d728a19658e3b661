#ifndef EARSHOT_PLAYER_H
#define EARSHOT_PLAYER_H

/* A playback's thread: keeps the device fed from the ring and recovers until the playback is stopped. */
void player_run(void *playback);

#endif
