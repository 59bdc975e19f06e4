/*
 * consolepass: console tickets, links and a relay for virtual machines, to embed in a customer portal.
 *
 * A portal's user owns a virtual machine and clicks "Console". This library gets the hypervisor's
 * ticket, builds the one correct URL and, if asked to, relays the bytes, so that noVNC works in the
 * browser while no credential of the hypervisor ever reaches it. A backend opens a console, which is
 * for operators; a relay issues a pass, which is for customers.
 *
 * Linking: cc program.c $(pkg-config --cflags --libs consolepass). The shared library stays in memory
 * once it was loaded.
 *
 * Ownership: every handle is freed by the function of its own name that ends in _free, which accepts
 * NULL. Nothing is ever consumed, and the order of frees does not matter. Text goes in as a pointer
 * and a number of bytes: UTF-8, without a NUL, and not NULL even if it is empty. Text comes out lent:
 * a const char * with a NUL at its end, good until the handle that lent it is freed. What a function
 * makes is written to *out, on success alone. NULL for a handle, text or out that is needed is an
 * error, or for a function without errors the value that means nothing; it never ends the program.
 *
 * Waiting: calls block until they are done or have failed, and there are no callbacks. A timeout is in
 * milliseconds.
 *
 * Threads: a handle may be used by any number of threads at once; it is freed by one of them when the
 * others are done. A thread must not be cancelled within a call (pthread_cancel()), which ends the
 * program, nor leave one by longjmp(), after which its further calls fail.
 *
 * Fork: a relay belongs to the process that started it, and a log to the one that opened it. In a
 * child they, and the relay's events, return CPASS_FORKED, and freeing them is harmless. Everything
 * else works on both sides, relays that were not started yet included.
 *
 * Errors: a function that can fail returns an error or NULL, which is success. A failure of ours is
 * CPASS_INTERNAL, never the end of the program. What is no failure and yet should be known, such as
 * the option insecure, is told by a log alone: open one (cpass_log_new()).
 */
#ifndef CONSOLEPASS_H
#define CONSOLEPASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A result that must be looked at: an error that is dropped is a leak, and a failure that nobody hears of. */
#if defined(__GNUC__) || defined(__clang__)
#define CPASS_MUST_USE __attribute__((warn_unused_result))
#else
#define CPASS_MUST_USE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * ---- Version
 *
 * CPASS_ABI_VERSION and CPASS_VERSION are those of this header; the functions tell those of the
 * library that was loaded. A program that loads the library by itself compares the ABI version before
 * it calls anything else.
 */

#define CPASS_VERSION "0.1.0"

/**
 * The version of the functions in this header. Before 1.0 a new minor version may raise it; afterwards it stays.
 */
#define CPASS_ABI_VERSION 1

/**
 * The ABI version of the loaded library.
 *
 * Returns a number to compare with CPASS_ABI_VERSION.
 */
CPASS_MUST_USE uint32_t cpass_abi_version(void);

/**
 * The version of the loaded library, such as "0.1.0".
 *
 * Memory: the text is static.
 */
CPASS_MUST_USE const char *cpass_version(void);

/*
 * ---- Errors
 *
 * A function that can fail returns NULL when it did not, and else an error that the caller frees. The
 * code says what a program can act on, and is the same in every language, in logs and in events; the
 * message names the thing and the place in words that are safe to log, the hint says what to do. A
 * browser is told the sentence and nothing else.
 */

enum {
  CPASS_OK = 0,  /* nothing failed */
  CPASS_INVALID_ARGUMENT = 1,  /* an option or argument is not valid */
  CPASS_AUTH_FAILED = 2,  /* the portal could not log in to the hypervisor */
  CPASS_TFA_REQUIRED = 3,  /* the portal's hypervisor account asks for a second factor */
  CPASS_PERMISSION_DENIED = 4,  /* the portal may not open a console on this machine */
  CPASS_MACHINE_NOT_FOUND = 5,  /* the machine was not found */
  CPASS_MACHINE_NOT_RUNNING = 6,  /* the machine is not running */
  CPASS_NO_CONSOLE = 7,  /* the machine has no console of this kind */
  CPASS_TICKET_REFUSED = 8,  /* the hypervisor refused the console ticket */
  CPASS_TICKET_EXPIRED = 9,  /* the console ticket expired before it was used */
  CPASS_TOKEN_UNSUPPORTED = 10,  /* this console does not work with an API token */
  CPASS_TLS_UNTRUSTED = 11,  /* the hypervisor's certificate is not trusted */
  CPASS_UNREACHABLE = 12,  /* the hypervisor cannot be reached */
  CPASS_TIMEOUT = 13,  /* the hypervisor did not answer in time */
  CPASS_PROTOCOL = 14,  /* the hypervisor answered in a way that was not understood */
  CPASS_UNSUPPORTED = 15,  /* this is not supported */
  CPASS_BUSY = 16,  /* too many consoles are open */
  CPASS_PASS_INVALID = 17,  /* the console link is not valid */
  CPASS_PASS_EXPIRED = 18,  /* the console link has expired */
  CPASS_PASS_USED = 19,  /* the console link was already used */
  CPASS_PASS_FOREIGN = 20,  /* the console link belongs to another relay */
  CPASS_ORIGIN_REFUSED = 21,  /* the console may not be opened from this page */
  CPASS_DENIED = 22,  /* the portal refused the console */
  CPASS_REVOKED = 23,  /* the portal ended the console */
  CPASS_IDLE = 24,  /* the console was closed because nobody used it */
  CPASS_TIME_LIMIT = 25,  /* the console reached its time limit */
  CPASS_SHUTTING_DOWN = 26,  /* the relay is shutting down */
  CPASS_LISTEN_FAILED = 27,  /* the relay cannot listen */
  CPASS_CLOSED = 28,  /* the console was closed */
  CPASS_FORKED = 29,  /* the relay belongs to another process */
  CPASS_INTERNAL = 30,  /* something went wrong inside the relay */
};

