/* The header in two translation units of one program: this one, and the other. */
#include <consolepass.h>
#include <stddef.h>

uint32_t version_of_the_other_unit(void);

int main(void) {
    const char *version = cpass_version();
    return version != NULL && version_of_the_other_unit() == cpass_abi_version() ? 0 : 1;
}
