/* One face's figures, in C: see run.py. */
#define _POSIX_C_SOURCE 200809L
#include <consolepass.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char MACHINE[] = "pve1/qemu/101";

static void fine(cpass_error *error) {
    if (error != NULL) {
        fprintf(stderr, "%s: %s\n", cpass_error_name(error, NULL), cpass_error_message(error, NULL));
        exit(1);
    }
}

static void set(cpass_options *options, const char *name, const char *value) {
    fine(cpass_options_set(options, name, strlen(name), value, strlen(value)));
}

static cpass_options *options(void) {
    cpass_options *made;
    fine(cpass_options_new(&made));
    return made;
}

static cpass_backend *proxmox(void) {
    cpass_options *account = options();
    set(account, "host", getenv("PVE_HOST"));
    set(account, "fingerprint", getenv("PVE_FINGERPRINT"));
    set(account, "token_id", getenv("PVE_TOKEN_ID"));
    set(account, "token_secret", getenv("PVE_TOKEN_SECRET"));
    cpass_backend *backend;
    fine(cpass_backend_new("proxmox", strlen("proxmox"), account, &backend));
    cpass_options_free(account);
    return backend;
}

static void open_console(const cpass_backend *backend) {
    cpass_console *console;
    fine(cpass_backend_open(backend, MACHINE, strlen(MACHINE), "vnc", strlen("vnc"), 0, &console));
    cpass_console_free(console);
}

static double micros(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static long resident(void) {
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL) {
        sscanf(line, "VmRSS: %ld", &kib);
    }
    if (status != NULL) {
        fclose(status);
    }
    return kib;
}

/* Microseconds of each open by a backend of its own. */
static void fresh(int count) {
    for (int number = 0; number < count; number++) {
        double begin = micros();
        cpass_backend *backend = proxmox();
        open_console(backend);
        cpass_backend_free(backend);
        printf("%s%.1f", number == 0 ? "[" : ",", micros() - begin);
    }
    puts("]");
}

/* Resident KiB after a tenth, and after all. */
static void open_many(int count) {
    cpass_backend *backend = proxmox();
    long first = 0;
    for (int number = 0; number < count; number++) {
        open_console(backend);
        if (number == count / 10) {
            first = resident();
        }
    }
    printf("{\"first\": %ld, \"last\": %ld}\n", first, resident());
    cpass_backend_free(backend);
}

/* Microseconds of each pass. */
static void issue(int count) {
    cpass_options *place = options(), *of_pass = options();
    set(place, "public_url", "https://portal.example.com/console");
    set(of_pass, "user", "42");
    cpass_backend *backend = proxmox();
    cpass_backends *backends;
    cpass_relay *relay;
    fine(cpass_backends_new(&backends));
    fine(cpass_backends_add(backends, "dc1", strlen("dc1"), backend));
    fine(cpass_relay_new(backends, place, &relay));
    set(place, "pass_key_file", getenv("PASS_KEY_FILE"));
    cpass_issuer *issuer;
    fine(cpass_issuer_new(place, &issuer));

    double begin = micros();
    for (int number = 0; number < count; number++) {
        cpass_pass *pass;
        fine(cpass_issuer_issue(issuer, "dc1", strlen("dc1"), MACHINE, strlen(MACHINE), of_pass, &pass));
        cpass_pass_free(pass);
    }
    double middle = micros();
    for (int number = 0; number < count; number++) {
        cpass_pass *pass;
        fine(cpass_relay_issue(relay, "dc1", strlen("dc1"), MACHINE, strlen(MACHINE), of_pass, &pass));
        cpass_pass_free(pass);
    }
    printf("{\"signed\": %f, \"opaque\": %f}\n", (middle - begin) / count, (micros() - middle) / count);
    cpass_issuer_free(issuer);
    cpass_relay_free(relay);
    cpass_backends_free(backends);
    cpass_backend_free(backend);
    cpass_options_free(of_pass);
    cpass_options_free(place);
}

int main(int argument_count, char **arguments) {
    int count = argument_count == 3 ? atoi(arguments[2]) : 0;
    if (count > 0 && strcmp(arguments[1], "fresh") == 0) {
        fresh(count);
    } else if (count > 0 && strcmp(arguments[1], "open") == 0) {
        open_many(count);
    } else if (count > 0 && strcmp(arguments[1], "issue") == 0) {
        issue(count);
    } else {
        fprintf(stderr, "usage: measure fresh|open|issue COUNT\n");
        return 2;
    }
    return 0;
}