/**
 * Why a call failed.
 */
typedef struct cpass_error cpass_error;

/**
 * The code of an error: CPASS_OK, or another number of this section. Numbers are only ever added.
 */
typedef int32_t cpass_code;

/**
 * The number of what went wrong.
 *
 * error:  may be NULL, which is CPASS_OK.
 */
CPASS_MUST_USE cpass_code cpass_error_code(const cpass_error *error);

/**
 * The name of the code, such as "permission_denied".
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the error is freed. NULL if the error is.
 */
CPASS_MUST_USE const char *cpass_error_name(const cpass_error *error, size_t *length);

/**
 * What failed, where and why, for the log. It holds no secret.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the error is freed. NULL if the error is.
 */
CPASS_MUST_USE const char *cpass_error_message(const cpass_error *error, size_t *length);

/**
 * What the person who runs the portal can do about it.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the error is freed. NULL if the error is.
 */
CPASS_MUST_USE const char *cpass_error_hint(const cpass_error *error, size_t *length);

/**
 * The code in words that a customer may see: it names no host, node, path or upstream's words.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the error is freed. NULL if the error is.
 */
CPASS_MUST_USE const char *cpass_error_sentence(const cpass_error *error, size_t *length);

/**
 * Whether the same call may succeed a moment later, with nothing changed. False for NULL.
 */
CPASS_MUST_USE bool cpass_error_is_retryable(const cpass_error *error);

/**
 * The HTTP status that the management API answered; 0 if there was none.
 */
CPASS_MUST_USE uint16_t cpass_error_http_status(const cpass_error *error);

/**
 * The SHA-256 fingerprint of a certificate that was refused, to compare with the hypervisor's and to pin. NULL if the
 * error is about something else.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the error is freed.
 */
CPASS_MUST_USE
const char *cpass_error_fingerprint(const cpass_error *error,
                                    size_t *length);

/**
 * The public name of the console that the error is about, as in events and the log. NULL if no pass named one.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the error is freed.
 */
CPASS_MUST_USE
const char *cpass_error_reference(const cpass_error *error,
                                  size_t *length);

/**
 * Frees an error, and every text that it lent. NULL is fine.
 */
void cpass_error_free(cpass_error *error);

/*
 * ---- Options
 *
 * Everything is configured by options, whose names, meanings and defaults are the same in every
 * language and file format. All values are text: numbers in decimal digits, durations in whole
 * seconds, true or false, several values separated by commas. They are looked at by the function that
 * takes the options, which names the option that it does not know or cannot use; it copies what it
 * needs, so that the same options may serve again or be freed.
 */

/*
 * The options of a backend of type proxmox:
 *
 * - host (a list): The nodes of one cluster, tried in order: h, h:8006, https://h:8006/,
 *   https://h/prefix; IPv6 with or without brackets.
 * - token_id (text): The API token's id, USER@REALM!TOKENID.
 * - token_secret (a secret): The API token's secret, a UUID.
 * - username (text): USER@REALM, in place of a token.
 * - password (a secret): The user's password.
 * - login_ticket (a secret): A PVEAuthCookie taken over from another client, with username; in place
 *   of password, or beside it. Opening consoles renews it; alone, it is lost after two hours without
 *   one.
 * - csrf_token (a secret): The CSRFPreventionToken that came with login_ticket; without it the ticket
 *   is renewed at once to get one.
 * - fingerprint (a list): SHA-256 fingerprints of the nodes' certificates; then no other certificate
 *   is trusted. Case and colons do not matter; not with ca_file or insecure.
 * - ca_file (text): A PEM file with the certificate authority to trust in place of the system's, for a
 *   cluster its /etc/pve/pve-root-ca.pem; not with fingerprint or insecure.
 * - insecure (true or false; false if not given): Trusts any certificate. Anyone on the path can then
 *   take the token; it is logged at every start.
 * - proxy (a secret): The HTTP proxy before the nodes, http://host:port or
 *   http://user:password@host:port, for API and consoles; the environment's is never used. It is asked
 *   for a host's name, or for one address of a name that has several.
 * - timeout (seconds, 1 to 120; 10 if not given): How long one call to the management API, or the
 *   handshake of one console, may take. Its refusals alone take 3 seconds.
 */

/*
 * The options of a backend of type vnc:
 *
 * - host (a list): The RFB server: h, h:5900, IPv6 with or without brackets, several to be tried in
 *   order, or one unix:/run/vm.sock.
 * - password (a secret): The VNC password, if the server asks for one; its first 8 bytes count.
 * - timeout (seconds, 1 to 120; 10 if not given): How long its name may take to look up; connecting is
 *   part of the relay's handshake_timeout.
 */

