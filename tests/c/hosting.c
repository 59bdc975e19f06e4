/* A portal that accepts by itself: what it may hand over and what not, and a server that ends TLS by itself, which hands over
 * one end of a pair. */
#include "check.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, TIMES = 10 };

/* Asks for the websocket as no browser does; the answer is always the same. */
static const char request[] = "GET /console/ws HTTP/1.1\r\nHost: portal.example.com\r\nConnection: close\r\n\r\n";

static void refused_as(cpass_relay *relay, int fd, const char *words) {
    refused(cpass_relay_serve(relay, fd, NULL, 0), CPASS_INVALID_ARGUMENT, words);
}

static void what_is_no_connection_is_refused(const cpass_backend *backend) {
    cpass_relay *relay = relay_of(backend);
    struct sockaddr_in any = {.sin_family = AF_INET};
    int ends[2], file = open("/dev/null", O_RDWR), datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    int unconnected = socket(AF_INET, SOCK_STREAM, 0), listener = socket(AF_INET, SOCK_STREAM, 0);
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(pipe(ends) == 0 && bind(listener, (struct sockaddr *)&any, sizeof any) == 0 && listen(listener, 1) == 0);

    refused_as(relay, -1, "fd: -1: it is negative");
    refused_as(relay, -2147483647, "negative");
    refused_as(relay, 987654, "fd: 987654: Bad file descriptor");
    refused_as(relay, file, "no socket");
    refused_as(relay, ends[0], "no socket");
    refused_as(relay, datagrams, "neither a TCP connection nor a unix stream");
    refused_as(relay, unconnected, "not connected");
    refused_as(relay, listener, "not connected");
    refused(cpass_relay_serve(relay, listener, NULL, 1), CPASS_INVALID_ARGUMENT, "read: it is NULL");
    refused(cpass_relay_serve(relay, listener, (const uint8_t *)request, (size_t)-1), CPASS_INVALID_ARGUMENT,
            "not possible");
    /* Each is still the caller's. */
    check(close(file) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0 && close(datagrams) == 0);
    check(close(unconnected) == 0 && close(listener) == 0);
    cpass_relay_free(relay);
}

/* Hands over one end of a pair, with a part of the request; the rest comes over the other end, until it is closed. */
static void is_served(cpass_relay *relay, size_t read_before) {
    int pair[2];
    char told[2048];
    size_t length = 0;
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    fine(cpass_relay_serve(relay, pair[1], (const uint8_t *)request, read_before));
    check(close(pair[1]) == 0);
    size_t rest = sizeof(request) - 1 - read_before;
    /* Where nothing is left the relay may have answered and closed already, and even an empty write would find that. */
    check(rest == 0 || write(pair[0], request + read_before, rest) == (ssize_t)rest);
    for (ssize_t count = 1; count > 0 && length < sizeof(told) - 1; length += (size_t)count) {
        count = read(pair[0], told + length, sizeof(told) - 1 - length);
        check(count >= 0);
    }
    told[length] = '\0';
    check(strncmp(told, "HTTP/1.1 426 ", 13) == 0 && strstr(told, "\r\n\r\n") != NULL);
    check(close(pair[0]) == 0);
}

static void *serve_many(void *relay) {
    for (int time = 0; time < TIMES; time++) {
        is_served((cpass_relay *)relay, (size_t)time * 7);
    }
    return NULL;
}

/* With its first connection a relay belongs to the process, as with its start. */
static void a_child_is_refused(cpass_relay *relay) {
    int pair[2], status = 0;
    cpass_pass *pass = NULL;
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pid_t forked = fork();
    check(forked >= 0);
    if (forked == 0) {
        refused(cpass_relay_serve(relay, pair[1], NULL, 0), CPASS_FORKED, "process");
        refused(cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &pass), CPASS_FORKED, "process");
        refused(cpass_relay_start(relay), CPASS_FORKED, "process");
        cpass_relay_free(relay);
        _exit(0);
    }
    check(waitpid(forked, &status, 0) == forked && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    check(close(pair[0]) == 0 && close(pair[1]) == 0);
}

static void a_relay_that_was_not_started_serves_what_many_threads_hand_over(const cpass_backend *backend) {
    cpass_relay *relay = relay_of(backend);
    pthread_t threads[THREADS];
    is_served(relay, 0);
    is_served(relay, sizeof(request) - 1);
    a_child_is_refused(relay);
    for (int number = 0; number < THREADS; number++) {
        check(pthread_create(&threads[number], NULL, serve_many, relay) == 0);
    }
    /* It may listen as well, at any time. */
    fine(cpass_relay_start(relay));
    check(cpass_relay_address(relay, NULL) != NULL);
    for (int number = 0; number < THREADS; number++) {
        check(pthread_join(threads[number], NULL) == 0);
    }

    int pair[2];
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    fine(cpass_relay_stop(relay, 0));
    refused(cpass_relay_serve(relay, pair[1], NULL, 0), CPASS_CLOSED, "stopped");
    check(close(pair[0]) == 0 && close(pair[1]) == 0);
    cpass_relay_free(relay);
}

