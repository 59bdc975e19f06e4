/* Every handle, used by many threads at once; and a relay that is stopped in the midst of it. */
#include "check.h"
#include <pthread.h>

enum { THREADS = 8, TIMES = 10 };

struct shared {
    cpass_options *options, *pass_options;
    cpass_backend *backend;
    cpass_backends *backends;
    cpass_relay *relay;
    cpass_issuer *issuer;
    cpass_console *console;
    cpass_pass *pass;
    cpass_events *events;
    cpass_error *error;
};

static void together(void *(*run)(void *), struct shared *of) {
    pthread_t threads[THREADS];
    for (int number = 0; number < THREADS; number++) {
        check(pthread_create(&threads[number], NULL, run, of) == 0);
    }
    for (int number = 0; number < THREADS; number++) {
        check(pthread_join(threads[number], NULL) == 0);
    }
}

static void *open_and_issue(void *argument) {
    const struct shared *of = (const struct shared *)argument;
    for (int time = 0; time < TIMES; time++) {
        cpass_console *console = NULL;
        cpass_pass *pass = NULL, *signed_pass = NULL;
        bool found = false;
        size_t length = 0;
        fine(cpass_backend_open(of->backend, TEXT("lxc/200"), TEXT("vnc"), 0, &console));
        fine(cpass_relay_issue(of->relay, TEXT("dc1"), TEXT("lxc/200"), of->pass_options, &pass));
        fine(cpass_issuer_issue(of->issuer, TEXT("dc1"), TEXT("lxc/200"), of->pass_options, &signed_pass));
        check(cpass_console_websocket_url(console, NULL) != NULL && cpass_pass_url(signed_pass, NULL) != NULL);
        const char *reference = cpass_pass_reference(pass, &length);
        fine(cpass_relay_revoke(of->relay, reference, length, &found));
        check(found && cpass_relay_session_count(of->relay) == 0);
        cpass_pass_free(signed_pass);
        cpass_pass_free(pass);
        cpass_console_free(console);
    }
    return NULL;
}

static void *read_what_is_lent(void *argument) {
    const struct shared *of = (const struct shared *)argument;
    for (int time = 0; time < 100 * TIMES; time++) {
        size_t length = 0;
        check(strlen(cpass_console_password(of->console, &length)) == length && length == 8);
        check(strlen(cpass_pass_url(of->pass, &length)) == length && length > 40);
        check(strlen(cpass_error_message(of->error, &length)) == length && strlen(cpass_error_hint(of->error, NULL)) > 0);
        check(cpass_relay_address(of->relay, NULL) != NULL);
    }
    return NULL;
}

/* Who changes options that others read gives one of the values or another, and never a part of one. */
static void *change_and_use_options(void *argument) {
    const struct shared *of = (const struct shared *)argument;
    for (int time = 0; time < TIMES; time++) {
        cpass_backend *backend = NULL;
        cpass_pass *pass = NULL;
        cpass_link *link = NULL;
        char name[32];
        static int last;
        snprintf(name, sizeof name, "dc-%d", __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED));
        set(of->options, "host", time % 2 == 0 ? "127.0.0.1:5900" : "a.host.with.a.longer.name.example.com:5901");
        fine(cpass_backend_new(TEXT("vnc"), of->options, &backend));
        fine(cpass_backends_add(of->backends, name, strlen(name), backend));
        set(of->pass_options, "ttl", time % 2 == 0 ? "30" : "299");
        fine(cpass_issuer_issue(of->issuer, TEXT("dc1"), TEXT("lxc/200"), of->pass_options, &pass));
        fine(cpass_pass_novnc_url(of->pass, TEXT("https://portal.example.com/vnc.html"), NULL, &link));
        cpass_link_free(link);
        cpass_pass_free(pass);
        cpass_backend_free(backend);
    }
    return NULL;
}

/* The first of the events must wake it, or the end of the relay. */
static void *listen_to(void *argument) {
    const struct shared *of = (const struct shared *)argument;
    cpass_event *event = NULL;
    refused(cpass_events_next(of->events, 60 * 1000, &event), CPASS_CLOSED, "ended");
    return NULL;
}

/* Goes on until somebody has stopped the relay, which all do. */
static void *issue_until_the_end(void *argument) {
    const struct shared *of = (const struct shared *)argument;
    for (int time = 0;; time++) {
        cpass_pass *pass = NULL;
        cpass_error *error = cpass_relay_issue(of->relay, TEXT("dc1"), TEXT("lxc/200"), NULL, &pass);
        if (error != NULL) {
            refused(error, CPASS_CLOSED, "stopped");
            return NULL;
        }
        cpass_pass_free(pass);
        if (time == TIMES) {
            fine(cpass_relay_stop(of->relay, 0));
        }
    }
}

int main(void) {
    struct shared of = {0};
    pthread_t listeners[THREADS];
    cpass_options *of_issuer = NULL;
    cpass_console *none = NULL;
    of.backend = backend_from_environment();
    of.relay = relay_of(of.backend);
    fine(cpass_options_new(&of.options));
    fine(cpass_options_new(&of.pass_options));
    fine(cpass_backends_new(&of.backends));
    fine(cpass_options_new(&of_issuer));
    set(of_issuer, "public_url", "https://portal.example.com/console");
    set(of_issuer, "pass_key_file", getenv("PASS_KEY_FILE"));
    fine(cpass_issuer_new(of_issuer, &of.issuer));
    fine(cpass_events_new(of.relay, &of.events));
    fine(cpass_relay_start(of.relay));
    fine(cpass_relay_issue(of.relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &of.pass));
    fine(cpass_backend_open(of.backend, TEXT("qemu/101"), TEXT("vnc"), 0, &of.console));
    of.error = cpass_backend_open(of.backend, TEXT("no machine"), TEXT("vnc"), 0, &none);
    check(of.error != NULL);
    for (int number = 0; number < THREADS; number++) {
        check(pthread_create(&listeners[number], NULL, listen_to, &of) == 0);
    }

    together(open_and_issue, &of);
    together(read_what_is_lent, &of);
    together(change_and_use_options, &of);
    together(issue_until_the_end, &of);

    for (int number = 0; number < THREADS; number++) {
        check(pthread_join(listeners[number], NULL) == 0);
    }
    cpass_error_free(of.error);
    cpass_events_free(of.events);
    cpass_pass_free(of.pass);
    cpass_console_free(of.console);
    cpass_relay_free(of.relay);
    cpass_issuer_free(of.issuer);
    cpass_backends_free(of.backends);
    cpass_backend_free(of.backend);
    cpass_options_free(of_issuer);
    cpass_options_free(of.pass_options);
    cpass_options_free(of.options);
    return 0;
}
