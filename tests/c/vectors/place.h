/* Where a vector's server is, and what its placeholders stand for. */
#ifndef PLACE_H
#define PLACE_H

#include <cjson/cJSON.h>
#include <consolepass.h>

struct place {
    char address[64], port[8], fingerprint[128];
};

/* A text of a vector with the place in it, for the caller to free. */
char *fill(const struct place *place, const char *text);

/* The same for every text within a value, in place of them. */
void fill_all(const struct place *place, cJSON *value);

/* Options as a vector writes them; NULL for none at all. */
cpass_options *options_of(const struct place *place, const cJSON *given);

/* A text with another one in place of each part, for the caller to free. */
char *replaced(const char *text, const char *part, const char *other);

/* Adds to a text that was allocated, or is NULL. */
void append(char **text, const char *more);

#endif
