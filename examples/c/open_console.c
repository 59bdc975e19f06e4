/* Opens a console of a machine and prints what an operator needs for it.
 *
 *   cc -o open_console open_console.c $(pkg-config --cflags --libs consolepass)
 *   PVE_HOST=pve.example.com PVE_FINGERPRINT=AB:CD:... PVE_TOKEN_ID='portal@pve!console' PVE_TOKEN_SECRET=... \
 *       ./open_console qemu/101
 */
#include <consolepass.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Prints why, and what to do. Returns whether there was an error. */
static bool failed(cpass_error *error) {
    if (error == NULL) {
        return false;
    }
    fprintf(stderr, "%s: %s\n  %s\n", cpass_error_name(error, NULL), cpass_error_message(error, NULL),
            cpass_error_hint(error, NULL));
    cpass_error_free(error);
    return true;
}

static bool set_from(cpass_options *options, const char *name, const char *variable) {
    const char *value = getenv(variable);
    if (value == NULL) {
        fprintf(stderr, "%s is not set\n", variable);
        return false;
    }
    return !failed(cpass_options_set(options, name, strlen(name), value, strlen(value)));
}

static bool open_console(const char *machine, cpass_backend **backend, cpass_console **console) {
    cpass_options *options = NULL;
    if (failed(cpass_options_new(&options))) {
        return false;
    }
    bool made = set_from(options, "host", "PVE_HOST") && set_from(options, "fingerprint", "PVE_FINGERPRINT") &&
                set_from(options, "token_id", "PVE_TOKEN_ID") &&
                set_from(options, "token_secret", "PVE_TOKEN_SECRET") &&
                !failed(cpass_backend_new("proxmox", strlen("proxmox"), options, backend));
    cpass_options_free(options);
    return made && !failed(cpass_backend_open(*backend, machine, strlen(machine), "vnc", strlen("vnc"), 0, console));
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: open_console MACHINE\n");
        return 2;
    }
    cpass_backend *backend = NULL;
    cpass_console *console = NULL;
    bool opened = open_console(arguments[1], &backend, &console);
    if (opened) {
        printf("machine %s\n", cpass_console_machine(console, NULL));
        printf("address %s\n", cpass_console_address(console, NULL));
        printf("expires %" PRId64 "\n", cpass_console_expires_at(console));
        printf("websocket %s\n", cpass_console_websocket_url(console, NULL));
        /* Shown by their names alone: the value is the portal's own login. */
        for (size_t index = 0; index < cpass_console_header_count(console); index++) {
            printf("header %s\n", cpass_console_header_name(console, index, NULL));
        }
    }
    cpass_console_free(console);
    cpass_backend_free(backend);
    return opened ? 0 : 1;
}
