/* More happens than is kept, and nobody fetches it until a line comes in. */
#include "check.h"

/* The same is in the log, in words. */
static void each_end_has_a_line_or_is_counted(cpass_log *log, uint64_t ends) {
    uint64_t told = 0, lost = 0;
    while (told + lost < ends) {
        cpass_log_line *line = NULL;
        fine(cpass_log_next(log, 60 * 1000, &line));
        check(line != NULL);
        if (cpass_log_line_lost(line) > 0) {
            lost += cpass_log_line_lost(line);
        } else if (strcmp(cpass_log_line_message(line, NULL), "relay started") != 0) {
            check(strcmp(cpass_log_line_message(line, NULL), "console ended") == 0);
            check(strstr(cpass_log_line_text(line, NULL), " code=pass_invalid ") != NULL);
            told++;
        }
        cpass_log_line_free(line);
    }
    check(lost > 0 && told > 0);
}

int main(int count, char **arguments) {
    check(count == 2);
    uint64_t expected = strtoull(arguments[1], NULL, 10), told = 0, lost = 0;
    cpass_backend *backend = backend_from_environment();
    cpass_relay *relay = relay_of(backend);
    cpass_events *events = NULL;
    cpass_log *log = NULL;
    fine(cpass_log_new(TEXT("info"), &log));
    fine(cpass_events_new(relay, &events));
    fine(cpass_relay_start(relay));
    printf("listening on %s\n", cpass_relay_address(relay, NULL));
    fflush(stdout);
    check(getchar() == '\n');

    while (told + lost < expected) {
        cpass_event *event = NULL;
        fine(cpass_events_next(events, 60 * 1000, &event));
        check(event != NULL);
        if (cpass_event_what_happened(event) == CPASS_EVENT_LOST) {
            check(cpass_event_lost(event) > 0);
            lost += cpass_event_lost(event);
        } else {
            check(cpass_event_what_happened(event) == CPASS_EVENT_ENDED && cpass_event_lost(event) == 0);
            check(cpass_event_code(event) == CPASS_PASS_INVALID && cpass_event_machine(event, NULL) == NULL);
            check(cpass_event_reference(event, NULL) == NULL);
            told++;
        }
        cpass_event_free(event);
    }
    check(lost > 0 && told + lost == expected);
    each_end_has_a_line_or_is_counted(log, expected);
    cpass_log_free(log);
    cpass_relay_free(relay);
    cpass_events_free(events);
    cpass_backend_free(backend);
    return 0;
}