/*
 * The options of a relay:
 *
 * - listen (text; 127.0.0.1:8700 if not given): The address and port to listen on, in plain HTTP; port
 *   0 takes a free one. TLS is the reverse proxy's.
 * - public_url (text): Where browsers find the relay, with its path prefix:
 *   https://portal.example.com/console.
 * - allowed_origins (a list): The pages that may open a console: exact scheme, host and port. None
 *   given means the origin of public_url only.
 * - allow_missing_origin (true or false; false if not given): Accepts clients that send no Origin,
 *   that is, programs that are no browsers.
 * - frame_ancestors (a list): The origins whose pages may show the viewer in a frame. None given means
 *   none.
 * - store (text; memory if not given): Where opaque passes are kept: memory.
 * - pass_key_file (text): A JWK file; the relay then accepts signed passes, and issues them unless it
 *   has the public half of a pair alone.
 * - marks_dir (text): A folder where used signed passes are marked, one small file each, so that
 *   several processes of one machine may accept them; it must outlive restarts. Without it one process
 *   does, and takes none from before its start.
 * - max_sessions (1 to 1000000; 1000 if not given): How many consoles may be open at once.
 * - max_handshakes (1 to 100000; 200 if not given): How many connections may be on their way to a
 *   console, or idle before it, at once.
 * - handshake_timeout (seconds, 1 to 120; 10 if not given): How long a browser may take to send its
 *   request, and for each answer it owes before the console is up.
 * - session_max_age (seconds, 1 to 2592000; 28800 if not given): How long one console may stay open.
 * - idle_timeout (seconds, 1 to 2592000; 3600 if not given): How long a console may stay open while
 *   the person does nothing; screen updates do not count.
 * - ping_interval (seconds, 1 to 3600; 25 if not given): How often both sides are pinged; a side that
 *   was silent for two intervals is taken for dead.
 * - shutdown_grace (seconds, 0 to 3600; 5 if not given): How long a stop waits for browsers to hear
 *   why their console ends.
 */

/*
 * The options of an issuer:
 *
 * - public_url (text): The public_url of the relay that will take the passes.
 * - pass_key_file (text): The JWK file that the relay has as well, or the private half of the pair
 *   whose public one it has.
 */

/*
 * The options of a pass:
 *
 * - user (text): The portal's name for the person, for the log.
 * - ttl (seconds, 1 to 300; 60 if not given): How long the pass may wait for its browser.
 * - kind (text; vnc if not given): The kind of console: vnc.
 */

/*
 * The options of a page:
 *
 * - version (text; 1.7 if not given): The version of the noVNC that serves the page, 0.5 to 1.7.
 * - view_only (true or false; false if not given): The page sends no input. It is the page's own
 *   promise, no protection.
 * - resize (text; scale if not given): off, scale or remote.
 * - with_password (true or false; false if not given): Puts the VNC password into the link's fragment,
 *   so that the page does not ask for it.
 * - foreign_origin (true or false; false if not given): Allows a page that the hypervisor itself does
 *   not serve: its scripts see the ticket.
 */

/**
 * A set of options.
 */
typedef struct cpass_options cpass_options;

/**
 * Makes an empty set of options.
 *
 * out:  set to the new options.
 *
 * Memory: the caller frees *out with cpass_options_free().
 */
CPASS_MUST_USE cpass_error *cpass_options_new(cpass_options **out);

/**
 * Sets one option, in place of an earlier one of the same name.
 *
 * name:   such as "host".
 * value:  its value as text. It is copied, and overwritten when the options are freed.
 */
CPASS_MUST_USE
cpass_error *cpass_options_set(cpass_options *options,
                               const char *name,
                               size_t name_length,
                               const char *value,
                               size_t value_length);

/**
 * Frees options, and overwrites their values. NULL is fine.
 */
void cpass_options_free(cpass_options *options);

/*
 * ---- Links
 *
 * The link of somebody's noVNC page, or of a websocket. It holds a ticket or a pass, and so does
 * whoever sees it.
 *
 * For SmartX CloudTower there are two links so far, and no backend: ask its API for the machine's vnc
 * by yourself, and give what it answers to the functions below.
 */

/**
 * A link.
 */
typedef struct cpass_link cpass_link;

/**
 * The link's URL: a secret.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the link is freed. NULL if the link is.
 */
CPASS_MUST_USE const char *cpass_link_url(const cpass_link *link, size_t *length);

/**
 * The websocket of a machine at a CloudTower cluster itself, which must be reachable from where the link is used.
 *
 * cluster_ip:  the cluster's address: "192.0.2.1", "h:8443", "https://h", IPv6 with or without brackets.
 * vm_uuid:     as CloudTower answered.
 * host_ip:     as CloudTower answered.
 * raw_token:   raw_token of the answer, not encoded. The other token is refused there.
 * out:         set to the new link.
 *
 * Memory: the caller frees *out with cpass_link_free().
 */
CPASS_MUST_USE
cpass_error *cpass_cloudtower_direct(const char *cluster_ip,
                                     size_t cluster_ip_length,
                                     const char *vm_uuid,
                                     size_t vm_uuid_length,
                                     const char *host_ip,
                                     size_t host_ip_length,
                                     const char *raw_token,
                                     size_t raw_token_length,
                                     cpass_link **out);

/**
 * The websocket of a machine at CloudTower, which passes it on to the cluster.
 *
 * cloudtower:  CloudTower's address: "192.0.2.1", "h:8443", "https://h", IPv6 with or without brackets.
 * vm_uuid:     as CloudTower answered.
 * host_ip:     as CloudTower answered.
 * token:       token of the answer, not encoded. The raw one is refused there.
 * out:         set to the new link.
 *
 * Memory: the caller frees *out with cpass_link_free().
 */
