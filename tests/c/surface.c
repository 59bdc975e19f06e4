/* Each object once, from its making to its end, with the refusals that a caller can bring about. */
#include "check.h"

static void options_name_what_is_wrong(void) {
    cpass_options *options = NULL;
    cpass_backend *backend = NULL;
    fine(cpass_options_new(&options));
    refused(cpass_options_set(options, TEXT("ho\0st"), TEXT("x")), CPASS_INVALID_ARGUMENT, "name: byte 2 is a NUL");
    refused(cpass_options_set(options, TEXT("host"), TEXT("\xff")), CPASS_INVALID_ARGUMENT, "value: not UTF-8");
    refused(cpass_options_set(options, "host", (size_t)-1, TEXT("x")), CPASS_INVALID_ARGUMENT, "not possible");
    refused(cpass_backend_new(TEXT("proxmox"), options, &backend), CPASS_INVALID_ARGUMENT, "host");
    set(options, "hosts", "pve.example.com");
    refused(cpass_backend_new(TEXT("proxmox"), options, &backend), CPASS_INVALID_ARGUMENT, "unknown option \"hosts\"");
    refused(cpass_backend_new(TEXT("opennebula"), options, &backend), CPASS_UNSUPPORTED, "opennebula");
    refused(cpass_backend_new(TEXT("vmware"), options, &backend), CPASS_INVALID_ARGUMENT, "proxmox and vnc");
    check(backend == NULL);
    cpass_options_free(options);
}

static void a_console_has_what_is_needed(const cpass_backend *backend) {
    cpass_console *console = NULL;
    cpass_options *page = NULL;
    cpass_link *link = NULL;
    cpass_rfb_parameters *parameters = NULL;
    size_t length = 0;
    fine(cpass_backend_open(backend, TEXT("qemu/101"), TEXT("vnc"), 0, &console));
    check(strcmp(cpass_console_kind(console, &length), "vnc") == 0 && length == 3);
    const char *url = cpass_console_websocket_url(console, &length);
    check(strncmp(url, "wss://", 6) == 0 && strlen(url) == length);
    check(strlen(cpass_console_password(console, NULL)) == 8);
    check(cpass_console_header_count(console) == 1);
    check(strcmp(cpass_console_header_name(console, 0, NULL), "authorization") == 0);
    check(strncmp(cpass_console_header_value(console, 0, &length), "PVEAPIToken=", 12) == 0);
    check(cpass_console_header_name(console, 1, &length) == NULL && length == 0);
    check(cpass_console_header_value(console, (size_t)-1, NULL) == NULL);
    check(cpass_console_expires_at(console) > INT64_C(1700000000000));
    refused(cpass_console_novnc_url(console, TEXT("https://portal.example.com/vnc.html"), NULL, &link),
            CPASS_INVALID_ARGUMENT, "scripts of this page");
    fine(cpass_options_new(&page));
    set(page, "foreign_origin", "true");
    fine(cpass_console_novnc_url(console, TEXT("https://portal.example.com/vnc.html"), page, &link));
    check(strncmp(cpass_link_url(link, NULL), "https://portal.example.com/vnc.html#", 36) == 0);
    fine(cpass_console_rfb_parameters(console, &parameters));
    check(strcmp(cpass_rfb_parameters_url(parameters, &length), url) == 0 && length == strlen(url));
    check(strcmp(cpass_rfb_parameters_password(parameters, &length), cpass_console_password(console, NULL)) == 0);
    check(length == 8);
    cpass_console_free(console);
    cpass_options_free(page);
    /* They were made of the console, and are no part of it. */
    check(strncmp(cpass_rfb_parameters_url(parameters, NULL), "wss://", 6) == 0);
    cpass_rfb_parameters_free(parameters);
    cpass_link_free(link);
}

static void a_plain_rfb_server_has_no_websocket(void) {
    cpass_options *options = NULL;
    cpass_backend *backend = NULL;
    cpass_console *console = NULL;
    cpass_rfb_parameters *parameters = NULL;
    fine(cpass_options_new(&options));
    set(options, "host", "unix:/nowhere/vm.sock");
    fine(cpass_backend_new(TEXT("vnc"), options, &backend));
    fine(cpass_backend_open(backend, TEXT("vm"), TEXT("vnc"), 0, &console));
    check(cpass_console_websocket_url(console, NULL) == NULL && cpass_console_address(console, NULL) == NULL);
    refused(cpass_console_rfb_parameters(console, &parameters), CPASS_UNSUPPORTED, "no websocket");
    check(parameters == NULL);
    cpass_console_free(console);
    cpass_backend_free(backend);
    cpass_options_free(options);
}

