#define FFI_SCOPE "CONSOLEPASS"
#define FFI_LIB "libconsolepass.so.0.1"
/*
 * consolepass for PHP's FFI. Made from the same source as consolepass.h, which explains it.
 */

enum { CPASS_ABI_VERSION = 1 };

uint32_t cpass_abi_version(void);

const char *cpass_version(void);

enum {
  CPASS_OK = 0,
  CPASS_INVALID_ARGUMENT = 1,
  CPASS_AUTH_FAILED = 2,
  CPASS_TFA_REQUIRED = 3,
  CPASS_PERMISSION_DENIED = 4,
  CPASS_MACHINE_NOT_FOUND = 5,
  CPASS_MACHINE_NOT_RUNNING = 6,
  CPASS_NO_CONSOLE = 7,
  CPASS_TICKET_REFUSED = 8,
  CPASS_TICKET_EXPIRED = 9,
  CPASS_TOKEN_UNSUPPORTED = 10,
  CPASS_TLS_UNTRUSTED = 11,
  CPASS_UNREACHABLE = 12,
  CPASS_TIMEOUT = 13,
  CPASS_PROTOCOL = 14,
  CPASS_UNSUPPORTED = 15,
  CPASS_BUSY = 16,
  CPASS_PASS_INVALID = 17,
  CPASS_PASS_EXPIRED = 18,
  CPASS_PASS_USED = 19,
  CPASS_PASS_FOREIGN = 20,
  CPASS_ORIGIN_REFUSED = 21,
  CPASS_DENIED = 22,
  CPASS_REVOKED = 23,
  CPASS_IDLE = 24,
  CPASS_TIME_LIMIT = 25,
  CPASS_SHUTTING_DOWN = 26,
  CPASS_LISTEN_FAILED = 27,
  CPASS_CLOSED = 28,
  CPASS_FORKED = 29,
  CPASS_INTERNAL = 30,
};

typedef struct cpass_error cpass_error;

typedef int32_t cpass_code;

cpass_code cpass_error_code(const cpass_error *error);

const char *cpass_error_name(const cpass_error *error, size_t *length);

const char *cpass_error_message(const cpass_error *error, size_t *length);

const char *cpass_error_hint(const cpass_error *error, size_t *length);

const char *cpass_error_sentence(const cpass_error *error, size_t *length);

bool cpass_error_is_retryable(const cpass_error *error);

uint16_t cpass_error_http_status(const cpass_error *error);

const char *cpass_error_fingerprint(const cpass_error *error, size_t *length);

const char *cpass_error_reference(const cpass_error *error, size_t *length);

void cpass_error_free(cpass_error *error);

typedef struct cpass_options cpass_options;

cpass_error *cpass_options_new(cpass_options **out);

cpass_error *cpass_options_set(cpass_options *options,
                               const char *name,
                               size_t name_length,
                               const char *value,
                               size_t value_length);

void cpass_options_free(cpass_options *options);

typedef struct cpass_link cpass_link;

const char *cpass_link_url(const cpass_link *link, size_t *length);

cpass_error *cpass_cloudtower_direct(const char *cluster_ip,
                                     size_t cluster_ip_length,
                                     const char *vm_uuid,
                                     size_t vm_uuid_length,
                                     const char *host_ip,
                                     size_t host_ip_length,
                                     const char *raw_token,
                                     size_t raw_token_length,
                                     cpass_link **out);

cpass_error *cpass_cloudtower_via(const char *cloudtower,
                                  size_t cloudtower_length,
                                  const char *vm_uuid,
                                  size_t vm_uuid_length,
                                  const char *host_ip,
                                  size_t host_ip_length,
                                  const char *token,
                                  size_t token_length,
                                  cpass_link **out);

void cpass_link_free(cpass_link *link);

typedef struct cpass_rfb_parameters cpass_rfb_parameters;

const char *cpass_rfb_parameters_url(const cpass_rfb_parameters *rfb_parameters, size_t *length);

const char *cpass_rfb_parameters_password(const cpass_rfb_parameters *rfb_parameters,
                                          size_t *length);

void cpass_rfb_parameters_free(cpass_rfb_parameters *rfb_parameters);

typedef struct cpass_console cpass_console;

const char *cpass_console_machine(const cpass_console *console, size_t *length);

const char *cpass_console_kind(const cpass_console *console, size_t *length);

const char *cpass_console_websocket_url(const cpass_console *console, size_t *length);

const char *cpass_console_password(const cpass_console *console, size_t *length);

const char *cpass_console_address(const cpass_console *console, size_t *length);

size_t cpass_console_header_count(const cpass_console *console);

const char *cpass_console_header_name(const cpass_console *console, size_t index, size_t *length);

const char *cpass_console_header_value(const cpass_console *console, size_t index, size_t *length);

int64_t cpass_console_expires_at(const cpass_console *console);

cpass_error *cpass_console_novnc_url(const cpass_console *console,
                                     const char *page,
                                     size_t page_length,
                                     const cpass_options *options,
                                     cpass_link **out);

cpass_error *cpass_console_rfb_parameters(const cpass_console *console, cpass_rfb_parameters **out);

void cpass_console_free(cpass_console *console);

typedef struct cpass_backend cpass_backend;

cpass_error *cpass_backend_new(const char *type,
                               size_t type_length,
                               const cpass_options *options,
                               cpass_backend **out);

cpass_error *cpass_backend_open(const cpass_backend *backend,
                                const char *machine,
                                size_t machine_length,
                                const char *kind,
                                size_t kind_length,
                                uint32_t timeout_ms,
                                cpass_console **out);

void cpass_backend_free(cpass_backend *backend);

typedef struct cpass_pass cpass_pass;