CPASS_MUST_USE
cpass_error *cpass_cloudtower_via(const char *cloudtower,
                                  size_t cloudtower_length,
                                  const char *vm_uuid,
                                  size_t vm_uuid_length,
                                  const char *host_ip,
                                  size_t host_ip_length,
                                  const char *token,
                                  size_t token_length,
                                  cpass_link **out);

/**
 * Frees a link, and overwrites it. NULL is fine.
 */
void cpass_link_free(cpass_link *link);

/*
 * ---- Parameters of RFB()
 *
 * What a page of one's own gives to noVNC's new RFB(element, url, { credentials: { password } }), and
 * to react-vnc.
 */

/**
 * A websocket and its password.
 */
typedef struct cpass_rfb_parameters cpass_rfb_parameters;

/**
 * The websocket, with the ticket or pass in it: a secret. It is ready to use; any further encoding breaks the ticket.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the parameters are freed. NULL if the parameters are.
 */
CPASS_MUST_USE
const char *cpass_rfb_parameters_url(const cpass_rfb_parameters *rfb_parameters,
                                     size_t *length);

/**
 * The VNC password: a secret. NULL if the server asks for none, as the relay does.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the parameters are freed.
 */
CPASS_MUST_USE
const char *cpass_rfb_parameters_password(const cpass_rfb_parameters *rfb_parameters,
                                          size_t *length);

/**
 * Frees parameters, and overwrites them. NULL is fine.
 */
void cpass_rfb_parameters_free(cpass_rfb_parameters *rfb_parameters);

/*
 * ---- Consoles
 *
 * A console is a ticket with everything needed to use it: where to connect, with what, and until when.
 * It holds secrets of the hypervisor, and is for the portal's own process and for operators, never for
 * a customer's browser.
 */

/**
 * An open console.
 */
typedef struct cpass_console cpass_console;

/**
 * The machine, with the type and node that the backend found: "pve1/qemu/101".
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the console is freed. NULL if the console is.
 */
CPASS_MUST_USE const char *cpass_console_machine(const cpass_console *console, size_t *length);

/**
 * The kind of console: "vnc".
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the console is freed. NULL if the console is.
 */
CPASS_MUST_USE const char *cpass_console_kind(const cpass_console *console, size_t *length);

/**
 * The websocket to open, with the ticket in it: a secret. NULL if the console is a plain RFB server. It is ready to use; any
 * further encoding breaks the ticket.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the console is freed.
 */
CPASS_MUST_USE
const char *cpass_console_websocket_url(const cpass_console *console,
                                        size_t *length);

/**
 * The VNC password: a secret. NULL if the console needs none.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the console is freed.
 */
CPASS_MUST_USE const char *cpass_console_password(const cpass_console *console, size_t *length);

/**
 * The address to dial, such as "192.0.2.1:8006": the one that issued the ticket, for behind a name with several addresses
 * only this one knows it. Through a proxy it is what the proxy is to be asked for. NULL if the console is behind a unix
 * socket, or if only the proxy can look its address up.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the console is freed.
 */
CPASS_MUST_USE
const char *cpass_console_address(const cpass_console *console,
                                  size_t *length);

/**
 * How many headers the websocket's request needs.
 */
CPASS_MUST_USE size_t cpass_console_header_count(const cpass_console *console);

/**
 * The name of a header, counted from 0. NULL if there are not so many.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the console is freed.
 */
CPASS_MUST_USE
const char *cpass_console_header_name(const cpass_console *console,
                                      size_t index,
                                      size_t *length);

/**
 * The value of a header, counted from 0: a secret, for it is the account's own login. NULL if there are not so many.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the console is freed.
 */
CPASS_MUST_USE
const char *cpass_console_header_value(const cpass_console *console,
                                       size_t index,
                                       size_t *length);

/**
 * When the ticket ends, in milliseconds since 1970: the connection must stand by then, and may outlive it. 0 for NULL.
 */
CPASS_MUST_USE
int64_t cpass_console_expires_at(const cpass_console *console);

/**
 * The link of a noVNC page that opens this console, for an operator. Not for customers: the browser then talks to the
 * hypervisor itself, and needs the hypervisor's own login cookie as well.
 *
 * page:     the address of a vnc.html, vnc_lite.html or vnc_auto.html.
 * options:  of the page, listed above; NULL for the defaults.
 * out:      set to the new link.
 *
 * Memory: the caller frees *out with cpass_link_free().
 */
CPASS_MUST_USE
cpass_error *cpass_console_novnc_url(const cpass_console *console,
                                     const char *page,
                                     size_t page_length,
                                     const cpass_options *options,
                                     cpass_link **out);

/**
 * What a page of one's own gives to RFB() of noVNC. As with cpass_console_novnc_url(), it is not for customers.
 *
 * out:  set to the new parameters.
 *
 * Returns CPASS_UNSUPPORTED if the console is a plain RFB server, which has no websocket.
 *
 * Memory: the caller frees *out with cpass_rfb_parameters_free().
 */
CPASS_MUST_USE
cpass_error *cpass_console_rfb_parameters(const cpass_console *console,
                                          cpass_rfb_parameters **out);

/**
 * Frees a console, and overwrites its secrets. NULL is fine. A connection that was made with it goes on.
 */
void cpass_console_free(cpass_console *console);

/*
 * ---- Backends
 *
 * A backend is one hypervisor's management API and the account to use it with. Making one asks nothing
 * of the hypervisor, and starts no thread. It works on both sides of a fork.
 */