static void cloudtower_has_two_links(void) {
    cpass_link *link = NULL;
    size_t length = 0;
    const char direct[] = "wss://192.0.2.2/websockify/?uuid=u&token=raw&host=192.0.2.4";
    fine(cpass_cloudtower_direct(TEXT("192.0.2.2"), TEXT("u"), TEXT("192.0.2.4"), TEXT("raw"), &link));
    check(strcmp(cpass_link_url(link, &length), direct) == 0 && length == sizeof(direct) - 1);
    cpass_link_free(link);
    link = NULL;
    fine(cpass_cloudtower_via(TEXT("tower.example.com"), TEXT("u"), TEXT("192.0.2.4"), TEXT("a+/="), &link));
    check(strcmp(cpass_link_url(link, NULL),
                 "wss://tower.example.com/websockify/?token=a%2B%2F%3D&uuid=u&host=192.0.2.4") == 0);
    cpass_link_free(link);
    link = NULL;
    refused(cpass_cloudtower_via(TEXT("a b"), TEXT("u"), TEXT("192.0.2.4"), TEXT("a+/="), &link),
            CPASS_INVALID_ARGUMENT, "a b");
    check(link == NULL);
}

static void opening_says_why_not(const cpass_backend *backend) {
    cpass_console *console = NULL;
    refused(cpass_backend_open(backend, TEXT("qemu/x"), TEXT("vnc"), 0, &console), CPASS_INVALID_ARGUMENT, "qemu/x");
    refused(cpass_backend_open(backend, TEXT("qemu/101"), TEXT("spice"), 0, &console), CPASS_UNSUPPORTED, "spice");
    refused(cpass_backend_open(backend, TEXT("qemu/999"), TEXT("vnc"), 0, &console), CPASS_MACHINE_NOT_FOUND, "999");
    check(console == NULL);
}

static void many_calls_share_a_backend(const cpass_backend *backend) {
    for (int time = 0; time < 20; time++) {
        cpass_console *console = NULL;
        fine(cpass_backend_open(backend, TEXT("qemu/101"), TEXT("vnc"), 0, &console));
        cpass_console_free(console);
    }
}

static void an_untrusted_certificate_is_told(void) {
    cpass_options *options = NULL;
    cpass_backend *backend = NULL;
    cpass_console *console = NULL;
    fine(cpass_options_new(&options));
    set(options, "host", getenv("PVE_HOST"));
    set(options, "token_id", getenv("PVE_TOKEN_ID"));
    set(options, "token_secret", getenv("PVE_TOKEN_SECRET"));
    fine(cpass_backend_new(TEXT("proxmox"), options, &backend));
    cpass_error *error = cpass_backend_open(backend, TEXT("qemu/101"), TEXT("vnc"), 0, &console);
    check(cpass_error_code(error) == CPASS_TLS_UNTRUSTED && !cpass_error_is_retryable(error));
    check(strcmp(cpass_error_name(error, NULL), "tls_untrusted") == 0);
    check(strcmp(cpass_error_fingerprint(error, NULL), getenv("PVE_FINGERPRINT")) == 0);
    check(strcmp(cpass_error_sentence(error, NULL), "the hypervisor's certificate is not trusted") == 0);
    check(cpass_error_http_status(error) == 0 && strlen(cpass_error_hint(error, NULL)) > 10);
    size_t length = 1;
    check(cpass_error_reference(error, &length) == NULL && length == 0);
    cpass_error_free(error);
    cpass_backend_free(backend);
    cpass_options_free(options);
}

static void an_issuer_signs(void) {
    cpass_options *options = NULL, *of_pass = NULL;
    cpass_issuer *issuer = NULL;
    cpass_pass *pass = NULL;
    cpass_link *link = NULL;
    cpass_rfb_parameters *parameters = NULL;
    fine(cpass_options_new(&options));
    set(options, "public_url", "https://portal.example.com/console");
    set(options, "pass_key_file", "/nowhere/pass.jwk");
    refused(cpass_issuer_new(options, &issuer), CPASS_INVALID_ARGUMENT, "/nowhere/pass.jwk");
    set(options, "pass_key_file", getenv("PASS_KEY_FILE"));
    fine(cpass_issuer_new(options, &issuer));
    cpass_options_free(options);

    fine(cpass_options_new(&of_pass));
    set(of_pass, "ttl", "301");
    refused(cpass_issuer_issue(issuer, TEXT("dc1"), TEXT("qemu/101"), of_pass, &pass), CPASS_INVALID_ARGUMENT,
            "from 1 to 300");
    set(of_pass, "ttl", "30");
    fine(cpass_issuer_issue(issuer, TEXT("dc1"), TEXT("qemu/101"), of_pass, &pass));
    check(strncmp(cpass_pass_url(pass, NULL), "wss://portal.example.com/console/ws?pass=", 41) == 0);
    check(strncmp(cpass_pass_viewer_url(pass, NULL), "https://portal.example.com/console/#pass=", 41) == 0);
    check(strncmp(cpass_pass_sub_protocol(pass, NULL), "consolepass.pass.", 17) == 0);
    check(strlen(cpass_pass_reference(pass, NULL)) == 10);
    check(cpass_pass_expires_at(pass) > INT64_C(1700000000000));
    fine(cpass_pass_novnc_url(pass, TEXT("https://portal.example.com/vnc.html"), NULL, &link));
    check(strstr(cpass_link_url(link, NULL), "path=console%2Fws%3Fpass%3D") != NULL);
    fine(cpass_pass_rfb_parameters(pass, &parameters));
    check(strcmp(cpass_rfb_parameters_url(parameters, NULL), cpass_pass_url(pass, NULL)) == 0);
    check(cpass_rfb_parameters_password(parameters, NULL) == NULL);
    cpass_rfb_parameters_free(parameters);
    cpass_link_free(link);
    cpass_pass_free(pass);
    cpass_options_free(of_pass);
    cpass_issuer_free(issuer);
}

