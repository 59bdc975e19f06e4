// The header in C++: an error is a value like any other, and a handle fits a unique_ptr.
#include <consolepass.h>
#include <cstring>
#include <memory>

int main() {
    cpass_options *made = nullptr;
    std::unique_ptr<cpass_error, void (*)(cpass_error *)> none(cpass_options_new(&made), cpass_error_free);
    std::unique_ptr<cpass_options, void (*)(cpass_options *)> options(made, cpass_options_free);
    cpass_backend *backend = nullptr;
    std::unique_ptr<cpass_error, void (*)(cpass_error *)> error(cpass_backend_new("proxmox", 7, made, &backend),
                                                                cpass_error_free);
    bool as_expected = !none && backend == nullptr && cpass_error_code(error.get()) == CPASS_INVALID_ARGUMENT &&
                       std::strstr(cpass_error_message(error.get(), nullptr), "host") != nullptr;
    return as_expected && std::strcmp(cpass_version(), CPASS_VERSION) == 0 ? 0 : 1;
}