/**
 * A hypervisor and an account on it.
 */
typedef struct cpass_backend cpass_backend;

/**
 * Makes a backend.
 *
 * type:     "proxmox" or "vnc", which is a plain RFB server.
 * options:  of that type, listed above.
 * out:      set to the new backend.
 *
 * Returns CPASS_INVALID_ARGUMENT if an option is unknown, missing or wrong, and names it.
 *
 * Memory: the caller frees *out with cpass_backend_free(); the options are copied.
 */
CPASS_MUST_USE
cpass_error *cpass_backend_new(const char *type,
                               size_t type_length,
                               const cpass_options *options,
                               cpass_backend **out);

/**
 * Opens a console: asks the hypervisor for a ticket, and waits for it.
 *
 * backend:     may be used by several threads at once.
 * machine:     "qemu/101", "lxc/200", "pve2/qemu/101" with its node, or "101".
 * kind:        "vnc".
 * timeout_ms:  how long to wait in all; 0 leaves it to the backend's option timeout, which counts for each question.
 * out:         set to the new console.
 *
 * Returns, beside others, CPASS_AUTH_FAILED, CPASS_PERMISSION_DENIED, CPASS_MACHINE_NOT_FOUND, CPASS_TLS_UNTRUSTED with the
 * fingerprint that was seen, CPASS_UNREACHABLE or CPASS_TIMEOUT.
 *
 * Memory: the caller frees *out with cpass_console_free().
 */
CPASS_MUST_USE
cpass_error *cpass_backend_open(const cpass_backend *backend,
                                const char *machine,
                                size_t machine_length,
                                const char *kind,
                                size_t kind_length,
                                uint32_t timeout_ms,
                                cpass_console **out);

/**
 * Frees a backend. NULL is fine. A relay that was made with it keeps what it needs.
 */
void cpass_backend_free(cpass_backend *backend);

/*
 * ---- Passes
 *
 * A pass is what a portal hands to a browser. It opens one session, soon, and holds no secret of the
 * hypervisor; but whoever has it may use it, so it goes to the one browser that it is meant for, over
 * HTTPS, and into no log.
 */

/**
 * An issued pass.
 */
typedef struct cpass_pass cpass_pass;

/**
 * The websocket, with the pass in it, for a page that knows only a URL: "wss://.../ws?pass=...".
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the pass is freed. NULL if the pass is.
 */
CPASS_MUST_USE const char *cpass_pass_url(const cpass_pass *pass, size_t *length);

/**
 * The page with the viewer, with the pass in its fragment, which no server's log sees: "https://.../#pass=...".
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the pass is freed. NULL if the pass is.
 */
CPASS_MUST_USE
const char *cpass_pass_viewer_url(const cpass_pass *pass,
                                  size_t *length);

/**
 * The websocket sub-protocol to offer in place of a pass in the URL, beside "binary".
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the pass is freed. NULL if the pass is.
 */
CPASS_MUST_USE const char *cpass_pass_sub_protocol(const cpass_pass *pass, size_t *length);

/**
 * The public name of this console, in logs and events from the pass to the end, and for cpass_relay_revoke(). It is safe to
 * show.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the pass is freed. NULL if the pass is.
 */
CPASS_MUST_USE
const char *cpass_pass_reference(const cpass_pass *pass,
                                 size_t *length);

/**
 * When the pass ends if it is not used, in milliseconds since 1970. 0 for NULL.
 */
CPASS_MUST_USE int64_t cpass_pass_expires_at(const cpass_pass *pass);

/**
 * The link of somebody's noVNC page that opens this pass's console, once. The relay has to allow the page's origin.
 *
 * page:     the address of a vnc.html, vnc_lite.html or vnc_auto.html.
 * options:  of the page, listed above; NULL for the defaults.
 * out:      set to the new link.
 *
 * Memory: the caller frees *out with cpass_link_free().
 */
CPASS_MUST_USE
cpass_error *cpass_pass_novnc_url(const cpass_pass *pass,
                                  const char *page,
                                  size_t page_length,
                                  const cpass_options *options,
                                  cpass_link **out);

/**
 * What a page of one's own gives to RFB() of noVNC: the websocket alone, for the relay asks for no password.
 *
 * out:  set to the new parameters.
 *
 * Memory: the caller frees *out with cpass_rfb_parameters_free().
 */
CPASS_MUST_USE
cpass_error *cpass_pass_rfb_parameters(const cpass_pass *pass,
                                       cpass_rfb_parameters **out);

/**
 * Frees a pass, and overwrites it. NULL is fine. The pass itself stays good.
 */
void cpass_pass_free(cpass_pass *pass);

/*
 * ---- Issuers
 *
 * An issuer makes signed passes, where the relay is another process: it needs the relay's public_url
 * and the key that both have, no backend and no port. It starts no thread, and works on both sides of
 * a fork.
 */

/**
 * A maker of passes.
 */
typedef struct cpass_issuer cpass_issuer;

/**
 * Makes an issuer, and reads the key file.
 *
 * options:  of an issuer, listed above.
 * out:      set to the new issuer.
 *
 * Memory: the caller frees *out with cpass_issuer_free(); the options are copied.
 */
CPASS_MUST_USE cpass_error *cpass_issuer_new(const cpass_options *options, cpass_issuer **out);