static void a_relay_lives_once(const cpass_backend *backend) {
    cpass_relay *relay = relay_of(backend);
    cpass_events *events = NULL;
    cpass_event *event = NULL;
    cpass_pass *pass = NULL, *none = NULL;
    bool found = false;
    size_t length = 0;
    check(cpass_relay_address(relay, NULL) == NULL);
    fine(cpass_events_new(relay, &events));
    fine(cpass_relay_start(relay));
    refused(cpass_relay_start(relay), CPASS_INVALID_ARGUMENT, "already started");
    check(strncmp(cpass_relay_address(relay, NULL), "127.0.0.1:", 10) == 0);
    refused(cpass_relay_issue(relay, TEXT("dc2"), TEXT("qemu/101"), NULL, &none), CPASS_INVALID_ARGUMENT, "dc1");
    fine(cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &pass));
    const char *reference = cpass_pass_reference(pass, &length);
    fine(cpass_relay_revoke(relay, reference, length, &found));
    check(found);
    fine(cpass_relay_revoke(relay, reference, length, &found));
    check(!found);
    fine(cpass_relay_revoke(relay, TEXT("0123456789"), NULL));
    refused(cpass_relay_revoke(relay, TEXT("dc1"), &found), CPASS_INVALID_ARGUMENT, "reference: \"dc1\"");
    check(cpass_relay_session_count(relay) == 0);
    fine(cpass_events_next(events, 0, &event));
    check(event == NULL);

    fine(cpass_relay_stop(relay, 0));
    fine(cpass_relay_stop(relay, 0));
    refused(cpass_relay_start(relay), CPASS_CLOSED, "stopped");
    refused(cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &none), CPASS_CLOSED, "stopped");
    refused(cpass_events_next(events, 60 * 1000, &event), CPASS_CLOSED, "ended");
    cpass_relay_free(relay);
    refused(cpass_events_next(events, 60 * 1000, &event), CPASS_CLOSED, "ended");
    cpass_events_free(events);
    cpass_pass_free(pass);
}

static void a_port_that_is_taken_is_named_and_may_be_tried_again(const cpass_backend *backend) {
    cpass_relay *first = relay_of(backend), *second = NULL;
    cpass_backends *backends = NULL;
    cpass_options *options = NULL;
    fine(cpass_relay_start(first));
    const char *address = cpass_relay_address(first, NULL);
    fine(cpass_backends_new(&backends));
    fine(cpass_backends_add(backends, TEXT("dc1"), backend));
    refused(cpass_backends_add(backends, TEXT("dc1"), backend), CPASS_INVALID_ARGUMENT, "dc1");
    fine(cpass_options_new(&options));
    set(options, "public_url", "https://portal.example.com");
    set(options, "listen", address);
    fine(cpass_relay_new(backends, options, &second));
    refused(cpass_relay_start(second), CPASS_LISTEN_FAILED, address);
    check(cpass_relay_address(second, NULL) == NULL);
    fine(cpass_relay_stop(first, 0));
    fine(cpass_relay_start(second));
    /* Freed while it serves, and before what it was made of. */
    cpass_relay_free(second);
    cpass_relay_free(first);
    cpass_options_free(options);
    cpass_backends_free(backends);
}

int main(void) {
    check(cpass_abi_version() == CPASS_ABI_VERSION && strcmp(cpass_version(), CPASS_VERSION) == 0);
    options_name_what_is_wrong();
    cpass_backend *backend = backend_from_environment();
    a_console_has_what_is_needed(backend);
    a_plain_rfb_server_has_no_websocket();
    cloudtower_has_two_links();
    opening_says_why_not(backend);
    many_calls_share_a_backend(backend);
    an_untrusted_certificate_is_told();
    an_issuer_signs();
    a_relay_lives_once(backend);
    a_port_that_is_taken_is_named_and_may_be_tried_again(backend);
    cpass_backend_free(backend);
    return 0;
}
