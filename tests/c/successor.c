/* A relay that was stopped leaves its port and its key to the next one, even while a child that was forked off has both open. */
#include "check.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    cpass_backend *backend = backend_from_environment();
    cpass_relay *first = relay_at(backend, "127.0.0.1:0", getenv("PASS_KEY_FILE"));
    fine(cpass_relay_start(first));
    char address[64];
    snprintf(address, sizeof address, "%s", cpass_relay_address(first, NULL));

    pid_t child = fork();
    check(child >= 0);
    if (child == 0) {
        /* Not for ever, if the test ends early. */
        alarm(60);
        pause();
        _exit(0);
    }
    cpass_relay *second = relay_at(backend, address, getenv("PASS_KEY_FILE"));
    refused(cpass_relay_start(second), CPASS_LISTEN_FAILED, address);
    fine(cpass_relay_stop(first, 0));
    fine(cpass_relay_start(second));
    check(strcmp(cpass_relay_address(second, NULL), address) == 0);

    fine(cpass_relay_stop(second, 0));
    check(kill(child, SIGTERM) == 0 && waitpid(child, NULL, 0) == child);
    cpass_relay_free(first);
    cpass_relay_free(second);
    cpass_backend_free(backend);
    return 0;
}
