/* Numbers that are none or too large, text that is endless, and calls that come too late: each is an error of its own kind. */
#include "check.h"
#include <unistd.h>

enum { LONG = 4 * 1024 * 1024 };

/* A backend of a server that is nowhere, but for one option. */
static cpass_error *backend_with(const char *name, const char *value, size_t value_length) {
    cpass_options *options = NULL;
    cpass_backend *backend = NULL;
    fine(cpass_options_new(&options));
    set(options, "host", "127.0.0.1:1");
    set(options, "token_id", "portal@pve!console");
    set(options, "token_secret", "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a");
    fine(cpass_options_set(options, name, strlen(name), value, value_length));
    cpass_error *error = cpass_backend_new(TEXT("proxmox"), options, &backend);
    check((error == NULL) == (backend != NULL));
    cpass_backend_free(backend);
    cpass_options_free(options);
    return error;
}

static void numbers_are_looked_at(void) {
    const char *const none[] = {"",       "-1",    "0",  "121",        "4294967297", "99999999999999999999999999", "1.5",
                                "0x10",   "1e1",   " 9", "9 ",         "+9",         "9\n",                        "\xd9\xa9",
                                "NaN",    "ten",   "9s", "-0",         "1,5",        "18446744073709551617",       "true"};
    for (size_t index = 0; index < sizeof none / sizeof *none; index++) {
        cpass_error *error = backend_with("timeout", none[index], strlen(none[index]));
        if (error == NULL) {
            fprintf(stderr, "a timeout of \"%s\" was taken\n", none[index]);
        }
        refused(error, CPASS_INVALID_ARGUMENT, "timeout");
    }
    fine(backend_with("timeout", TEXT("120")));
    refused(backend_with("insecure", TEXT("maybe")), CPASS_INVALID_ARGUMENT, "insecure");
    refused(backend_with("insecure", TEXT("TRUE")), CPASS_INVALID_ARGUMENT, "insecure");
}

#define is_invalid(call) refused((call), CPASS_INVALID_ARGUMENT, "")

static void text_may_be_endless(void) {
    char *text = malloc(LONG);
    cpass_backend *backend = backend_from_environment(), *none = NULL;
    cpass_options *options = NULL;
    cpass_backends *backends = NULL;
    cpass_console *console = NULL;
    cpass_relay *relay = NULL;
    cpass_log *log = NULL;
    check(text != NULL);
    memset(text, 'x', LONG);
    is_invalid(backend_with("host\x7f", text, LONG));
    is_invalid(backend_with("fingerprint", text, LONG));
    is_invalid(backend_with("timeout", text, LONG));
    fine(cpass_options_new(&options));
    fine(cpass_options_set(options, text, LONG, text, LONG));
    is_invalid(cpass_backend_new(TEXT("proxmox"), options, &none));
    is_invalid(cpass_backend_new(text, LONG, options, &none));
    is_invalid(cpass_backend_open(backend, text, LONG, TEXT("vnc"), 0, &console));
    is_invalid(cpass_backend_open(backend, TEXT("qemu/101"), text, LONG, 0, &console));
    is_invalid(cpass_backend_open(backend, TEXT("qemu/18446744073709551617"), TEXT("vnc"), 0, &console));
    is_invalid(cpass_backend_open(backend, TEXT("qemu/-101"), TEXT("vnc"), 0, &console));
    is_invalid(cpass_backend_open(backend, TEXT(""), TEXT("vnc"), 0, &console));
    is_invalid(cpass_log_new(text, LONG, &log));
    fine(cpass_backends_new(&backends));
    /* Of a name only the relay knows what it may be. */
    fine(cpass_backends_add(backends, text, LONG, backend));
    cpass_options *of_relay = NULL;
    fine(cpass_options_new(&of_relay));
    set(of_relay, "public_url", "https://portal.example.com");
    refused(cpass_relay_new(backends, of_relay, &relay), CPASS_INVALID_ARGUMENT, "backend: ");
    cpass_options_free(of_relay);
    check(relay == NULL && none == NULL && console == NULL && log == NULL);
    cpass_backends_free(backends);
    cpass_options_free(options);
    cpass_backend_free(backend);
    free(text);
}

