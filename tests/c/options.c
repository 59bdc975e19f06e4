/* Has each object refuse an option that there is none of, and prints which ones it takes. */
#include "check.h"

static void print_refusal(cpass_error *error) {
    check(cpass_error_code(error) == CPASS_INVALID_ARGUMENT);
    puts(cpass_error_message(error, NULL));
    cpass_error_free(error);
}

int main(void) {
    cpass_options *wrong = NULL, *of_issuer = NULL;
    cpass_backend *backend = NULL;
    cpass_backends *backends = NULL;
    cpass_relay *relay = NULL;
    cpass_issuer *issuer = NULL;
    cpass_pass *pass = NULL;
    cpass_link *link = NULL;
    fine(cpass_options_new(&wrong));
    set(wrong, "no_such_option", "x");
    print_refusal(cpass_backend_new(TEXT("proxmox"), wrong, &backend));
    print_refusal(cpass_backend_new(TEXT("vnc"), wrong, &backend));
    fine(cpass_backends_new(&backends));
    print_refusal(cpass_relay_new(backends, wrong, &relay));
    print_refusal(cpass_issuer_new(wrong, &issuer));
    fine(cpass_options_new(&of_issuer));
    set(of_issuer, "public_url", "https://portal.example.com/console");
    set(of_issuer, "pass_key_file", getenv("PASS_KEY_FILE"));
    fine(cpass_issuer_new(of_issuer, &issuer));
    print_refusal(cpass_issuer_issue(issuer, TEXT("dc1"), TEXT("qemu/101"), wrong, &pass));
    fine(cpass_issuer_issue(issuer, TEXT("dc1"), TEXT("qemu/101"), NULL, &pass));
    print_refusal(cpass_pass_novnc_url(pass, TEXT("https://portal.example.com/vnc.html"), wrong, &link));
    cpass_pass_free(pass);
    cpass_issuer_free(issuer);
    cpass_backends_free(backends);
    cpass_options_free(of_issuer);
    cpass_options_free(wrong);
    return 0;
}
