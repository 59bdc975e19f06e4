/* What the library says by itself, to those who ask. */
#include "check.h"
#include <pthread.h>

enum { KEPT = 1024, MORE = 300, THREADS = 4, TIMES = 50 };

static cpass_log *log_of(const char *level) {
    cpass_log *log = NULL;
    fine(cpass_log_new(level, strlen(level), &log));
    return log;
}

/* The next line, which must be there. */
static cpass_log_line *next(cpass_log *log, uint32_t timeout_ms) {
    cpass_log_line *line = NULL;
    fine(cpass_log_next(log, timeout_ms, &line));
    check(line != NULL);
    return line;
}

static void says_nothing(cpass_log *log) {
    cpass_log_line *line = NULL;
    fine(cpass_log_next(log, 0, &line));
    check(line == NULL);
}

static const char *field(const cpass_log_line *line, const char *name) {
    for (size_t index = 0; index < cpass_log_line_field_count(line); index++) {
        if (strcmp(cpass_log_line_field_name(line, index, NULL), name) == 0) {
            return cpass_log_line_field_value(line, index, NULL);
        }
    }
    return NULL;
}

static cpass_pass *issued(const cpass_relay *relay) {
    cpass_pass *pass = NULL;
    fine(cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &pass));
    return pass;
}

static void a_level_is_one_of_five_words(void) {
    cpass_log *log = NULL;
    refused(cpass_log_new(TEXT("WARN"), &log), CPASS_INVALID_ARGUMENT, "error, warn, info, debug and trace");
    refused(cpass_log_new(TEXT(""), &log), CPASS_INVALID_ARGUMENT, "level");
    check(log == NULL);
}

static void a_certificate_that_is_not_checked_is_told(void) {
    cpass_log *log = log_of("warn");
    cpass_options *options = NULL;
    cpass_backend *backend = NULL;
    fine(cpass_options_new(&options));
    set(options, "host", getenv("PVE_HOST"));
    set(options, "insecure", "true");
    set(options, "token_id", getenv("PVE_TOKEN_ID"));
    set(options, "token_secret", getenv("PVE_TOKEN_SECRET"));
    fine(cpass_backend_new(TEXT("proxmox"), options, &backend));

    cpass_log_line *line = next(log, 0);
    size_t length = 0;
    const char *text = cpass_log_line_text(line, &length), *message = cpass_log_line_message(line, NULL);
    check(strcmp(cpass_log_line_level(line, NULL), "warn") == 0 && strlen(text) == length);
    check(strstr(message, "insecure") != NULL && strncmp(text, message, strlen(message)) == 0);
    check(strncmp(cpass_log_line_target(line, NULL), "consolepass::", 13) == 0);
    check(strcmp(field(line, "host"), getenv("PVE_HOST")) == 0 && strstr(text, getenv("PVE_HOST")) != NULL);
    check(strstr(text, getenv("PVE_TOKEN_SECRET")) == NULL);
    check(cpass_log_line_field_name(line, 99, NULL) == NULL && cpass_log_line_field_value(line, 99, &length) == NULL);
    check(length == 0 && cpass_log_line_lost(line) == 0);
    check(cpass_log_line_at(line) > INT64_C(1700000000000));
    says_nothing(log);
    cpass_log_free(log);
    /* A line is its own, and outlives its log. */
    check(strcmp(cpass_log_line_level(line, NULL), "warn") == 0);
    cpass_log_line_free(line);
    cpass_backend_free(backend);
    cpass_options_free(options);
}

static void each_log_has_what_it_asked_for(const cpass_relay *relay) {
    cpass_log *warnings = log_of("warn"), *all = log_of("trace");
    cpass_pass *pass = issued(relay);

    cpass_log_line *line = next(all, 0);
    check(strcmp(cpass_log_line_level(line, NULL), "info") == 0);
    check(strcmp(cpass_log_line_message(line, NULL), "pass issued") == 0);
    check(strcmp(field(line, "reference"), cpass_pass_reference(pass, NULL)) == 0);
    cpass_log_line_free(line);
    says_nothing(all);
    says_nothing(warnings);
    cpass_pass_free(pass);
    cpass_log_free(all);

    /* With it went the level. */
    cpass_pass_free(issued(relay));
    cpass_log *information = log_of("info");
    says_nothing(information);
    cpass_log_free(information);
    cpass_log_free(warnings);
}

static void lines_that_nobody_fetched_are_counted(const cpass_relay *relay) {
    cpass_log *log = log_of("info");
    for (int time = 0; time < KEPT + MORE; time++) {
        cpass_pass_free(issued(relay));
    }

    cpass_log_line *line = next(log, 0);
    check(cpass_log_line_lost(line) == MORE && strcmp(cpass_log_line_level(line, NULL), "warn") == 0);
    check(strcmp(field(line, "count"), "300") == 0 && strstr(cpass_log_line_text(line, NULL), "count=300") != NULL);
    cpass_log_line_free(line);
    for (int time = 0; time < KEPT; time++) {
        line = next(log, 0);
        check(cpass_log_line_lost(line) == 0);
        cpass_log_line_free(line);
    }
    says_nothing(log);
    cpass_log_free(log);
}

struct shared {
    cpass_relay *relay;
    cpass_log *log;
};

static void *say(void *argument) {
    const struct shared *of = (const struct shared *)argument;
    for (int time = 0; time < TIMES; time++) {
        cpass_pass_free(issued(of->relay));
        cpass_log_free(log_of("debug"));
    }
    return NULL;
}

static void *hear(void *argument) {
    const struct shared *of = (const struct shared *)argument;
    for (int time = 0; time < TIMES; time++) {
        cpass_log_line_free(next(of->log, 60 * 1000));
    }
    return NULL;
}

static void threads_say_and_hear_at_once(cpass_relay *relay) {
    struct shared of = {relay, log_of("info")};
    pthread_t say_it[THREADS], hear_it[THREADS];
    for (int number = 0; number < THREADS; number++) {
        check(pthread_create(&hear_it[number], NULL, hear, &of) == 0);
    }
    for (int number = 0; number < THREADS; number++) {
        check(pthread_create(&say_it[number], NULL, say, &of) == 0);
    }
    for (int number = 0; number < THREADS; number++) {
        check(pthread_join(say_it[number], NULL) == 0 && pthread_join(hear_it[number], NULL) == 0);
    }
    says_nothing(of.log);
    cpass_log_free(of.log);
}

int main(void) {
    cpass_backend *backend = backend_from_environment();
    cpass_relay *relay = relay_of(backend);
    a_level_is_one_of_five_words();
    a_certificate_that_is_not_checked_is_told();
    each_log_has_what_it_asked_for(relay);
    lines_that_nobody_fetched_are_counted(relay);
    threads_say_and_hear_at_once(relay);
    cpass_relay_free(relay);
    cpass_backend_free(backend);
    return 0;
}