/* The longest that can be waited is no overflow. */
static void the_longest_wait_is_one(void) {
    cpass_backend *backend = backend_from_environment();
    cpass_console *console = NULL;
    cpass_log *log = NULL;
    cpass_log_line *line = NULL;
    cpass_relay *relay = relay_of(backend);
    cpass_pass *pass = NULL;
    fine(cpass_backend_open(backend, TEXT("qemu/101"), TEXT("vnc"), UINT32_MAX, &console));
    refused(cpass_backend_open(backend, TEXT("qemu/101"), TEXT("vnc"), 1, &console), CPASS_TIMEOUT, "1 ms");
    fine(cpass_log_new(TEXT("info"), &log));
    fine(cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &pass));
    fine(cpass_log_next(log, UINT32_MAX, &line));
    check(line != NULL);
    fine(cpass_relay_start(relay));
    fine(cpass_relay_stop(relay, UINT32_MAX));
    cpass_relay_free(relay);
    cpass_pass_free(pass);
    cpass_log_line_free(line);
    cpass_log_free(log);
    cpass_console_free(console);
    cpass_backend_free(backend);
}

/* CPASS_CLOSED is worth another try elsewhere. */
static void refused_for_good(cpass_error *error, const char *hint) {
    check(error != NULL && cpass_error_code(error) == CPASS_CLOSED && !cpass_error_is_retryable(error));
    check(strstr(cpass_error_hint(error, NULL), hint) != NULL);
    cpass_error_free(error);
}

static void a_relay_that_was_stopped_says_so(void) {
    cpass_backend *backend = backend_from_environment();
    cpass_relay *relay = relay_of(backend), *never_started = relay_of(backend);
    cpass_events *events = NULL, *late = NULL;
    cpass_event *event = NULL;
    cpass_pass *pass = NULL, *none = NULL;
    cpass_answer *answer = NULL;
    bool found = true;
    fine(cpass_relay_start(relay));
    fine(cpass_events_new(relay, &events));
    fine(cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &pass));
    fine(cpass_relay_stop(relay, 0));
    fine(cpass_relay_stop(relay, 1));
    refused(cpass_relay_start(relay), CPASS_CLOSED, "stopped");
    refused_for_good(cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &none), "make a new relay");
    refused(cpass_relay_serve(relay, STDIN_FILENO, NULL, 0), CPASS_INVALID_ARGUMENT, "fd");
    refused_for_good(cpass_events_next(events, UINT32_MAX, &event), "nothing more");
    fine(cpass_events_new(relay, &late));
    refused(cpass_events_next(late, UINT32_MAX, &event), CPASS_CLOSED, "ended");
    check(cpass_relay_session_count(relay) == 0 && cpass_relay_address(relay, NULL) == NULL);
    check(none == NULL && event == NULL);
    /* Both are harmless, and done. */
    fine(cpass_relay_revoke(relay, cpass_pass_reference(pass, NULL), 10, &found));
    fine(cpass_relay_answer(relay, TEXT("GET"), TEXT("/console/ws"), &answer));
    check(cpass_answer_status(answer) == 426);

    fine(cpass_relay_stop(never_started, 0));
    refused(cpass_relay_start(never_started), CPASS_CLOSED, "stopped");
    cpass_answer_free(answer);
    cpass_events_free(late);
    cpass_events_free(events);
    cpass_pass_free(pass);
    cpass_relay_free(never_started);
    cpass_relay_free(relay);
    cpass_backend_free(backend);
}

int main(void) {
    numbers_are_looked_at();
    text_may_be_endless();
    the_longest_wait_is_one();
    a_relay_that_was_stopped_says_so();
    return 0;
}