/* A relay with connections that are not through is freed, and closes them. */
static void a_relay_is_freed_with_connections_in_hand(const cpass_backend *backend) {
    cpass_relay *relay = relay_of(backend);
    int pair[2];
    char byte;
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    fine(cpass_relay_serve(relay, pair[1], (const uint8_t *)request, 20));
    check(close(pair[1]) == 0);
    cpass_relay_free(relay);
    check(read(pair[0], &byte, 1) <= 0);
    check(close(pair[0]) == 0);
}

static const char *header(const cpass_answer *answer, const char *name) {
    for (size_t index = 0; index < cpass_answer_header_count(answer); index++) {
        if (strcmp(cpass_answer_header_name(answer, index, NULL), name) == 0) {
            return cpass_answer_header_value(answer, index, NULL);
        }
    }
    return NULL;
}

static cpass_answer *answer_to(const cpass_relay *relay, const char *method, const char *path, uint16_t status) {
    cpass_answer *answer = NULL;
    size_t length = 0;
    fine(cpass_relay_answer(relay, method, strlen(method), path, strlen(path), &answer));
    check(cpass_answer_status(answer) == status && header(answer, "content-security-policy") != NULL);
    check(cpass_answer_body(answer, &length) != NULL && length > 0);
    check(cpass_answer_header_name(answer, 99, &length) == NULL && length == 0);
    return answer;
}

static void plain_requests_have_their_answers(const cpass_backend *backend) {
    cpass_relay *relay = relay_of(backend);
    cpass_answer *answer = answer_to(relay, "GET", "/console", 308);
    check(strcmp(header(answer, "location"), "https://portal.example.com/console/") == 0);
    cpass_answer_free(answer);
    answer = answer_to(relay, "GET", "/console/ws", 426);
    check(strcmp(header(answer, "upgrade"), "websocket") == 0);
    cpass_answer_free(answer);
    answer = answer_to(relay, "POST", "/console/", 405);
    check(strcmp(header(answer, "allow"), "GET, HEAD") == 0);
    cpass_answer_free(answer);
    cpass_answer_free(answer_to(relay, "GET", "/console/nothing", 404));
    cpass_answer_free(answer_to(relay, "GET", "/console/../../etc/passwd", 404));
    cpass_answer_free(answer_to(relay, "no method", "", 308));
    refused(cpass_relay_answer(relay, TEXT("GET"), TEXT("/\xff"), &answer), CPASS_INVALID_ARGUMENT, "path: not UTF-8");
    cpass_relay_free(relay);
}

static void signed_passes_need_a_folder_for_their_marks(const cpass_backend *backend) {
    cpass_options *options = NULL;
    cpass_backends *backends = NULL;
    cpass_relay *relay = NULL;
    int pair[2];
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    fine(cpass_options_new(&options));
    set(options, "public_url", "https://portal.example.com/console");
    set(options, "pass_key_file", getenv("PASS_KEY_FILE"));
    fine(cpass_backends_new(&backends));
    fine(cpass_backends_add(backends, TEXT("dc1"), backend));
    fine(cpass_relay_new(backends, options, &relay));
    refused_as(relay, pair[1], "marks_dir");
    cpass_relay_free(relay);
    cpass_backends_free(backends);
    cpass_options_free(options);
    check(close(pair[0]) == 0 && close(pair[1]) == 0);
}

struct direction {
    int from, to;
};

static void *copy(void *argument) {
    const struct direction *direction = (const struct direction *)argument;
    char bytes[4096];
    for (ssize_t count; (count = read(direction->from, bytes, sizeof bytes)) > 0;) {
        check(write(direction->to, bytes, (size_t)count) == count);
    }
    shutdown(direction->to, SHUT_WR);
    return NULL;
}

/* As behind TLS of the server's own: the relay never sees the browser's connection, only the other end of a pair. */
static void a_console_over_a_pair(const cpass_backend *backend) {
    cpass_relay *relay = relay_of(backend);
    cpass_pass *pass = NULL;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int pair[2], listener = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 1) == 0);
    check(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    fine(cpass_relay_issue(relay, TEXT("dc1"), TEXT("qemu/101"), NULL, &pass));
    printf("listening on 127.0.0.1:%d\nwebsocket %s\n", ntohs(address.sin_port), cpass_pass_url(pass, NULL));
    fflush(stdout);

    int browser = accept(listener, NULL, NULL);
    check(browser >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    fine(cpass_relay_serve(relay, pair[1], NULL, 0));
    check(close(pair[1]) == 0);
    struct direction in = {browser, pair[0]}, out = {pair[0], browser};
    pthread_t copying;
    check(pthread_create(&copying, NULL, copy, &out) == 0);
    copy(&in);
    check(pthread_join(copying, NULL) == 0);
    check(close(browser) == 0 && close(listener) == 0 && close(pair[0]) == 0);
    cpass_pass_free(pass);
    cpass_relay_free(relay);
}

int main(void) {
    cpass_backend *backend = backend_from_environment();
    what_is_no_connection_is_refused(backend);
    a_relay_that_was_not_started_serves_what_many_threads_hand_over(backend);
    a_relay_is_freed_with_connections_in_hand(backend);
    plain_requests_have_their_answers(backend);
    signed_passes_need_a_folder_for_their_marks(backend);
    a_console_over_a_pair(backend);
    cpass_backend_free(backend);
    return 0;
}
