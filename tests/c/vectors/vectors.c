/* The shared vectors, through the C API: see tests/vectors/README.md.
 *
 *   CONSOLEPASS_PROGRAM=target/debug/consolepass vectors tests/vectors PREFIX FEWEST
 *
 * runs those of the files whose names begin with PREFIX, and fails if there are fewer than FEWEST.
 */
#include "../check.h"
#include "calls.h"
#include "player.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Shorter secrets would be found in any sentence. */
enum { SHORTEST_SECRET = 8 };

/* Every line of the library's log, all of which anybody may read. */
static cpass_log *log_lines;
/* The names of options that are secrets, from the table. */
static cJSON *secret_options;

static cJSON *read_json(const char *folder, const char *name) {
    char path[4096], *text = NULL, part[4097];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    check(file != NULL);
    for (size_t count; (count = fread(part, 1, sizeof part - 1, file)) > 0;) {
        part[count] = '\0';
        append(&text, part);
    }
    fclose(file);
    cJSON *value = cJSON_Parse(text);
    if (value == NULL) {
        fprintf(stderr, "%s is no JSON: %s\n", path, cJSON_GetErrorPtr());
    }
    check(value != NULL);
    free(text);
    return value;
}

static cJSON *secret_option_names(const char *folder) {
    cJSON *tables = read_json(folder, "../tables.json"), *names = cJSON_CreateArray();
    const cJSON *option;
    cJSON_ArrayForEach(option, cJSON_GetObjectItem(tables, "options")) {
        if (strcmp(cJSON_GetObjectItem(option, "type")->valuestring, "secret") == 0) {
            cJSON_AddItemToArray(names, cJSON_CreateString(cJSON_GetObjectItem(option, "name")->valuestring));
        }
    }
    cJSON_Delete(tables);
    check(cJSON_GetArraySize(names) > 2);
    return names;
}

static void add_secret(cJSON *secrets, const cJSON *object, const char *name) {
    const char *secret = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));
    if (secret != NULL) {
        cJSON_AddItemToArray(secrets, cJSON_CreateString(secret));
    }
}

/* Adds what the vector itself has that nobody may see. */
static void add_secrets(cJSON *secrets, const cJSON *vector) {
    const cJSON *name, *exchange, *call = cJSON_GetObjectItem(vector, "call");
    cJSON_ArrayForEach(name, secret_options) {
        add_secret(secrets, cJSON_GetObjectItem(vector, "options"), name->valuestring);
    }
    add_secret(secrets, cJSON_GetObjectItem(vector, "pass_key"), "k");
    add_secret(secrets, cJSON_GetObjectItem(call, "cloudtower_direct"), "raw_token");
    add_secret(secrets, cJSON_GetObjectItem(call, "cloudtower_via"), "token");
    cJSON_ArrayForEach(exchange, cJSON_GetObjectItem(vector, "exchanges")) {
        const cJSON *json = cJSON_GetObjectItem(cJSON_GetObjectItem(exchange, "response"), "json");
        const cJSON *data = cJSON_GetObjectItem(json, "data");
        add_secret(secrets, data, "ticket");
        add_secret(secrets, data, "password");
        add_secret(secrets, data, "CSRFPreventionToken");
    }
}

/* All that anybody may see: every text of the error, and the log. */
static char *shown(const cpass_error *error) {
    char *text = NULL;
    append(&text, "");
    const char *said[] = {cpass_error_name(error, NULL), cpass_error_message(error, NULL),
                          cpass_error_hint(error, NULL), cpass_error_sentence(error, NULL),
                          cpass_error_fingerprint(error, NULL)};
    for (size_t index = 0; index < sizeof said / sizeof *said; index++) {
        append(&text, said[index] != NULL ? said[index] : "");
        append(&text, "\n");
    }
    for (;;) {
        cpass_log_line *line = NULL;
        fine(cpass_log_next(log_lines, 0, &line));
        if (line == NULL) {
            return text;
        }
        append(&text, cpass_log_line_target(line, NULL));
        append(&text, cpass_log_line_text(line, NULL));
        append(&text, "\n");
        cpass_log_line_free(line);
    }
}

