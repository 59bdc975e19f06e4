/* A relay is stopped under a live console, by two threads: both wait for its end, and whoever fetches events hears of it. */
#include "check.h"
#include <pthread.h>

static void *fetch_until_the_end(void *argument) {
    cpass_events *events = (cpass_events *)argument;
    cpass_event_what last = CPASS_EVENT_OTHER;
    for (;;) {
        cpass_event *event = NULL;
        cpass_error *error = cpass_events_next(events, 60 * 1000, &event);
        if (error != NULL) {
            refused(error, CPASS_CLOSED, "ended");
            break;
        }
        check(event != NULL && last != CPASS_EVENT_ENDED);
        last = cpass_event_what_happened(event);
        check(last != CPASS_EVENT_ENDED || cpass_event_code(event) == CPASS_SHUTTING_DOWN);
        cpass_event_free(event);
    }
    check(last == CPASS_EVENT_ENDED);
    return NULL;
}

struct stop {
    cpass_relay *relay;
    uint32_t timeout_ms;
};

static void *stop(void *argument) {
    const struct stop *of = (const struct stop *)argument;
    fine(cpass_relay_stop(of->relay, of->timeout_ms));
    check(cpass_relay_session_count(of->relay) == 0);
    return NULL;
}

/* Returns when another thread is about to stop it. */
static void issue_until_it_is_refused(cpass_relay *relay) {
    cpass_error *error = NULL;
    while (error == NULL) {
        cpass_pass *pass = NULL;
        error = cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &pass);
        cpass_pass_free(pass);
    }
    refused(error, CPASS_CLOSED, "stopped");
}

int main(int count, char **arguments) {
    check(count == 2);
    pthread_t fetching, stopping;
    cpass_backend *backend = backend_from_environment();
    struct stop of = {relay_of(backend), (uint32_t)strtoul(arguments[1], NULL, 10)};
    cpass_events *events = NULL;
    cpass_pass *pass = NULL;
    fine(cpass_events_new(of.relay, &events));
    fine(cpass_relay_start(of.relay));
    fine(cpass_relay_issue(of.relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &pass));
    printf("listening on %s\nwebsocket %s\n", cpass_relay_address(of.relay, NULL), cpass_pass_url(pass, NULL));
    fflush(stdout);
    check(getchar() == '\n' && cpass_relay_session_count(of.relay) == 1);

    check(pthread_create(&fetching, NULL, fetch_until_the_end, events) == 0);
    check(pthread_create(&stopping, NULL, stop, &of) == 0);
    issue_until_it_is_refused(of.relay);
    fine(cpass_relay_stop(of.relay, 0));
    check(cpass_relay_session_count(of.relay) == 0);

    check(pthread_join(stopping, NULL) == 0 && pthread_join(fetching, NULL) == 0);
    cpass_pass_free(pass);
    cpass_events_free(events);
    cpass_relay_free(of.relay);
    cpass_backend_free(backend);
    return 0;
}
