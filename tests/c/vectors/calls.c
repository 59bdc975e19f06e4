#include "calls.h"
#include "../check.h"
#include <unistd.h>

static const char *text_of(const cJSON *object, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
}

/* A text that must be there, and its length: an argument of a call. */
static const char *argument(const cJSON *object, const char *name, size_t *length) {
    const char *text = text_of(object, name);
    check(text != NULL);
    *length = strlen(text);
    return text;
}

static void keep_secret(struct outcome *outcome, const char *secret) {
    if (secret != NULL) {
        cJSON_AddItemToArray(outcome->secrets, cJSON_CreateString(secret));
    }
}

static cJSON *string_or_null(const char *text) {
    return text != NULL ? cJSON_CreateString(text) : cJSON_CreateNull();
}

/* The value of a call whose link is a secret. */
static cJSON *link_of(cpass_link *link, struct outcome *outcome) {
    size_t length = 0;
    const char *url = cpass_link_url(link, &length);
    check(strlen(url) == length);
    keep_secret(outcome, url);
    cJSON *value = cJSON_CreateString(url);
    cpass_link_free(link);
    return value;
}

static cJSON *rfb_of(cpass_rfb_parameters *parameters) {
    cJSON *value = cJSON_CreateObject();
    cJSON_AddItemToObject(value, "url", string_or_null(cpass_rfb_parameters_url(parameters, NULL)));
    cJSON_AddItemToObject(value, "password", string_or_null(cpass_rfb_parameters_password(parameters, NULL)));
    cpass_rfb_parameters_free(parameters);
    return value;
}

/* Everything that a console has. */
static cJSON *described(const cpass_console *console, const struct place *place) {
    cJSON *value = cJSON_CreateObject(), *headers = cJSON_AddObjectToObject(value, "headers");
    cJSON_AddItemToObject(value, "machine", string_or_null(cpass_console_machine(console, NULL)));
    cJSON_AddItemToObject(value, "kind", string_or_null(cpass_console_kind(console, NULL)));
    cJSON_AddItemToObject(value, "websocket_url", string_or_null(cpass_console_websocket_url(console, NULL)));
    cJSON_AddItemToObject(value, "password", string_or_null(cpass_console_password(console, NULL)));
    for (size_t index = 0; index < cpass_console_header_count(console); index++) {
        cJSON_AddStringToObject(headers, cpass_console_header_name(console, index, NULL),
                                cpass_console_header_value(console, index, NULL));
    }
    /* The one that answered, and no other, is to be dialled. */
    check(strcmp(cpass_console_address(console, NULL), place->address) == 0);
    return value;
}

static void call_on_console(const cJSON *then, const struct place *place, const cpass_console *console,
                            struct outcome *outcome) {
    if (then == NULL) {
        outcome->result = described(console, place);
    } else if (strcmp(then->string, "websocket_url") == 0) {
        outcome->result = string_or_null(cpass_console_websocket_url(console, NULL));
    } else if (strcmp(then->string, "rfb_parameters") == 0) {
        cpass_rfb_parameters *parameters = NULL;
        outcome->error = cpass_console_rfb_parameters(console, &parameters);
        outcome->result = parameters != NULL ? rfb_of(parameters) : NULL;
    } else {
        check(strcmp(then->string, "novnc_url") == 0);
        cpass_link *link = NULL;
        char *page = fill(place, text_of(then, "page"));
        cpass_options *options = options_of(place, cJSON_GetObjectItem(then, "options"));
        outcome->error = cpass_console_novnc_url(console, page, strlen(page), options, &link);
        outcome->result = link != NULL ? link_of(link, outcome) : NULL;
        cpass_options_free(options);
        free(page);
    }
}

cpass_options *backend_options(const cJSON *vector, const struct place *place) {
    const cJSON *given = cJSON_GetObjectItem(vector, "options");
    const char *tls = text_of(vector, "tls");
    cpass_options *options = options_of(place, given);
    if (!cJSON_HasObjectItem(given, "host")) {
        set(options, "host", place->address);
    }
    bool trusts = cJSON_HasObjectItem(given, "fingerprint") || cJSON_HasObjectItem(given, "ca_file") ||
                  cJSON_HasObjectItem(given, "insecure");
    if ((tls == NULL || strcmp(tls, "pinned") == 0) && !trusts) {
        set(options, "fingerprint", place->fingerprint);
    }
    return options;
}

static void open_console(const cJSON *vector, const cJSON *open, const struct place *place, struct outcome *outcome) {
    cpass_options *options = backend_options(vector, place);
    cpass_backend *backend = NULL;
    cpass_console *console = NULL;
    const char *type = text_of(vector, "backend"), *kind = text_of(open, "kind");
    size_t machine_length;
    const char *machine = argument(open, "machine", &machine_length);
    kind = kind != NULL ? kind : "vnc";
    outcome->error = cpass_backend_new(type, strlen(type), options, &backend);
    if (outcome->error == NULL) {
        outcome->error = cpass_backend_open(backend, machine, machine_length, kind, strlen(kind), 0, &console);
    }
    if (outcome->error == NULL) {
        const char *url = cpass_console_websocket_url(console, NULL);
        const char *ticket = url != NULL ? strstr(url, "vncticket=") : NULL;
        const cJSON *then = cJSON_GetObjectItem(open, "then");
        outcome->expires_at = cpass_console_expires_at(console);
        keep_secret(outcome, url);
        keep_secret(outcome, ticket != NULL ? ticket + strlen("vncticket=") : NULL);
        call_on_console(then != NULL ? then->child : NULL, place, console, outcome);
    }
    cpass_console_free(console);
    cpass_backend_free(backend);
    cpass_options_free(options);
}

