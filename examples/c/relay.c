/* Relays one console: prints the link for the browser and what happens to the console, and ends with it.
 *
 *   cc -o relay relay.c $(pkg-config --cflags --libs consolepass)
 *   PVE_HOST=pve.example.com PVE_FINGERPRINT=AB:CD:... PVE_TOKEN_ID='portal@pve!console' PVE_TOKEN_SECRET=... \
 *       LISTEN=127.0.0.1:8700 PUBLIC_URL=https://portal.example.com/console ./relay qemu/101
 */
#include <consolepass.h>
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

/* Options from the environment: pairs of a name and a variable, and NULL at the end. NULL if one is missing. */
static cpass_options *options_from(const char *const *pairs) {
    cpass_options *options = NULL;
    if (failed(cpass_options_new(&options))) {
        return NULL;
    }
    for (; pairs[0] != NULL; pairs += 2) {
        const char *value = getenv(pairs[1]);
        if (value == NULL) {
            fprintf(stderr, "%s is not set\n", pairs[1]);
        }
        if (value == NULL || failed(cpass_options_set(options, pairs[0], strlen(pairs[0]), value, strlen(value)))) {
            cpass_options_free(options);
            return NULL;
        }
    }
    return options;
}

/* A relay with one backend, which it knows as dc1. NULL if something is wrong. */
static cpass_relay *make_relay(void) {
    const char *const of_backend[] = {"host",     "PVE_HOST",     "fingerprint",  "PVE_FINGERPRINT",
                                      "token_id", "PVE_TOKEN_ID", "token_secret", "PVE_TOKEN_SECRET", NULL};
    const char *const of_relay[] = {"listen", "LISTEN", "public_url", "PUBLIC_URL", NULL};
    cpass_options *backend_options = options_from(of_backend);
    cpass_options *relay_options = options_from(of_relay);
    cpass_backend *backend = NULL;
    cpass_backends *backends = NULL;
    cpass_relay *relay = NULL;
    bool made = backend_options != NULL && relay_options != NULL &&
                !failed(cpass_backend_new("proxmox", strlen("proxmox"), backend_options, &backend)) &&
                !failed(cpass_backends_new(&backends)) &&
                !failed(cpass_backends_add(backends, "dc1", strlen("dc1"), backend)) &&
                !failed(cpass_relay_new(backends, relay_options, &relay));
    (void)made; /* What was made is freed either way, and relay says whether all was. */
    cpass_backends_free(backends);
    cpass_backend_free(backend);
    cpass_options_free(relay_options);
    cpass_options_free(backend_options);
    return relay;
}

/* For the portal's audit. Returns whether the console has ended. */
static bool tell(const cpass_event *event) {
    const char *reference = cpass_event_reference(event, NULL);
    reference = reference != NULL ? reference : "nobody";
    switch (cpass_event_what_happened(event)) {
    case CPASS_EVENT_TAKEN:
        printf("%s took the pass of %s\n", reference, cpass_event_machine(event, NULL));
        return false;
    case CPASS_EVENT_CONNECTED:
        printf("%s connected to %s\n", reference, cpass_event_machine(event, NULL));
        return false;
    case CPASS_EVENT_ENDED:
        printf("%s ended: %s\n", reference, cpass_event_code_name(event, NULL));
        return true;
    default:
        return false;
    }
}

static bool serve(cpass_relay *relay, const char *machine) {
    cpass_events *events = NULL;
    cpass_pass *pass = NULL;
    bool fine = !failed(cpass_events_new(relay, &events)) && !failed(cpass_relay_start(relay)) &&
                !failed(cpass_relay_issue(relay, "dc1", strlen("dc1"), machine, strlen(machine), NULL, &pass));
    if (fine) {
        printf("listening on %s\n", cpass_relay_address(relay, NULL));
        printf("viewer %s\n", cpass_pass_viewer_url(pass, NULL));
        printf("websocket %s\n", cpass_pass_url(pass, NULL));
        fflush(stdout);
    }
    bool ended = false;
    while (fine && !ended) {
        cpass_event *event = NULL;
        fine = !failed(cpass_events_next(events, 60 * 1000, &event));
        ended = event != NULL && tell(event);
        cpass_event_free(event);
        fflush(stdout);
    }
    cpass_pass_free(pass);
    cpass_events_free(events);
    return fine && !failed(cpass_relay_stop(relay, 0));
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: relay MACHINE\n");
        return 2;
    }
    cpass_relay *relay = make_relay();
    bool served = relay != NULL && serve(relay, arguments[1]);
    cpass_relay_free(relay);
    return served ? 0 : 1;
}
