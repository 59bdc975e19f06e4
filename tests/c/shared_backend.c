/* One backend, used directly and by a relay, each within the time in which connections to the hypervisor are kept. */
#include "check.h"
#include <pthread.h>

static void open_directly(const cpass_backend *backend) {
    cpass_console *console = NULL;
    fine(cpass_backend_open(backend, TEXT("lxc/200"), TEXT("vnc"), 0, &console));
    cpass_console_free(console);
}

static void *open_in_a_thread(void *backend) {
    open_directly((const cpass_backend *)backend);
    return NULL;
}

/* Leaves more connections behind than one call takes up. */
static void open_at_once(cpass_backend *backend) {
    pthread_t threads[8];
    for (int number = 0; number < 8; number++) {
        check(pthread_create(&threads[number], NULL, open_in_a_thread, backend) == 0);
    }
    for (int number = 0; number < 8; number++) {
        check(pthread_join(threads[number], NULL) == 0);
    }
    open_directly(backend);
}

static void next_is(cpass_events *events, cpass_event_what what) {
    cpass_event *event = NULL;
    fine(cpass_events_next(events, 60 * 1000, &event));
    check(cpass_event_what_happened(event) == what);
    check(strcmp(cpass_event_backend(event, NULL), "dc1") == 0 && strcmp(cpass_event_user(event, NULL), "42") == 0);
    check(cpass_event_at(event) > INT64_C(1700000000000));
    if (what == CPASS_EVENT_ENDED) {
        check(cpass_event_code(event) == CPASS_CLOSED && cpass_event_message(event, NULL) != NULL);
    } else {
        check(cpass_event_code(event) == CPASS_OK && cpass_event_message(event, NULL) == NULL);
    }
    cpass_event_free(event);
}

int main(void) {
    cpass_backend *backend = backend_from_environment();
    cpass_relay *relay = relay_of(backend);
    cpass_events *events = NULL;
    cpass_options *options = NULL;
    cpass_pass *pass = NULL;
    fine(cpass_options_new(&options));
    set(options, "user", "42");
    fine(cpass_events_new(relay, &events));
    fine(cpass_relay_start(relay));
    fine(cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), options, &pass));
    open_at_once(backend);
    printf("listening on %s\nwebsocket %s\n", cpass_relay_address(relay, NULL), cpass_pass_url(pass, NULL));
    fflush(stdout);

    next_is(events, CPASS_EVENT_TAKEN);
    next_is(events, CPASS_EVENT_CONNECTED);
    open_directly(backend);
    next_is(events, CPASS_EVENT_ENDED);

    cpass_pass_free(pass);
    cpass_options_free(options);
    cpass_relay_free(relay);
    cpass_events_free(events);
    cpass_backend_free(backend);
    return 0;
}