/**
 * Issues a pass.
 *
 * issuer:   may be used by several threads at once.
 * backend:  the name under which the relay knows the backend.
 * machine:  "qemu/101", "lxc/200", "pve2/qemu/101" with its node, or "101".
 * options:  of a pass, listed above; NULL for the defaults.
 * out:      set to the new pass.
 *
 * Memory: the caller frees *out with cpass_pass_free().
 */
CPASS_MUST_USE
cpass_error *cpass_issuer_issue(const cpass_issuer *issuer,
                                const char *backend,
                                size_t backend_length,
                                const char *machine,
                                size_t machine_length,
                                const cpass_options *options,
                                cpass_pass **out);

/**
 * Frees an issuer. NULL is fine. Its passes stay good.
 */
void cpass_issuer_free(cpass_issuer *issuer);

/*
 * ---- Backends of a relay
 *
 * A relay knows its backends by names of the portal's own, which passes carry: a list of them is made
 * first.
 */

/**
 * Backends by name.
 */
typedef struct cpass_backends cpass_backends;

/**
 * Makes an empty list.
 *
 * out:  set to the new list.
 *
 * Memory: the caller frees *out with cpass_backends_free().
 */
CPASS_MUST_USE cpass_error *cpass_backends_new(cpass_backends **out);

/**
 * Adds a backend.
 *
 * name:     1 to 64 letters, digits, '-', '_' or '.', which cpass_relay_new() looks at; another one than those that are there.
 * backend:  may be freed afterwards.
 */
CPASS_MUST_USE
cpass_error *cpass_backends_add(cpass_backends *backends,
                                const char *name,
                                size_t name_length,
                                const cpass_backend *backend);

/**
 * Frees a list. NULL is fine. The backends are not freed with it.
 */
void cpass_backends_free(cpass_backends *backends);

/*
 * ---- Relays
 *
 * A relay issues passes, and serves the browsers that bring them: it asks for a ticket when a browser
 * has connected, logs in and carries the bytes. Its work is done by threads of its own, from
 * cpass_relay_start() to cpass_relay_stop() or cpass_relay_free(). Start it in the process that is to
 * serve, not before a fork. A portal that has a port of its own does not start it, see below.
 */

/**
 * A relay.
 */
typedef struct cpass_relay cpass_relay;

/**
 * Makes a relay, and reads the key file. Nothing is opened yet.
 *
 * backends:  at least one.
 * options:   of a relay, listed above.
 * out:       set to the new relay.
 *
 * Memory: the caller frees *out with cpass_relay_free(); backends and options are copied.
 */
CPASS_MUST_USE
cpass_error *cpass_relay_new(const cpass_backends *backends,
                             const cpass_options *options,
                             cpass_relay **out);

/**
 * Listens, and serves from now on.
 *
 * Returns CPASS_LISTEN_FAILED if the address is taken: it may be tried again. A relay that was stopped stays so, and
 * returns CPASS_CLOSED.
 */
CPASS_MUST_USE
cpass_error *cpass_relay_start(cpass_relay *relay);

/**
 * The address that it listens on, such as "127.0.0.1:8700", once it was started.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the relay is freed. NULL before the start and after the stop.
 */
CPASS_MUST_USE const char *cpass_relay_address(const cpass_relay *relay, size_t *length);

/**
 * Issues a pass for a machine of one of this relay's backends.
 *
 * relay:    may be used by several threads at once.
 * backend:  its name in the list.
 * machine:  "qemu/101", "lxc/200", "pve2/qemu/101" with its node, or "101".
 * options:  of a pass, listed above; NULL for the defaults.
 * out:      set to the new pass.
 *
 * Memory: the caller frees *out with cpass_pass_free().
 */
CPASS_MUST_USE
cpass_error *cpass_relay_issue(const cpass_relay *relay,
                               const char *backend,
                               size_t backend_length,
                               const char *machine,
                               size_t machine_length,
                               const cpass_options *options,
                               cpass_pass **out);

/**
 * Ends the console of a pass, and makes the pass useless if it was not used yet.
 *
 * reference:  of the pass, as cpass_pass_reference() gave it: kept in the portal's database, or read out by the customer.
 * found:      set to whether there was such a session or unused pass; may be NULL. An unused signed pass is made useless as
 *             well, but cannot be found.
 */
CPASS_MUST_USE
cpass_error *cpass_relay_revoke(const cpass_relay *relay,
                                const char *reference,
                                size_t reference_length,
                                bool *found);

/**
 * How many consoles are open. 0 for NULL, and in a process that was forked off.
 */
CPASS_MUST_USE size_t cpass_relay_session_count(const cpass_relay *relay);

/**
 * Stops for good: accepts nobody any more, tells every browser why its console ends, and waits for that as long as the
 * option shutdown_grace says. What is left then is cut off. Every thread that does it waits for the same end.
 *
 * timeout_ms:  waits no longer than this in any case; 0 leaves it to the option.
 */
CPASS_MUST_USE
cpass_error *cpass_relay_stop(cpass_relay *relay,
                              uint32_t timeout_ms);

/**
 * Frees a relay, and cuts off what it carries; cpass_relay_stop() before it lets the browsers hear why. NULL is fine, and so
 * is a process that was forked off: there it ends nothing.
 */
void cpass_relay_free(cpass_relay *relay);

