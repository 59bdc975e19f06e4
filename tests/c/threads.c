/* One backend and one relay, used by many threads at once. */
#include "check.h"
#include <pthread.h>

enum { THREADS = 8, TIMES = 10 };

struct shared {
    cpass_backend *backend;
    cpass_relay *relay;
};

static void *work(void *argument) {
    const struct shared *of = (const struct shared *)argument;
    for (int time = 0; time < TIMES; time++) {
        cpass_console *console = NULL;
        cpass_pass *pass = NULL;
        fine(cpass_backend_open(of->backend, TEXT("lxc/200"), TEXT("vnc"), 0, &console));
        fine(cpass_relay_issue(of->relay, TEXT("dc1"), TEXT("lxc/200"), NULL, &pass));
        check(cpass_console_websocket_url(console, NULL) != NULL && cpass_pass_url(pass, NULL) != NULL);
        cpass_pass_free(pass);
        cpass_console_free(console);
    }
    return NULL;
}

/* The first of the events must wake it, or the end of the relay. */
static void *listen_to(void *argument) {
    cpass_event *event = NULL;
    refused(cpass_events_next((cpass_events *)argument, 60 * 1000, &event), CPASS_CLOSED, "ended");
    return NULL;
}

int main(void) {
    struct shared of = {backend_from_environment(), NULL};
    of.relay = relay_of(of.backend);
    cpass_events *events = NULL;
    pthread_t threads[THREADS], listener;
    fine(cpass_events_new(of.relay, &events));
    fine(cpass_relay_start(of.relay));
    check(pthread_create(&listener, NULL, listen_to, events) == 0);
    for (int number = 0; number < THREADS; number++) {
        check(pthread_create(&threads[number], NULL, work, &of) == 0);
    }
    for (int number = 0; number < THREADS; number++) {
        check(pthread_join(threads[number], NULL) == 0);
    }
    fine(cpass_relay_stop(of.relay, 0));
    check(pthread_join(listener, NULL) == 0);
    cpass_events_free(events);
    cpass_relay_free(of.relay);
    cpass_backend_free(of.backend);
    return 0;
}
