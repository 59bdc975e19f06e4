/* The library is loaded by hand, and closed while its relay serves: its threads must not lose their code. */
#define _DEFAULT_SOURCE
#include <consolepass.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *library;

/* ISO C has no way from an object's address to a function's, POSIX has this one. */
static void find(const char *name, void *place) {
    void *found = dlsym(library, name);
    if (found == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    memcpy(place, &found, sizeof found);
}

static void ok(cpass_error *error) {
    if (error != NULL) {
        fprintf(stderr, "failed\n");
        exit(1);
    }
}

static void serve_and_unload(const char *path) {
    uint32_t (*abi_version)(void);
    cpass_error *(*options_new)(cpass_options **);
    cpass_error *(*options_set)(cpass_options *, const char *, size_t, const char *, size_t);
    cpass_error *(*backend_new)(const char *, size_t, const cpass_options *, cpass_backend **);
    cpass_error *(*backends_new)(cpass_backends **);
    cpass_error *(*backends_add)(cpass_backends *, const char *, size_t, const cpass_backend *);
    cpass_error *(*relay_new)(const cpass_backends *, const cpass_options *, cpass_relay **);
    cpass_error *(*relay_start)(cpass_relay *);
    cpass_options *of_backend = NULL, *of_relay = NULL;
    cpass_backend *backend = NULL;
    cpass_backends *backends = NULL;
    cpass_relay *relay = NULL;
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    find("cpass_abi_version", &abi_version);
    if (abi_version() != CPASS_ABI_VERSION) {
        exit(1);
    }
    find("cpass_options_new", &options_new);
    find("cpass_options_set", &options_set);
    find("cpass_backend_new", &backend_new);
    find("cpass_backends_new", &backends_new);
    find("cpass_backends_add", &backends_add);
    find("cpass_relay_new", &relay_new);
    find("cpass_relay_start", &relay_start);
    ok(options_new(&of_backend));
    ok(options_set(of_backend, "host", 4, "127.0.0.1:1", 11));
    ok(backend_new("vnc", 3, of_backend, &backend));
    ok(backends_new(&backends));
    ok(backends_add(backends, "dc1", 3, backend));
    ok(options_new(&of_relay));
    ok(options_set(of_relay, "listen", 6, "127.0.0.1:0", 11));
    ok(options_set(of_relay, "public_url", 10, "http://127.0.0.1", 16));
    ok(relay_new(backends, of_relay, &relay));
    ok(relay_start(relay));
    if (dlclose(library) != 0) {
        exit(1);
    }
}

int main(int count, char **arguments) {
    /* A request of PHP, and the next one. */
    for (int time = 0; count == 2 && time < 3; time++) {
        serve_and_unload(arguments[1]);
        usleep(20 * 1000);
    }
    return 0;
}
