/* The server of a vector: a process of its own. */
#ifndef PLAYER_H
#define PLAYER_H

#include "place.h"
#include <stdio.h>
#include <sys/types.h>

struct player {
    pid_t process;
    FILE *said;
};

/* Starts "consolepass emulate script" with a vector of a file, and tells where it is. False if it did not start. */
bool start_player(const char *file, const char *vector, struct player *player, struct place *place);

/* Ends it. NULL if every exchange happened, else what was different, for the caller to free. */
char *finish_player(struct player *player);

#endif