static bool shows_no_secret(const cJSON *secrets, const char *text) {
    const cJSON *secret;
    cJSON_ArrayForEach(secret, secrets) {
        if (strlen(secret->valuestring) >= SHORTEST_SECRET && strstr(text, secret->valuestring) != NULL) {
            fprintf(stderr, "  the secret %s is shown in %s\n", secret->valuestring, text);
            return false;
        }
    }
    return true;
}

static bool contains_all(const cJSON *parts, const struct place *place, const char *text, const char *what) {
    const cJSON *part;
    cJSON_ArrayForEach(part, parts) {
        char *filled = fill(place, part->valuestring);
        bool found = strstr(text, filled) != NULL;
        if (!found) {
            fprintf(stderr, "  the %s should contain %s: %s\n", what, filled, text);
        }
        free(filled);
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool is_error(const cJSON *expected, const struct place *place, const cpass_error *error) {
    const char *code = cJSON_GetObjectItem(expected, "code")->valuestring;
    const cJSON *status = cJSON_GetObjectItem(expected, "http_status");
    const char *fingerprint = cJSON_GetStringValue(cJSON_GetObjectItem(expected, "fingerprint"));
    const char *message = cpass_error_message(error, NULL);
    if (strcmp(code, cpass_error_name(error, NULL)) != 0 ||
        (status != NULL && cpass_error_http_status(error) != (uint16_t)status->valuedouble)) {
        fprintf(stderr, "  should fail with %s and did with %s (HTTP %d): %s\n", code, cpass_error_name(error, NULL),
                cpass_error_http_status(error), message);
        return false;
    }
    if (fingerprint != NULL) {
        const char *seen = cpass_error_fingerprint(error, NULL);
        char *filled = fill(place, fingerprint);
        bool same = seen != NULL && strcmp(seen, filled) == 0;
        if (!same) {
            fprintf(stderr, "  the fingerprint should be %s: %s\n", filled, seen != NULL ? seen : "none");
        }
        free(filled);
        if (!same) {
            return false;
        }
    }
    return contains_all(cJSON_GetObjectItem(expected, "message_contains"), place, message, "message") &&
           contains_all(cJSON_GetObjectItem(expected, "hint_contains"), place, cpass_error_hint(error, NULL), "hint");
}

/* A console says when its ticket ends; the vector says within how many seconds. */
static bool ends_in_time(const cJSON *within, int64_t expires_at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t left = expires_at - ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    if (left <= 0 || left > (int64_t)within->valuedouble * 1000) {
        fprintf(stderr, "  expires in %d ms, and should within %d s\n", (int)left, (int)within->valuedouble);
        return false;
    }
    return true;
}

static bool is_result(const cJSON *expected, const struct place *place, const struct outcome *outcome) {
    cJSON *should = cJSON_Duplicate(expected, true);
    fill_all(place, should);
    cJSON *within = cJSON_IsObject(should) ? cJSON_DetachItemFromObject(should, "expires_within") : NULL;
    bool in_time = within == NULL || ends_in_time(within, outcome->expires_at);
    if (within != NULL && !cJSON_HasObjectItem(should, "password")) {
        cJSON_AddNullToObject(should, "password");
    }
    /* Whoever reads the names of headers does not care about their case. */
    bool same = cJSON_Compare(should, outcome->result, within == NULL);
    if (!same) {
        char *one = cJSON_Print(should), *other = cJSON_Print(outcome->result);
        fprintf(stderr, "  should be %s\n  and is    %s\n", one, other);
        free(one);
        free(other);
    }
    cJSON_Delete(within);
    cJSON_Delete(should);
    return in_time && same;
}

static bool is_as_expected(const cJSON *vector, const struct place *place, const struct outcome *outcome) {
    const cJSON *result = cJSON_GetObjectItem(vector, "result"), *error = cJSON_GetObjectItem(vector, "error");
    if (error != NULL && outcome->error != NULL) {
        return is_error(error, place, outcome->error);
    }
    if (result != NULL && outcome->result != NULL) {
        return is_result(result, place, outcome);
    }
    const char *message = cpass_error_message(outcome->error, NULL);
    fprintf(stderr, "  should have %s: %s\n", error != NULL ? "failed" : "succeeded", message != NULL ? message : "");
    return false;
}

static bool play(const char *file, const cJSON *vector) {
    struct place place = {"", "", ""};
    struct player player = {0, NULL};
    struct outcome outcome;
    const char *name = cJSON_GetObjectItem(vector, "name")->valuestring;
    const char *tls = cJSON_GetStringValue(cJSON_GetObjectItem(vector, "tls"));
    bool played = cJSON_HasObjectItem(cJSON_GetObjectItem(vector, "call"), "open");
    if (played && !start_player(file, name, &player, &place)) {
        fprintf(stderr, "  its server did not start\n");
        return false;
    }
    make_call(vector, &place, &outcome);
    char *different = played ? finish_player(&player) : NULL;
    char *text = shown(outcome.error);
    add_secrets(outcome.secrets, vector);
    bool right = shows_no_secret(outcome.secrets, text) && is_as_expected(vector, &place, &outcome);
    /* What a server without TLS heard was the greeting of TLS, which no script has. */
    if (different != NULL && (tls == NULL || strcmp(tls, "none") != 0)) {
        fprintf(stderr, "  the server: %s\n", different);
        right = false;
    }
    free(different);
    free(text);
    free_outcome(&outcome);
    return right;
}

/* Whether the machine has the address where a vector's server listens. */
static bool can_be_played(const cJSON *vector) {
    const char *listen = cJSON_GetStringValue(cJSON_GetObjectItem(vector, "listen"));
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    if (listen == NULL || inet_pton(AF_INET6, listen, &address.sin6_addr) != 1) {
        return true;
    }
    int tried = socket(AF_INET6, SOCK_STREAM, 0);
    bool bound = tried >= 0 && bind(tried, (struct sockaddr *)&address, sizeof address) == 0;
    if (tried >= 0) {
        close(tried);
    }
    return bound;
}

static const char *prefix;

static int is_ours(const struct dirent *entry) {
    const char *end = strrchr(entry->d_name, '.');
    return strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && end != NULL && strcmp(end, ".json") == 0;
}

int main(int count, char **arguments) {
    check(count == 4);
    const char *folder = arguments[1];
    int all = 0, failed = 0, left_out = 0;
    struct dirent **files;
    prefix = arguments[2];
    fine(cpass_log_new(TEXT("trace"), &log_lines));
    secret_options = secret_option_names(folder);
    int file_count = scandir(folder, &files, is_ours, alphasort);
    for (int number = 0; number < file_count; number++) {
        cJSON *vectors = read_json(folder, files[number]->d_name);
        char path[4096];
        const cJSON *vector;
        snprintf(path, sizeof path, "%s/%s", folder, files[number]->d_name);
        cJSON_ArrayForEach(vector, vectors) {
            const char *name = cJSON_GetObjectItem(vector, "name")->valuestring;
            all++;
            if (!can_be_played(vector)) {
                printf("left out, for this machine has no such address: %s\n", name);
                left_out++;
            } else if (!play(path, vector)) {
                fprintf(stderr, "%s: %s\n", files[number]->d_name, name);
                failed++;
            }
        }
        cJSON_Delete(vectors);
        free(files[number]);
    }
    free(files);
    cpass_log_free(log_lines);
    cJSON_Delete(secret_options);
    printf("%d vectors, %d failed, %d left out\n", all, failed, left_out);
    return failed == 0 && all >= atoi(arguments[3]) ? 0 : 1;
}
