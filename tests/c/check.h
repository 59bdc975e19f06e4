/* What the test programs have in common. */
#ifndef CHECK_H
#define CHECK_H

#include <consolepass.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A literal and its length. */
#define TEXT(literal) (literal), (sizeof(literal) - 1)

#define check(condition)                                                                                              \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                   \
            exit(1);                                                                                                  \
        }                                                                                                             \
    } while (0)

#define fine(call) check_fine((call), __FILE__, __LINE__)
#define refused(call, code, words) check_refused((call), (code), (words), __FILE__, __LINE__)

static inline void check_fine(cpass_error *error, const char *file, int line) {
    if (error != NULL) {
        fprintf(stderr, "%s:%d: %s\n", file, line, cpass_error_message(error, NULL));
        exit(1);
    }
}

static inline void check_refused(cpass_error *error, cpass_code code, const char *words, const char *file, int line) {
    size_t length = 0;
    const char *message = cpass_error_message(error, &length);
    if (cpass_error_code(error) != code || message == NULL || strstr(message, words) == NULL ||
        strlen(message) != length) {
        fprintf(stderr, "%s:%d: %s is not about %s, or not code %d\n", file, line,
                message != NULL ? message : "success", words, (int)code);
        exit(1);
    }
    cpass_error_free(error);
}

static inline void set(cpass_options *options, const char *name, const char *value) {
    check(value != NULL);
    fine(cpass_options_set(options, name, strlen(name), value, strlen(value)));
}

static inline cpass_backend *backend_from_environment(void) {
    cpass_options *options = NULL;
    cpass_backend *backend = NULL;
    fine(cpass_options_new(&options));
    set(options, "host", getenv("PVE_HOST"));
    set(options, "fingerprint", getenv("PVE_FINGERPRINT"));
    set(options, "token_id", getenv("PVE_TOKEN_ID"));
    set(options, "token_secret", getenv("PVE_TOKEN_SECRET"));
    fine(cpass_backend_new(TEXT("proxmox"), options, &backend));
    cpass_options_free(options);
    return backend;
}

/* A relay at an address that knows backend as dc1. Its passes are signed with the key of a file, if there is one. */
static inline cpass_relay *relay_at(const cpass_backend *backend, const char *address, const char *pass_key_file) {
    cpass_options *options = NULL;
    cpass_backends *backends = NULL;
    cpass_relay *relay = NULL;
    fine(cpass_options_new(&options));
    set(options, "listen", address);
    set(options, "public_url", "https://portal.example.com/console");
    if (pass_key_file != NULL) {
        set(options, "pass_key_file", pass_key_file);
    }
    fine(cpass_backends_new(&backends));
    fine(cpass_backends_add(backends, TEXT("dc1"), backend));
    fine(cpass_relay_new(backends, options, &relay));
    cpass_backends_free(backends);
    cpass_options_free(options);
    return relay;
}

/* One on a port of the system's choice. */
static inline cpass_relay *relay_of(const cpass_backend *backend) {
    return relay_at(backend, "127.0.0.1:0", NULL);
}

#endif