/*
 * ---- A port of the portal's own
 *
 * A relay need not listen. A portal that accepts by itself hands over each connection whose request is
 * for a path below public_url, with what it has read from it: cpass_relay_serve(). The relay answers
 * it, for the viewer and the websocket alike, with threads that begin then; cpass_relay_start() is not
 * needed. The portal looks at the person's login before, and keeps its one port. A server that ends
 * TLS by itself makes a socketpair(), hands over one end, and copies the bytes between its connection
 * and the other end.
 *
 * A server that does not let a connection go may ask what the relay would answer to a plain request,
 * and send that by itself: cpass_relay_answer(). The websocket needs the connection.
 *
 * With signed passes the option marks_dir is needed, as several processes of the portal may serve
 * them.
 */

/**
 * An answer to a plain request.
 */
typedef struct cpass_answer cpass_answer;

/**
 * Hands a connection over. It is served in the background, until it ends; the call returns at once.
 *
 * fd:    a TCP connection or a connected unix stream. The relay makes another descriptor of it, so the caller closes this one
 *        when the call has returned, whatever it has returned, and does nothing else with it.
 * read:  what was read from the connection so far: nothing, a part of the request, or all of it and more. It is copied. May
 *        be NULL if read_length is 0.
 *
 * Returns CPASS_INVALID_ARGUMENT if fd is no such connection, or if marks_dir is missing, and CPASS_CLOSED when the relay was
 * stopped. A connection that could not be served later, as too many are on their way, is closed and told in the log.
 */
CPASS_MUST_USE
cpass_error *cpass_relay_serve(cpass_relay *relay,
                               int fd,
                               const uint8_t *read,
                               size_t read_length);

/**
 * What the relay answers to a request that asks for no websocket: the viewer's files, or words for who came to the wrong
 * place.
 *
 * method:  "GET". For HEAD the answer is the same, and its body is not sent.
 * path:    with the prefix of public_url or without; no query.
 * out:     set to the new answer.
 *
 * Memory: the caller frees *out with cpass_answer_free().
 */
CPASS_MUST_USE
cpass_error *cpass_relay_answer(const cpass_relay *relay,
                                const char *method,
                                size_t method_length,
                                const char *path,
                                size_t path_length,
                                cpass_answer **out);

/**
 * The HTTP status, such as 200. 0 for NULL.
 */
CPASS_MUST_USE uint16_t cpass_answer_status(const cpass_answer *answer);

/**
 * How many headers it has. Each must be sent; Content-Length is not among them, and is the length of the body.
 */
CPASS_MUST_USE
size_t cpass_answer_header_count(const cpass_answer *answer);

/**
 * The name of a header, counted from 0. NULL if there are not so many.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the answer is freed.
 */
CPASS_MUST_USE
const char *cpass_answer_header_name(const cpass_answer *answer,
                                     size_t index,
                                     size_t *length);

/**
 * The value of a header, counted from 0. NULL if there are not so many.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the answer is freed.
 */
CPASS_MUST_USE
const char *cpass_answer_header_value(const cpass_answer *answer,
                                      size_t index,
                                      size_t *length);

/**
 * The body: bytes, without a NUL at the end.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the bytes are lent until the answer is freed. NULL if the answer is.
 */
CPASS_MUST_USE const uint8_t *cpass_answer_body(const cpass_answer *answer, size_t *length);

/**
 * Frees an answer. NULL is fine.
 */
void cpass_answer_free(cpass_answer *answer);

/*
 * ---- Events
 *
 * What happens to a relay's consoles, for the portal's audit. Events are fetched, by a thread of the
 * portal's own or now and then; those that nobody fetches are dropped, the oldest first, when there
 * are more than 1024, and their number is told.
 */

/**
 * What can happen. More may be added.
 */
typedef enum {
    /**
     * Something that this library cannot name.
     */
    CPASS_EVENT_OTHER = 0,
    /**
     * A browser's pass was taken.
     */
    CPASS_EVENT_TAKEN = 1,
    /**
     * The browser has the screen.
     */
    CPASS_EVENT_CONNECTED = 2,
    /**
     * The console ended, or never began.
     */
    CPASS_EVENT_ENDED = 3,
    /**
     * Events were dropped because they were not fetched in time.
     */
    CPASS_EVENT_LOST = 4,
} cpass_event_what;

/**
 * Something that happened to one console.
 */
typedef struct cpass_event cpass_event;

/**
 * A place to fetch events from.
 */
typedef struct cpass_events cpass_events;

/**
 * Listens to a relay, started or not: from now on events are kept for this handle.
 *
 * out:  set to the new handle.
 *
 * Memory: the caller frees *out with cpass_events_free(), before or after the relay.
 */
CPASS_MUST_USE cpass_error *cpass_events_new(const cpass_relay *relay, cpass_events **out);

/**
 * Fetches the next event, and waits for it.
 *
 * events:      several threads may fetch; each event goes to one of them.
 * timeout_ms:  how long to wait; 0 does not wait.
 * out:         set to the event, or to NULL if there was none in this time.
 *
 * Returns CPASS_CLOSED when the relay was stopped or freed, and everything was fetched.
 *
 * Memory: the caller frees *out with cpass_event_free().
 */
CPASS_MUST_USE
cpass_error *cpass_events_next(cpass_events *events,
                               uint32_t timeout_ms,
                               cpass_event **out);

/**
 * Stops listening. NULL is fine.
 */
void cpass_events_free(cpass_events *events);

/**
 * What happened.
 */
CPASS_MUST_USE cpass_event_what cpass_event_what_happened(const cpass_event *event);

/**
 * When, in milliseconds since 1970.
 */
CPASS_MUST_USE int64_t cpass_event_at(const cpass_event *event);

/**
 * The console's public name, as its pass has it. NULL if no valid pass named one.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the event is freed.
 */