const char *cpass_pass_url(const cpass_pass *pass, size_t *length);

const char *cpass_pass_viewer_url(const cpass_pass *pass, size_t *length);

const char *cpass_pass_sub_protocol(const cpass_pass *pass, size_t *length);

const char *cpass_pass_reference(const cpass_pass *pass, size_t *length);

int64_t cpass_pass_expires_at(const cpass_pass *pass);

cpass_error *cpass_pass_novnc_url(const cpass_pass *pass,
                                  const char *page,
                                  size_t page_length,
                                  const cpass_options *options,
                                  cpass_link **out);

cpass_error *cpass_pass_rfb_parameters(const cpass_pass *pass, cpass_rfb_parameters **out);

void cpass_pass_free(cpass_pass *pass);

typedef struct cpass_issuer cpass_issuer;

cpass_error *cpass_issuer_new(const cpass_options *options, cpass_issuer **out);

cpass_error *cpass_issuer_issue(const cpass_issuer *issuer,
                                const char *backend,
                                size_t backend_length,
                                const char *machine,
                                size_t machine_length,
                                const cpass_options *options,
                                cpass_pass **out);

void cpass_issuer_free(cpass_issuer *issuer);

typedef struct cpass_backends cpass_backends;

cpass_error *cpass_backends_new(cpass_backends **out);

cpass_error *cpass_backends_add(cpass_backends *backends,
                                const char *name,
                                size_t name_length,
                                const cpass_backend *backend);

void cpass_backends_free(cpass_backends *backends);

typedef struct cpass_relay cpass_relay;

cpass_error *cpass_relay_new(const cpass_backends *backends,
                             const cpass_options *options,
                             cpass_relay **out);

cpass_error *cpass_relay_start(cpass_relay *relay);

const char *cpass_relay_address(const cpass_relay *relay, size_t *length);

cpass_error *cpass_relay_issue(const cpass_relay *relay,
                               const char *backend,
                               size_t backend_length,
                               const char *machine,
                               size_t machine_length,
                               const cpass_options *options,
                               cpass_pass **out);

cpass_error *cpass_relay_revoke(const cpass_relay *relay,
                                const char *reference,
                                size_t reference_length,
                                bool *found);

size_t cpass_relay_session_count(const cpass_relay *relay);

cpass_error *cpass_relay_stop(cpass_relay *relay, uint32_t timeout_ms);

void cpass_relay_free(cpass_relay *relay);

typedef struct cpass_answer cpass_answer;

cpass_error *cpass_relay_serve(cpass_relay *relay, int fd, const uint8_t *read, size_t read_length);

cpass_error *cpass_relay_answer(const cpass_relay *relay,
                                const char *method,
                                size_t method_length,
                                const char *path,
                                size_t path_length,
                                cpass_answer **out);

uint16_t cpass_answer_status(const cpass_answer *answer);

size_t cpass_answer_header_count(const cpass_answer *answer);

const char *cpass_answer_header_name(const cpass_answer *answer, size_t index, size_t *length);

const char *cpass_answer_header_value(const cpass_answer *answer, size_t index, size_t *length);

const uint8_t *cpass_answer_body(const cpass_answer *answer, size_t *length);

void cpass_answer_free(cpass_answer *answer);

typedef enum {
    CPASS_EVENT_OTHER = 0,
    CPASS_EVENT_TAKEN = 1,
    CPASS_EVENT_CONNECTED = 2,
    CPASS_EVENT_ENDED = 3,
    CPASS_EVENT_LOST = 4,
} cpass_event_what;

typedef struct cpass_event cpass_event;

typedef struct cpass_events cpass_events;

cpass_error *cpass_events_new(const cpass_relay *relay, cpass_events **out);

cpass_error *cpass_events_next(cpass_events *events, uint32_t timeout_ms, cpass_event **out);

void cpass_events_free(cpass_events *events);

cpass_event_what cpass_event_what_happened(const cpass_event *event);

int64_t cpass_event_at(const cpass_event *event);

const char *cpass_event_reference(const cpass_event *event, size_t *length);

const char *cpass_event_backend(const cpass_event *event, size_t *length);

const char *cpass_event_machine(const cpass_event *event, size_t *length);

const char *cpass_event_user(const cpass_event *event, size_t *length);

cpass_code cpass_event_code(const cpass_event *event);

const char *cpass_event_code_name(const cpass_event *event, size_t *length);

const char *cpass_event_message(const cpass_event *event, size_t *length);

uint64_t cpass_event_lost(const cpass_event *event);

void cpass_event_free(cpass_event *event);

typedef struct cpass_log cpass_log;

typedef struct cpass_log_line cpass_log_line;

cpass_error *cpass_log_new(const char *level, size_t level_length, cpass_log **out);

cpass_error *cpass_log_next(cpass_log *log, uint32_t timeout_ms, cpass_log_line **out);

void cpass_log_free(cpass_log *log);

int64_t cpass_log_line_at(const cpass_log_line *log_line);

const char *cpass_log_line_level(const cpass_log_line *log_line, size_t *length);

const char *cpass_log_line_target(const cpass_log_line *log_line, size_t *length);

const char *cpass_log_line_text(const cpass_log_line *log_line, size_t *length);

const char *cpass_log_line_message(const cpass_log_line *log_line, size_t *length);

size_t cpass_log_line_field_count(const cpass_log_line *log_line);

const char *cpass_log_line_field_name(const cpass_log_line *log_line, size_t index, size_t *length);

const char *cpass_log_line_field_value(const cpass_log_line *log_line,
                                       size_t index,
                                       size_t *length);

uint64_t cpass_log_line_lost(const cpass_log_line *log_line);

void cpass_log_line_free(cpass_log_line *log_line);
