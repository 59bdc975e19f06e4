/* Calls every function with something bad in every place; the calls are made from the header, the handles here. */
#include "check.h"

int main(void) {
    size_t length = 0;
    bool found = false;
    cpass_error *error = NULL;
    cpass_options *options = NULL, *of_issuer = NULL;
    cpass_backend *backend = NULL;
    cpass_backends *backends = NULL;
    cpass_console *console = NULL;
    cpass_link *link = NULL;
    cpass_rfb_parameters *rfb_parameters = NULL;
    cpass_pass *pass = NULL;
    cpass_issuer *issuer = NULL;
    cpass_events *events = NULL;
    /* An event is something that happened, and here nothing does. */
    cpass_event *event = NULL;
    cpass_answer *answer = NULL;
    cpass_log *log = NULL;
    cpass_log_line *log_line = NULL;

    fine(cpass_log_new(TEXT("info"), &log));
    error = cpass_options_new(NULL);
    check(error != NULL);
    fine(cpass_options_new(&options));
    set(options, "host", "unix:/nowhere/vm.sock");
    fine(cpass_backend_new(TEXT("vnc"), options, &backend));
    fine(cpass_backends_new(&backends));
    fine(cpass_backend_open(backend, TEXT("vm"), TEXT("vnc"), 0, &console));
    cpass_relay *relay = relay_of(backend);
    fine(cpass_relay_issue(relay, TEXT("dc1"), TEXT("vm"), NULL, &pass));
    check(cpass_pass_reference(pass, &length) != NULL && length == 10);
    fine(cpass_log_next(log, 0, &log_line));
    check(log_line != NULL);
    fine(cpass_pass_novnc_url(pass, TEXT("https://portal.example.com/vnc.html"), NULL, &link));
    fine(cpass_pass_rfb_parameters(pass, &rfb_parameters));
    fine(cpass_relay_answer(relay, TEXT("GET"), TEXT("/console/"), &answer));
    fine(cpass_events_new(relay, &events));
    fine(cpass_options_new(&of_issuer));
    set(of_issuer, "public_url", "https://portal.example.com/console");
    set(of_issuer, "pass_key_file", getenv("PASS_KEY_FILE"));
    fine(cpass_issuer_new(of_issuer, &issuer));

#include CALLS

    cpass_events_free(events);
    cpass_issuer_free(issuer);
    cpass_link_free(link);
    cpass_answer_free(answer);
    cpass_rfb_parameters_free(rfb_parameters);
    cpass_pass_free(pass);
    cpass_relay_free(relay);
    cpass_console_free(console);
    cpass_backends_free(backends);
    cpass_backend_free(backend);
    cpass_options_free(of_issuer);
    cpass_options_free(options);
    cpass_event_free(event);
    cpass_log_line_free(log_line);
    cpass_log_free(log);
    cpass_error_free(error);
    return 0;
}
