/* The scenario in C: see tests/scenario/README.md. */
#include <cjson/cJSON.h>
#include <consolepass.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one step leaves to the next. */
struct portal {
    cpass_backend *backend;
    cpass_relay *relay;
    cpass_pass *pass;
    FILE *browser;
};

static void stop_with(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void fine(cpass_error *error) {
    if (error != NULL) {
        fprintf(stderr, "%s: %s\n", cpass_error_name(error, NULL), cpass_error_message(error, NULL));
        exit(1);
    }
}

static const char *variable(const char *name) {
    const char *value = getenv(name);
    if (value == NULL) {
        stop_with(name);
    }
    return value;
}

static const char *member(const cJSON *step, const char *name) {
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItem(step, name));
    if (value == NULL) {
        stop_with(name);
    }
    return value;
}

static cpass_options *options_of(const char *const *pairs) {
    cpass_options *options;
    fine(cpass_options_new(&options));
    for (; pairs[0] != NULL; pairs += 2) {
        fine(cpass_options_set(options, pairs[0], strlen(pairs[0]), pairs[1], strlen(pairs[1])));
    }
    return options;
}

static void log_in(struct portal *portal, const cJSON *step) {
    int by_token = strcmp(member(step, "with"), "token") == 0;
    const char *const pairs[] = {
        "host",        variable("PVE_HOST"),
        "fingerprint", variable("PVE_FINGERPRINT"),
        by_token ? "token_id" : "username",     variable(by_token ? "PVE_TOKEN_ID" : "PVE_USERNAME"),
        by_token ? "token_secret" : "password", variable(by_token ? "PVE_TOKEN_SECRET" : "PVE_PASSWORD"),
        NULL,
    };
    cpass_options *options = options_of(pairs);
    cpass_backend_free(portal->backend);
    fine(cpass_backend_new("proxmox", strlen("proxmox"), options, &portal->backend));
    cpass_options_free(options);
}

static void open_console(const struct portal *portal, const cJSON *step, cJSON *seen) {
    const char *machine = member(step, "machine");
    cpass_console *console;
    fine(cpass_backend_open(portal->backend, machine, strlen(machine), "vnc", strlen("vnc"), 0, &console));
    cJSON_AddStringToObject(seen, "machine", cpass_console_machine(console, NULL));
    cpass_console_free(console);
}

static void issue(struct portal *portal, const cJSON *step) {
    const char *const of_relay[] = {"listen", "127.0.0.1:0", "public_url", "http://portal.test", NULL};
    char ttl[16];
    snprintf(ttl, sizeof ttl, "%d", (int)cJSON_GetNumberValue(cJSON_GetObjectItem(step, "ttl")));
    const char *const of_pass[] = {"user", member(step, "user"), "ttl", ttl, NULL};
    cpass_options *relay_options = options_of(of_relay);
    cpass_options *pass_options = options_of(of_pass);
    cpass_backends *backends;
    fine(cpass_backends_new(&backends));
    fine(cpass_backends_add(backends, "dc1", strlen("dc1"), portal->backend));
    fine(cpass_relay_new(backends, relay_options, &portal->relay));
    fine(cpass_relay_start(portal->relay));
    const char *machine = member(step, "machine");
    fine(cpass_relay_issue(portal->relay, "dc1", strlen("dc1"), machine, strlen(machine), pass_options, &portal->pass));
    cpass_backends_free(backends);
    cpass_options_free(pass_options);
    cpass_options_free(relay_options);
}

/* Starts the typist on the pass's websocket, at the relay itself: there is no reverse proxy here. */
static FILE *browse(const struct portal *portal, const char *what, const char *text) {
    static const char public[] = "ws://portal.test";
    const char *url = cpass_pass_url(portal->pass, NULL);
    if (strncmp(url, public, strlen(public)) != 0) {
        stop_with("the pass is for another address");
    }
    char command[2048];
    snprintf(command, sizeof command, "exec %s %s 'ws://%s%s' %s", variable("TYPIST"), what,
             cpass_relay_address(portal->relay, NULL), url + strlen(public), text);
    FILE *browser = popen(command, "r");
    if (browser == NULL) {
        stop_with("the typist does not start");
    }
    return browser;
}

/* Adds what the typist says next to what was seen. */
static void hear(FILE *browser, cJSON *seen) {
    char line[1024];
    if (fgets(line, sizeof line, browser) == NULL) {
        stop_with("the browser said nothing");
    }
    cJSON *said = cJSON_Parse(line);
    for (cJSON *fact = said == NULL ? NULL : said->child; fact != NULL; fact = fact->next) {
        cJSON_AddItemToObject(seen, fact->string, cJSON_Duplicate(fact, 1));
    }
    cJSON_Delete(said);
}

static void take(struct portal *portal, const cJSON *step, cJSON *seen) {
    const char *what = member(step, "do");
    if (strcmp(what, "log_in") == 0) {
        log_in(portal, step);
    } else if (strcmp(what, "open") == 0) {
        open_console(portal, step, seen);
    } else if (strcmp(what, "issue") == 0) {
        issue(portal, step);
    } else if (strcmp(what, "type") == 0) {
        portal->browser = browse(portal, "type", member(step, "text"));
        hear(portal->browser, seen);
    } else if (strcmp(what, "be_refused") == 0) {
        FILE *browser = browse(portal, "refused", "");
        hear(browser, seen);
        pclose(browser);
    } else if (strcmp(what, "stop") == 0) {
        fine(cpass_relay_stop(portal->relay, 0));
        hear(portal->browser, seen);
        pclose(portal->browser);
    } else {
        stop_with(what);
    }
}

/* The whole file as text, for the caller to free. */
static char *contents(const char *name) {
    FILE *file = fopen(name, "rb");
    char *text = calloc(1, 1 << 16);
    if (file == NULL || text == NULL || fread(text, 1, (1 << 16) - 1, file) == 0) {
        stop_with(name);
    }
    fclose(file);
    return text;
}

int main(void) {
    char *text = contents(variable("SCENARIO"));
    cJSON *steps = cJSON_Parse(text);
    struct portal portal = {NULL, NULL, NULL, NULL};
    const cJSON *step;
    cJSON_ArrayForEach(step, steps) {
        cJSON *seen = cJSON_CreateObject();
        cJSON_AddStringToObject(seen, "do", member(step, "do"));
        take(&portal, step, seen);
        char *line = cJSON_PrintUnformatted(seen);
        puts(line);
        fflush(stdout);
        free(line);
        cJSON_Delete(seen);
    }
    cpass_pass_free(portal.pass);
    cpass_relay_free(portal.relay);
    cpass_backend_free(portal.backend);
    cJSON_Delete(steps);
    free(text);
    return 0;
}
