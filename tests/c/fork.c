/* What was used in a parent, used again in its child: backends, issuers and relays that were not started work, a relay that
 * was started refuses, and freeing it ends nothing. */
#include "check.h"
#include <sys/wait.h>
#include <unistd.h>

struct handles {
    cpass_backend *backend;
    cpass_issuer *issuer;
    cpass_relay *started, *waiting;
    cpass_events *events;
    cpass_pass *pass;
    cpass_log *log;
};

/* The next line is about a pass that was issued in this process. */
static void tells_of_a_pass(cpass_log *log) {
    cpass_log_line *line = NULL;
    fine(cpass_log_next(log, 60 * 1000, &line));
    check(line != NULL && strcmp(cpass_log_line_message(line, NULL), "pass issued") == 0);
    cpass_log_line_free(line);
    fine(cpass_log_next(log, 0, &line));
    check(line == NULL);
}

static void open_again(const cpass_backend *backend) {
    cpass_console *console = NULL;
    fine(cpass_backend_open(backend, TEXT("qemu/101"), TEXT("vnc"), 0, &console));
    check(cpass_console_websocket_url(console, NULL) != NULL);
    cpass_console_free(console);
}

static void issue(const cpass_relay *relay) {
    cpass_pass *pass = NULL;
    fine(cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &pass));
    cpass_pass_free(pass);
}

static void child(struct handles of) {
    cpass_log *log = NULL;
    cpass_log_line *line = NULL;
    refused(cpass_log_next(of.log, 1000, &line), CPASS_FORKED, "process");
    check(line == NULL);
    fine(cpass_log_new(TEXT("info"), &log));
    cpass_log_free(of.log);

    open_again(of.backend);
    cpass_pass *signed_pass = NULL;
    fine(cpass_issuer_issue(of.issuer, TEXT("dc1"), TEXT("qemu/101"), NULL, &signed_pass));
    cpass_pass_free(signed_pass);
    tells_of_a_pass(log);
    cpass_log_free(log);

    cpass_pass *none = NULL;
    cpass_event *event = NULL;
    cpass_events *more = NULL;
    refused(cpass_relay_issue(of.started, TEXT("dc1"), TEXT("qemu/101"), NULL, &none), CPASS_FORKED, "process");
    refused(cpass_relay_start(of.started), CPASS_FORKED, "process");
    refused(cpass_relay_revoke(of.started, TEXT("0123456789"), NULL), CPASS_FORKED, "process");
    refused(cpass_relay_stop(of.started, 0), CPASS_FORKED, "process");
    refused(cpass_events_new(of.started, &more), CPASS_FORKED, "process");
    refused(cpass_events_next(of.events, 1000, &event), CPASS_FORKED, "process");
    check(none == NULL && event == NULL && more == NULL);
    check(cpass_relay_session_count(of.started) == 0 && cpass_relay_address(of.started, NULL) == NULL);
    cpass_events_free(of.events);
    cpass_relay_free(of.started);

    issue(of.waiting);
    fine(cpass_relay_start(of.waiting));
    check(cpass_relay_address(of.waiting, NULL) != NULL);
    fine(cpass_relay_stop(of.waiting, 0));
    cpass_relay_free(of.waiting);

    cpass_pass_free(of.pass);
    cpass_issuer_free(of.issuer);
    cpass_backend_free(of.backend);
}

int main(void) {
    struct handles of = {0};
    of.backend = backend_from_environment();
    cpass_options *options = NULL;
    fine(cpass_options_new(&options));
    set(options, "public_url", "https://portal.example.com/console");
    set(options, "pass_key_file", getenv("PASS_KEY_FILE"));
    fine(cpass_issuer_new(options, &of.issuer));
    cpass_options_free(options);
    of.started = relay_of(of.backend);
    of.waiting = relay_of(of.backend);
    fine(cpass_events_new(of.started, &of.events));
    fine(cpass_relay_start(of.started));
    fine(cpass_relay_issue(of.started, TEXT("dc1"), TEXT("qemu/101"), NULL, &of.pass));
    open_again(of.backend);
    issue(of.waiting);
    fine(cpass_log_new(TEXT("info"), &of.log));

    pid_t forked = fork();
    check(forked >= 0);
    if (forked == 0) {
        child(of);
        return 0;
    }
    int status = 0;
    check(waitpid(forked, &status, 0) == forked);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    /* The parent has lost nothing by it. */
    open_again(of.backend);
    issue(of.started);
    tells_of_a_pass(of.log);
    cpass_log_free(of.log);
    cpass_pass_free(of.pass);
    fine(cpass_relay_stop(of.started, 0));
    cpass_relay_free(of.started);
    cpass_relay_free(of.waiting);
    cpass_events_free(of.events);
    cpass_issuer_free(of.issuer);
    cpass_backend_free(of.backend);
    return 0;
}