/* The pass itself, which needs no encoding wherever it stands. */
static char *pass_text(const cpass_pass *pass) {
    const char *url = cpass_pass_url(pass, NULL);
    const char *text = strstr(url, "pass=");
    check(text != NULL && text[strlen("pass=")] != '\0');
    text += strlen("pass=");
    check(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") == strlen(text));
    return strdup(text);
}

/* A pass is another one every time, so what was made of it is compared with {pass} in its place. */
static void hide_pass(cJSON *value, const char *pass) {
    if (cJSON_IsString(value)) {
        char *hidden = replaced(value->valuestring, pass, "{pass}");
        cJSON_SetValuestring(value, hidden);
        free(hidden);
    }
    for (cJSON *member = value->child; member != NULL; member = member->next) {
        hide_pass(member, pass);
    }
}

static void call_on_pass(const cJSON *then, const struct place *place, const cpass_pass *pass,
                         struct outcome *outcome) {
    if (strcmp(then->string, "url") == 0) {
        outcome->result = string_or_null(cpass_pass_url(pass, NULL));
    } else if (strcmp(then->string, "viewer_url") == 0) {
        outcome->result = string_or_null(cpass_pass_viewer_url(pass, NULL));
    } else if (strcmp(then->string, "rfb_parameters") == 0) {
        cpass_rfb_parameters *parameters = NULL;
        outcome->error = cpass_pass_rfb_parameters(pass, &parameters);
        outcome->result = parameters != NULL ? rfb_of(parameters) : NULL;
    } else {
        check(strcmp(then->string, "novnc_url") == 0);
        cpass_link *link = NULL;
        size_t page_length;
        const char *page = argument(then, "page", &page_length);
        cpass_options *options = options_of(place, cJSON_GetObjectItem(then, "options"));
        outcome->error = cpass_pass_novnc_url(pass, page, page_length, options, &link);
        outcome->result = link != NULL ? link_of(link, outcome) : NULL;
        cpass_options_free(options);
    }
}

/* An issuer with the vector's key, which is on disk only while it is made. */
static cpass_error *make_issuer(const cJSON *vector, const struct place *place, cpass_issuer **issuer) {
    char path[] = "/tmp/consolepass-vectors-XXXXXX";
    char *key = cJSON_PrintUnformatted(cJSON_GetObjectItem(vector, "pass_key"));
    int file = mkstemp(path);
    check(key != NULL && file >= 0 && write(file, key, strlen(key)) == (ssize_t)strlen(key) && close(file) == 0);
    cpass_options *options = options_of(place, cJSON_GetObjectItem(vector, "options"));
    set(options, "pass_key_file", path);
    cpass_error *error = cpass_issuer_new(options, issuer);
    check(unlink(path) == 0);
    cpass_options_free(options);
    free(key);
    return error;
}

static void issue_pass(const cJSON *vector, const cJSON *issue, const struct place *place, struct outcome *outcome) {
    cpass_issuer *issuer = NULL;
    cpass_pass *pass = NULL;
    outcome->error = make_issuer(vector, place, &issuer);
    if (outcome->error == NULL) {
        size_t backend_length, machine_length;
        const char *backend = argument(issue, "backend", &backend_length);
        const char *machine = argument(issue, "machine", &machine_length);
        cpass_options *options = options_of(place, cJSON_GetObjectItem(issue, "options"));
        outcome->error =
            cpass_issuer_issue(issuer, backend, backend_length, machine, machine_length, options, &pass);
        cpass_options_free(options);
    }
    if (outcome->error == NULL) {
        char *text = pass_text(pass);
        keep_secret(outcome, text);
        call_on_pass(cJSON_GetObjectItem(issue, "then")->child, place, pass, outcome);
        if (outcome->result != NULL) {
            hide_pass(outcome->result, text);
        }
        free(text);
    }
    cpass_pass_free(pass);
    cpass_issuer_free(issuer);
}

static void cloudtower(const cJSON *asked, bool direct, struct outcome *outcome) {
    size_t address_length, uuid_length, host_length, token_length;
    const char *address = argument(asked, direct ? "cluster_ip" : "cloudtower", &address_length);
    const char *uuid = argument(asked, "vm_uuid", &uuid_length);
    const char *host = argument(asked, "host_ip", &host_length);
    const char *token = argument(asked, direct ? "raw_token" : "token", &token_length);
    cpass_link *link = NULL;
    outcome->error = direct ? cpass_cloudtower_direct(address, address_length, uuid, uuid_length, host, host_length,
                                                      token, token_length, &link)
                            : cpass_cloudtower_via(address, address_length, uuid, uuid_length, host, host_length,
                                                   token, token_length, &link);
    outcome->result = link != NULL ? link_of(link, outcome) : NULL;
}

void make_call(const cJSON *vector, const struct place *place, struct outcome *outcome) {
    const cJSON *call = cJSON_GetObjectItem(vector, "call")->child;
    *outcome = (struct outcome){.secrets = cJSON_CreateArray()};
    if (strcmp(call->string, "open") == 0) {
        open_console(vector, call, place, outcome);
    } else if (strcmp(call->string, "issue") == 0) {
        issue_pass(vector, call, place, outcome);
    } else {
        bool direct = strcmp(call->string, "cloudtower_direct") == 0;
        check(direct || strcmp(call->string, "cloudtower_via") == 0);
        cloudtower(call, direct, outcome);
    }
}

void free_outcome(struct outcome *outcome) {
    cpass_error_free(outcome->error);
    cJSON_Delete(outcome->result);
    cJSON_Delete(outcome->secrets);
}
