/* The calls of vectors, through the C API. */
#ifndef CALLS_H
#define CALLS_H

#include "place.h"

/* What came of a vector's call: a value, or an error. */
struct outcome {
    cJSON *result;
    cpass_error *error;
    /* Milliseconds since 1970, of a console. */
    int64_t expires_at;
    /* What became known by the call, and nobody else may see: an array of texts. */
    cJSON *secrets;
};

/* Makes the call. */
void make_call(const cJSON *vector, const struct place *place, struct outcome *outcome);

void free_outcome(struct outcome *outcome);

/* The options of a vector's backend: where the player is, and that it is trusted, unless the vector says other. */
cpass_options *backend_options(const cJSON *vector, const struct place *place);

#endif
