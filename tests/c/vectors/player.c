#include "player.h"
#include "../check.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Reads where it is from the one line that tells it; its log comes over the same pipe. */
static bool read_place(FILE *said, struct place *place) {
    char line[4096];
    while (fgets(line, sizeof line, said) != NULL) {
        cJSON *told = cJSON_Parse(line);
        const char *address = cJSON_GetStringValue(cJSON_GetObjectItem(told, "address"));
        const char *fingerprint = cJSON_GetStringValue(cJSON_GetObjectItem(told, "fingerprint"));
        if (address != NULL) {
            snprintf(place->address, sizeof place->address, "%s", address);
            snprintf(place->port, sizeof place->port, "%s", strrchr(address, ':') + 1);
            snprintf(place->fingerprint, sizeof place->fingerprint, "%s", fingerprint != NULL ? fingerprint : "");
        }
        cJSON_Delete(told);
        if (address != NULL) {
            return true;
        }
        fputs(line, stderr);
    }
    return false;
}

bool start_player(const char *file, const char *vector, struct player *player, struct place *place) {
    const char *program = getenv("CONSOLEPASS_PROGRAM");
    int ends[2];
    check(program != NULL && pipe(ends) == 0);
    player->process = fork();
    check(player->process >= 0);
    if (player->process == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(program, program, "emulate", "script", file, "--name", vector, "--json", "--stay", (char *)NULL);
        perror(program);
        _exit(127);
    }
    close(ends[1]);
    player->said = fdopen(ends[0], "r");
    check(player->said != NULL);
    return read_place(player->said, place);
}

char *finish_player(struct player *player) {
    char *rest = NULL, line[4096];
    int status = 0;
    kill(player->process, SIGTERM);
    while (fgets(line, sizeof line, player->said) != NULL) {
        append(&rest, line);
    }
    fclose(player->said);
    check(waitpid(player->process, &status, 0) == player->process);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        free(rest);
        return NULL;
    }
    append(&rest, "");
    return rest;
}
