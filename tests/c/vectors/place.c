#include "place.h"
#include "../check.h"

char *replaced(const char *text, const char *part, const char *other) {
    char *made = NULL;
    for (const char *found; (found = strstr(text, part)) != NULL; text = found + strlen(part)) {
        char *before = strndup(text, (size_t)(found - text));
        append(&made, before);
        append(&made, other);
        free(before);
    }
    append(&made, text);
    return made;
}

void append(char **text, const char *more) {
    size_t length = *text != NULL ? strlen(*text) : 0;
    char *longer = realloc(*text, length + strlen(more) + 1);
    check(longer != NULL);
    memcpy(longer + length, more, strlen(more) + 1);
    *text = longer;
}

char *fill(const struct place *place, const char *text) {
    char *address = replaced(text, "{address}", place->address);
    char *port = replaced(address, "{port}", place->port);
    char *filled = replaced(port, "{fingerprint}", place->fingerprint);
    free(address);
    free(port);
    return filled;
}

void fill_all(const struct place *place, cJSON *value) {
    if (cJSON_IsString(value)) {
        char *filled = fill(place, value->valuestring);
        cJSON_SetValuestring(value, filled);
        free(filled);
    }
    for (cJSON *member = value->child; member != NULL; member = member->next) {
        fill_all(place, member);
    }
}

/* All values are text in C: numbers, booleans and lists as the header says. */
static char *value_of(const struct place *place, const cJSON *given) {
    char *text = NULL;
    if (cJSON_IsString(given)) {
        return fill(place, given->valuestring);
    }
    append(&text, cJSON_IsTrue(given) ? "true" : cJSON_IsFalse(given) ? "false" : "");
    if (cJSON_IsNumber(given)) {
        char number[32];
        snprintf(number, sizeof number, "%.0f", given->valuedouble);
        append(&text, number);
    }
    for (const cJSON *item = given->child; item != NULL; item = item->next) {
        char *one = value_of(place, item);
        append(&text, one);
        append(&text, item->next != NULL ? "," : "");
        free(one);
    }
    return text;
}

cpass_options *options_of(const struct place *place, const cJSON *given) {
    if (given == NULL) {
        return NULL;
    }
    cpass_options *options = NULL;
    fine(cpass_options_new(&options));
    for (const cJSON *option = given->child; option != NULL; option = option->next) {
        char *value = value_of(place, option);
        set(options, option->string, value);
        free(value);
    }
    return options;
}
