//! One row for each refusal that the real server was seen to give, with its words as they are.

use super::*;

const TOKEN: &str = "portal@pve!console";
const USER: &str = "portal@pve";

fn said(status: u16, words: &str) -> Refusal {
    Refusal { status, words: words.to_owned(), parameters: Vec::new() }
}

fn question(step: Step, account: &str) -> Question<'_> {
    let secrets = vec!["PVEAPIToken=portal@pve!console=aaaa-HUNTER2"];
    Question { step, what: "qemu/100 on pve1", account, is_ticket_alone: false, secrets }
}

#[test]
fn a_ticket_that_was_taken_over_and_is_lost_says_so_and_what_to_use() {
    for (step, words) in
        [(Step::Login, "authentication failure"), (Step::Ticket, "permission denied - invalid PVE ticket")]
    {
        let question = Question { is_ticket_alone: true, ..question(step, USER) };

        let error = refusal(&question, &said(401, words));

        assert_eq!((error.code(), error.http_status()), (Code::AuthFailed, Some(401)));
        assert!(error.to_string().contains("portal@pve that was taken over is no longer good"), "{error}");
        assert!(error.to_string().contains(words) && error.hint().contains("use an API token"), "{error}");
    }
    // What lies at the headers is no matter of the ticket's.
    let question = Question { is_ticket_alone: true, ..question(Step::Ticket, USER) };
    let error = refusal(&question, &said(401, "Permission denied - invalid csrf token"));
    assert!(error.hint().contains("CSRF token did not arrive"), "{}", error.hint());
}

