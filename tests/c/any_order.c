/* Handles are freed in any order: what one was made of or made by may be gone. */
#include "check.h"

enum { HANDLES = 12, ORDERS = 24 };

/* One of each, made of each other. */
struct handles {
    cpass_options *options;
    cpass_backend *backend;
    cpass_console *console;
    cpass_link *link;
    cpass_rfb_parameters *parameters;
    cpass_backends *backends;
    cpass_relay *relay;
    cpass_pass *pass;
    cpass_events *events;
    cpass_log *log;
    cpass_log_line *line;
    cpass_answer *answer;
};

static struct handles make(bool started) {
    struct handles of = {0};
    fine(cpass_log_new(TEXT("info"), &of.log));
    of.backend = backend_from_environment();
    fine(cpass_backend_open(of.backend, TEXT("qemu/101"), TEXT("vnc"), 0, &of.console));
    fine(cpass_console_rfb_parameters(of.console, &of.parameters));
    fine(cpass_backends_new(&of.backends));
    fine(cpass_backends_add(of.backends, TEXT("dc1"), of.backend));
    fine(cpass_options_new(&of.options));
    set(of.options, "public_url", "https://portal.example.com/console");
    set(of.options, "listen", "127.0.0.1:0");
    fine(cpass_relay_new(of.backends, of.options, &of.relay));
    fine(cpass_events_new(of.relay, &of.events));
    if (started) {
        fine(cpass_relay_start(of.relay));
    }
    fine(cpass_relay_issue(of.relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &of.pass));
    fine(cpass_pass_novnc_url(of.pass, TEXT("https://portal.example.com/vnc.html"), NULL, &of.link));
    fine(cpass_relay_answer(of.relay, TEXT("GET"), TEXT("/console/"), &of.answer));
    fine(cpass_log_next(of.log, 0, &of.line));
    check(of.line != NULL);
    return of;
}

/* Uses a handle as far as it can be used alone, and frees it. */
static void use_and_free(struct handles *of, int number) {
    cpass_event *event = NULL;
    switch (number) {
    case 0: set(of->options, "listen", "127.0.0.1:0"); cpass_options_free(of->options); break;
    case 1: cpass_backend_free(of->backend); break;
    case 2: check(cpass_console_websocket_url(of->console, NULL) != NULL); cpass_console_free(of->console); break;
    case 3: check(strlen(cpass_link_url(of->link, NULL)) > 40); cpass_link_free(of->link); break;
    case 4: check(strlen(cpass_rfb_parameters_url(of->parameters, NULL)) > 40); cpass_rfb_parameters_free(of->parameters); break;
    case 5: cpass_backends_free(of->backends); break;
    case 6: check(cpass_relay_session_count(of->relay) == 0); cpass_relay_free(of->relay); break;
    case 7: check(strlen(cpass_pass_viewer_url(of->pass, NULL)) > 40); cpass_pass_free(of->pass); break;
    case 8: cpass_error_free(cpass_events_next(of->events, 0, &event)); cpass_events_free(of->events); break;
    case 9: cpass_log_free(of->log); break;
    case 10: check(strcmp(cpass_log_line_level(of->line, NULL), "info") == 0); cpass_log_line_free(of->line); break;
    default: check(cpass_answer_body(of->answer, NULL) != NULL); cpass_answer_free(of->answer); break;
    }
}

int main(void) {
    for (int order = 0; order < ORDERS; order++) {
        struct handles of = make(order % 3 == 0);
        /* Steps that have no divisor in common with 12 reach all of them. */
        const int steps[] = {1, 5, 7, 11};
        for (int number = 0; number < HANDLES; number++) {
            use_and_free(&of, (order + number * steps[order % 4]) % HANDLES);
        }
    }
    return 0;
}
