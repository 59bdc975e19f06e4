/* A portal that has one port: a page of its own, and the console's below /console. Ends at the end of its input.
 *
 *   cc -o one_port one_port.c $(pkg-config --cflags --libs consolepass)
 *   PVE_HOST=pve.example.com PVE_FINGERPRINT=AB:CD:... PVE_TOKEN_ID='portal@pve!console' PVE_TOKEN_SECRET=... \
 *       PORT=8080 ./one_port qemu/101
 *
 * A portal of more than one person looks at the login before it issues a pass, and reads from many connections at once.
 */
#include <arpa/inet.h>
#include <consolepass.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { LARGEST_HEAD = 8192 };

/* Prints why, and what to do. Returns whether there was an error. */
static bool failed(cpass_error *error) {
    if (error == NULL) {
        return false;
    }
    fprintf(stderr, "%s: %s\n  %s\n", cpass_error_name(error, NULL), cpass_error_message(error, NULL),
            cpass_error_hint(error, NULL));
    cpass_error_free(error);
    return true;
}

static bool set(cpass_options *options, const char *name, const char *value) {
    return value != NULL && !failed(cpass_options_set(options, name, strlen(name), value, strlen(value)));
}

/* A relay that will not listen, with one backend, which it knows as dc1. NULL if something is wrong. */
static cpass_relay *make_relay(const char *public_url) {
    cpass_options *of_backend = NULL, *of_relay = NULL;
    cpass_backend *backend = NULL;
    cpass_backends *backends = NULL;
    cpass_relay *relay = NULL;
    bool made = !failed(cpass_options_new(&of_backend)) && !failed(cpass_options_new(&of_relay)) &&
                set(of_backend, "host", getenv("PVE_HOST")) &&
                set(of_backend, "fingerprint", getenv("PVE_FINGERPRINT")) &&
                set(of_backend, "token_id", getenv("PVE_TOKEN_ID")) &&
                set(of_backend, "token_secret", getenv("PVE_TOKEN_SECRET")) &&
                set(of_relay, "public_url", public_url) &&
                !failed(cpass_backend_new("proxmox", strlen("proxmox"), of_backend, &backend)) &&
                !failed(cpass_backends_new(&backends)) &&
                !failed(cpass_backends_add(backends, "dc1", strlen("dc1"), backend)) &&
                !failed(cpass_relay_new(backends, of_relay, &relay));
    (void)made; /* What was made is freed either way, and relay says whether all was. */
    cpass_backends_free(backends);
    cpass_backend_free(backend);
    cpass_options_free(of_relay);
    cpass_options_free(of_backend);
    return relay;
}

/* A connection's first bytes, up to the end of the request's head and perhaps beyond. 0 if there is none. */
static size_t read_head(int connection, char *head) {
    size_t length = 0;
    while (length < LARGEST_HEAD) {
        ssize_t count = recv(connection, head + length, LARGEST_HEAD - length, 0);
        if (count <= 0) {
            return 0;
        }
        length += (size_t)count;
        head[length] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL) {
            return length;
        }
    }
    return 0;
}

/* The portal's own page, with a pass that is good for one minute and one console. */
static void show_page(int connection, const cpass_relay *relay, const char *machine) {
    cpass_pass *pass = NULL;
    if (failed(cpass_relay_issue(relay, "dc1", strlen("dc1"), machine, strlen(machine), NULL, &pass))) {
        return;
    }
    dprintf(connection,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
            "<!doctype html><title>My machines</title><a href=\"%s\">Console</a>\n",
            cpass_pass_viewer_url(pass, NULL));
    cpass_pass_free(pass);
}

static void answer(int connection, cpass_relay *relay, const char *machine) {
    char head[LARGEST_HEAD + 1];
    const struct timeval patience = {5, 0};
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    size_t length = read_head(connection, head);
    if (length > 0 && strncmp(head, "GET /console", strlen("GET /console")) == 0) {
        /* From here on it is the relay's, which has a descriptor of its own. */
        (void)failed(cpass_relay_serve(relay, connection, (const uint8_t *)head, length));
    } else if (length > 0 && strncmp(head, "GET / ", strlen("GET / ")) == 0) {
        show_page(connection, relay, machine);
    } else if (length > 0) {
        dprintf(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    close(connection);
}

/* Listens on a port of this machine, and writes where; -1 if that cannot be. */
static int listen_on(const char *port, char *origin, size_t size) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port != NULL ? port : "0"))};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        perror("listen");
        return -1;
    }
    snprintf(origin, size, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return listener;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: one_port MACHINE\n");
        return 2;
    }
    char origin[64], public_url[80];
    int listener = listen_on(getenv("PORT"), origin, sizeof origin);
    snprintf(public_url, sizeof public_url, "%s/console", origin);
    cpass_relay *relay = listener < 0 ? NULL : make_relay(public_url);
    if (relay == NULL) {
        return 1;
    }
    printf("open %s/\n", origin);
    fflush(stdout);
    struct pollfd watched[] = {{.fd = listener, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    while (poll(watched, 2, -1) > 0 && watched[1].revents == 0) {
        int connection = accept(listener, NULL, NULL);
        if (connection >= 0) {
            answer(connection, relay, arguments[1]);
        }
    }
    close(listener);
    bool stopped = !failed(cpass_relay_stop(relay, 0));
    cpass_relay_free(relay);
    return stopped ? 0 : 1;
}