#[test]
fn every_refusal_has_its_code_and_a_hint_that_names_what_to_do() {
    use Code::*;
    use Step::{Login, Lookup, Task, Ticket, Websocket};
    #[rustfmt::skip]
    let rows: &[(Step, &str, u16, &str, Code, &str)] = &[
        // The stage of authentication, in the words of 9.2 and of 8.4.
        (Login, USER, 401, "authentication failure", AuthFailed, "username with its realm"),
        (Ticket, TOKEN, 401, "Authentication failed!", AuthFailed, "token_secret"),
        (Ticket, USER, 401, "Authentication failed!", AuthFailed, "password"),
        (Ticket, USER, 401, "permission denied - invalid PVE ticket", AuthFailed, "password"),
        (Ticket, TOKEN, 401, "invalid token value!", AuthFailed, "secret is not the one"),
        (Ticket, TOKEN, 401, "no such token 'nope' for user 'test@pve'", AuthFailed, "pveum user token list"),
        (Ticket, TOKEN, 401, "token 'exp' access expired", AuthFailed, "later date"),
        (Ticket, TOKEN, 401, "no tokenid specified", AuthFailed, "USER@REALM!TOKENID"),
        (Ticket, TOKEN, 401, "'x' is not a valid token ID", AuthFailed, "USER@REALM!TOKENID"),
        (Websocket, TOKEN, 401, "No ticket", AuthFailed, "Authorization or Cookie"),
        (Lookup, TOKEN, 401, "No ticket", AuthFailed, "Authorization or Cookie"),
        (Ticket, USER, 401, "Permission denied - invalid csrf token", AuthFailed, "CSRF"),
        // The console's ticket.
        (Websocket, TOKEN, 401, "permission denied - invalid PVEVNC ticket", TicketRefused, "same node"),
        (Websocket, TOKEN, 500, "Signature longer than key at /usr/share/perl5/PVE/Ticket.pm line 93.", TicketRefused, "rewrites URLs"),
        // Rights.
        (Ticket, TOKEN, 403, "Permission check failed (/vms/100, VM.Console)", PermissionDenied, "grant VM.Console on /vms/100 to the token portal@pve!console"),
        (Websocket, USER, 403, "Permission check failed (/vms/100, VM.Console)", PermissionDenied, "grant VM.Console on /vms/100 to portal@pve;"),
        (Ticket, USER, 403, "Permission check failed", PermissionDenied, "VM.Console"),
        (Ticket, TOKEN, 403, "Permission check failed (URI '/access/ticket' not available with API token, need proper ticket.)", TokenUnsupported, "user and password"),
        // Inside the call.
        (Ticket, TOKEN, 500, "Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist", MachineNotFound, "leave the node out"),
        (Websocket, TOKEN, 500, "Configuration file 'nodes/pve1/lxc/100.conf' does not exist", MachineNotFound, "leave the node out"),
        (Ticket, TOKEN, 500, "no such cluster node 'pve9'", MachineNotFound, "node's name"),
        (Ticket, TOKEN, 500, "hostname lookup 'pve9' failed - failed to get address info", MachineNotFound, "node's name"),
        (Ticket, TOKEN, 500, "unable to find free port (5900-6000)", Busy, "5900 to 5999"),
        (Ticket, TOKEN, 500, "Timeout while waiting for port '5900' to get ready!", Timeout, "load"),
        (Ticket, TOKEN, 500, "got no worker upid - start worker failed", TicketRefused, "under load"),
        (Ticket, TOKEN, 500, "VM is locked (backup)", TicketRefused, "backup or a migration"),
        (Ticket, TOKEN, 500, "CT is locked (snapshot)", TicketRefused, "backup or a migration"),
        (Ticket, TOKEN, 500, "VM 100 not running", MachineNotRunning, "start the machine"),
        (Ticket, TOKEN, 500, "unable to find a serial interface", NoConsole, "serial port"),
        (Ticket, TOKEN, 500, "value 'portal@pve!console' does not look like a valid user name", TokenUnsupported, "user and password"),
        (Ticket, TOKEN, 500, "something nobody has seen", Protocol, "journalctl"),
        // The upgrade.
        (Websocket, TOKEN, 200, "OK", Protocol, "drops the Upgrade header"),
        (Websocket, TOKEN, 500, "unable to upgrade to protocol 'h2c'", Protocol, "reverse proxy"),
        (Websocket, TOKEN, 500, "unsupported websocket-version '8'", Protocol, "reverse proxy"),
        (Websocket, TOKEN, 500, "unsupported websocket-version ''", Protocol, "reverse proxy"),
        (Websocket, TOKEN, 500, "missing websocket-key", Protocol, "reverse proxy"),
        (Websocket, TOKEN, 500, "missing websocket-protocol header", Protocol, "reverse proxy"),
        (Websocket, TOKEN, 400, "Parameter verification failed.", Protocol, "management API"),
        // The server itself, and what stands around it.
        (Ticket, TOKEN, 501, "Method 'POST /nodes/pve1/qemu/100/vncproxy' not implemented", Protocol, "6.2 or later"),
        (Ticket, TOKEN, 501, "chunked transfer encoding not supported", Protocol, "rewrites requests"),
        (Ticket, TOKEN, 501, "method 'HEAD' not available", Protocol, "rewrites requests"),
        (Ticket, TOKEN, 506, "upload 'Content-Type 'text/plain' not implemented", Protocol, "rewrites requests"),
        (Websocket, TOKEN, 506, "http protocol version 2.0 not supported", Protocol, "rewrites requests"),
        (Websocket, TOKEN, 506, "unable to parse request header", Protocol, "rewrites requests"),
        (Ticket, TOKEN, 595, "No route to host", Unreachable, "pvedaemon"),
        (Task, TOKEN, 595, "Connection refused", Unreachable, "pvedaemon"),
        (Task, TOKEN, 596, "tls_process_server_certificate: certificate verify failed", Unreachable, "pvecm updatecerts"),
        (Task, TOKEN, 599, "Too many redirections", Unreachable, "pvecm updatecerts"),
        (Lookup, TOKEN, 502, "Bad Gateway", Unreachable, "a proxy before"),
        (Lookup, TOKEN, 404, "Not Found", Protocol, "never answers 404"),
        (Lookup, TOKEN, 418, "I'm a teapot", Protocol, "management API"),
    ];
    for (step, account, status, words, code, hint) in rows {
        let error = refusal(&question(*step, account), &said(*status, words));

        assert_eq!(error.code(), *code, "{status} {words}: {error}");
        assert!(error.hint().contains(hint), "{status} {words}: {}", error.hint());
        assert_eq!(error.http_status(), Some(*status), "{words}");
        assert!(error.to_string().starts_with("proxmox: "), "{error}");
        let named = if *step == Login { USER } else { "qemu/100 on pve1" };
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn the_message_keeps_the_servers_own_words() {
    let error = refusal(&question(Step::Ticket, TOKEN), &said(403, "Permission check failed (/vms/100, VM.Console)"));

    assert_eq!(
        error.to_string(),
        "proxmox: the request for a ticket for qemu/100 on pve1 is not permitted \
         (HTTP 403 Permission check failed (/vms/100, VM.Console))"
    );
}

#[test]
fn a_refused_parameter_is_named_with_its_reason() {
    let with = |name: &str, reason: &str| Refusal {
        status: 400,
        words: "Parameter verification failed.".to_owned(),
        parameters: vec![(name.to_owned(), reason.to_owned())],
    };

    let port = refusal(&question(Step::Websocket, TOKEN), &with("port", "value must have a minimum value of 5900"));
    let number = refusal(&question(Step::Ticket, TOKEN), &with("vmid", "value must have a minimum value of 100"));

    assert_eq!(port.code(), Code::Protocol);
    assert!(port.to_string().contains("port: value must have a minimum value of 5900"), "{port}");
    assert_eq!(number.code(), Code::InvalidArgument);
    assert!(number.to_string().contains("vmid: value must have a minimum value of 100"), "{number}");
}

#[test]
fn a_server_that_repeats_a_secret_is_not_quoted() {
    for words in [
        "bad header PVEAPIToken=portal@pve!console=aaaa-HUNTER2",
        "bad value 'aaaa-HUNTER2'",
        "ticket F(KCGEI#:PVEVNC:6B0261D7::HUNTER2== is odd",
        "cookie PVE:portal@pve:6B::HUNTER2== is odd",
        "cookie PVE%3Aportal%40pve%3A6B%3A%3AHUNTER2 is odd",
    ] {
        for status in [400, 401, 403, 418, 500, 501, 595] {
            let parameters = vec![("x".to_owned(), words.to_owned())];
            let refused = Refusal { status, words: words.to_owned(), parameters };

            let error = refusal(&question(Step::Ticket, TOKEN), &refused);

            let shown = format!("{error} {error:?} {}", error.hint());
            assert!(!shown.contains("HUNTER2"), "{status}: {shown}");
            assert!(shown.contains('…'), "{status}: {shown}");
        }
    }
}

#[test]
fn a_privilege_that_is_a_secret_is_not_quoted_in_the_hint_either() {
    let error = refusal(&question(Step::Ticket, TOKEN), &said(403, "failed (aaaa-HUNTER2, aaaa-HUNTER2)"));

    assert!(!format!("{error} {}", error.hint()).contains("HUNTER2"));
}