CPASS_MUST_USE const char *cpass_event_reference(const cpass_event *event, size_t *length);

/**
 * The backend's name. NULL if no valid pass named one.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the event is freed.
 */
CPASS_MUST_USE const char *cpass_event_backend(const cpass_event *event, size_t *length);

/**
 * The machine, as the pass spells it. NULL if no valid pass named one.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the event is freed.
 */
CPASS_MUST_USE const char *cpass_event_machine(const cpass_event *event, size_t *length);

/**
 * The portal's name for the person, as the pass was issued with. NULL if it was not given.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the event is freed.
 */
CPASS_MUST_USE const char *cpass_event_user(const cpass_event *event, size_t *length);

/**
 * Why a console ended, as the browser was told. CPASS_OK for every other event.
 */
CPASS_MUST_USE cpass_code cpass_event_code(const cpass_event *event);

/**
 * The name of that code, such as "idle". NULL for every other event.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the event is freed.
 */
CPASS_MUST_USE const char *cpass_event_code_name(const cpass_event *event, size_t *length);

/**
 * Why a console ended, in words that may name hosts and nodes: for the log, not for the browser. NULL for every other event.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the event is freed.
 */
CPASS_MUST_USE
const char *cpass_event_message(const cpass_event *event,
                                size_t *length);

/**
 * How many events were dropped. 0 for every event but CPASS_EVENT_LOST.
 */
CPASS_MUST_USE uint64_t cpass_event_lost(const cpass_event *event);

/**
 * Frees an event. NULL is fine.
 */
void cpass_event_free(cpass_event *event);

/*
 * ---- Log lines
 *
 * What the library would write into a log: a certificate that is not checked, a login that was lost,
 * the way of each console. It prints nothing by itself. Whoever wants the lines opens a log, and
 * fetches them as events are fetched; those that nobody fetches are dropped, the oldest first, when
 * there are more than 1024, and their number is told. A log has the lines of all handles of the
 * process that opened it. No line holds a secret.
 */

/**
 * A place to fetch log lines from.
 */
typedef struct cpass_log cpass_log;

/**
 * One line.
 */
typedef struct cpass_log_line cpass_log_line;

/**
 * Opens a log: from now on lines are kept for this handle.
 *
 * level:  "error", "warn", "info", "debug" or "trace": lines of this level, and of those before it in this list.
 * out:    set to the new log.
 *
 * Memory: the caller frees *out with cpass_log_free().
 */
CPASS_MUST_USE
cpass_error *cpass_log_new(const char *level,
                           size_t level_length,
                           cpass_log **out);

/**
 * Fetches the next line, and waits for it.
 *
 * log:         several threads may fetch; each line goes to one of them.
 * timeout_ms:  how long to wait; 0 does not wait.
 * out:         set to the line, or to NULL if there was none in this time.
 *
 * Returns CPASS_FORKED in a process that was forked off: open another log there.
 *
 * Memory: the caller frees *out with cpass_log_line_free().
 */
CPASS_MUST_USE
cpass_error *cpass_log_next(cpass_log *log,
                            uint32_t timeout_ms,
                            cpass_log_line **out);

/**
 * Closes a log. NULL is fine.
 */
void cpass_log_free(cpass_log *log);

/**
 * When it was written, in milliseconds since 1970.
 */
CPASS_MUST_USE int64_t cpass_log_line_at(const cpass_log_line *log_line);

/**
 * How much it matters: "error", "warn", "info", "debug" or "trace".
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the line is freed. NULL if the line is.
 */
CPASS_MUST_USE const char *cpass_log_line_level(const cpass_log_line *log_line, size_t *length);

/**
 * The part of the library that wrote it, such as "consolepass::relay::events".
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the line is freed. NULL if the line is.
 */
CPASS_MUST_USE const char *cpass_log_line_target(const cpass_log_line *log_line, size_t *length);

/**
 * The whole line: its message, and its fields behind that, as in "console ended reference=8w3kq2m5xd code=idle".
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the line is freed. NULL if the line is.
 */
CPASS_MUST_USE
const char *cpass_log_line_text(const cpass_log_line *log_line,
                                size_t *length);

/**
 * What happened, without the fields.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the line is freed. NULL if the line is.
 */
CPASS_MUST_USE const char *cpass_log_line_message(const cpass_log_line *log_line, size_t *length);

/**
 * How many fields it has.
 */
CPASS_MUST_USE size_t cpass_log_line_field_count(const cpass_log_line *log_line);

/**
 * The name of a field, such as "reference", counted from 0. NULL if there are not so many.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the line is freed.
 */
CPASS_MUST_USE
const char *cpass_log_line_field_name(const cpass_log_line *log_line,
                                      size_t index,
                                      size_t *length);

/**
 * The value of a field, counted from 0. NULL if there are not so many.
 *
 * length:  set to the number of bytes; may be NULL.
 *
 * Memory: the text is lent until the line is freed.
 */
CPASS_MUST_USE
const char *cpass_log_line_field_value(const cpass_log_line *log_line,
                                       size_t index,
                                       size_t *length);

/**
 * How many lines were dropped before this one, if it was written to tell that. 0 for every other line.
 */
CPASS_MUST_USE
uint64_t cpass_log_line_lost(const cpass_log_line *log_line);

/**
 * Frees a line. NULL is fine.
 */
void cpass_log_line_free(cpass_log_line *log_line);

#ifdef __cplusplus
}
#endif

#endif
