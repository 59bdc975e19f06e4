/* A process ends while its relay serves, in one of the ways in which processes end. */
#include "check.h"
#include <pthread.h>
#include <unistd.h>

static void *wait_for_events(void *events) {
    cpass_event *event = NULL;
    for (;;) {
        fine(cpass_events_next((cpass_events *)events, UINT32_MAX, &event));
        cpass_event_free(event);
    }
    return NULL;
}

static void *open_consoles(void *backend) {
    for (;;) {
        cpass_console *console = NULL;
        cpass_error_free(cpass_backend_open((cpass_backend *)backend, TEXT("lxc/200"), TEXT("vnc"), 0, &console));
        cpass_console_free(console);
    }
    return NULL;
}

static void *end(void *unused) {
    (void)unused;
    exit(0);
}

int main(int count, char **arguments) {
    check(count == 2);
    pthread_t waiting, opening, ending;
    cpass_backend *backend = backend_from_environment();
    cpass_relay *relay = relay_of(backend);
    cpass_events *events = NULL;
    cpass_console *console = NULL;
    fine(cpass_events_new(relay, &events));
    fine(cpass_relay_start(relay));
    fine(cpass_backend_open(backend, TEXT("qemu/101"), TEXT("vnc"), 0, &console));
    check(pthread_create(&waiting, NULL, wait_for_events, events) == 0);
    check(pthread_create(&opening, NULL, open_consoles, backend) == 0);
    if (strcmp(arguments[1], "exit in a thread") == 0) {
        check(pthread_create(&ending, NULL, end, NULL) == 0);
        pthread_join(ending, NULL);
    } else if (strcmp(arguments[1], "leave main") == 0) {
        /* The other threads go on, and one of them ends the process. */
        check(pthread_create(&ending, NULL, end, NULL) == 0);
        pthread_exit(NULL);
    } else if (strcmp(arguments[1], "_exit") == 0) {
        _exit(0);
    } else if (strcmp(arguments[1], "with a console") == 0) {
        cpass_pass *pass = NULL;
        fine(cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &pass));
        printf("listening on %s\nwebsocket %s\n", cpass_relay_address(relay, NULL), cpass_pass_url(pass, NULL));
        fflush(stdout);
        /* A browser has its screen by then. */
        check(getchar() == '\n');
        check(cpass_relay_session_count(relay) == 1);
    }
    return 0;
}
