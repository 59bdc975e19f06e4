#include <consolepass.h>
/* Twice in one unit is no harm either. */
#include <consolepass.h>

uint32_t version_of_the_other_unit(void);

uint32_t version_of_the_other_unit(void) {
    return CPASS_ABI_VERSION;
}
