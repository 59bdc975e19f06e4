//! From a ticket to a 101, and every way to be refused one (observed on PVE 8.4 and 9.2).

use std::time::Duration;

use consolepass_emulator::proxmox::{Generation, Guest, GuestId, GuestKind, Settings};

use crate::support::socket::{QEMU, Ticket, upgrade};
use crate::support::{Answer, Client, TOKEN, encoded, quick, request, started};
use consolepass_emulator::proxmox::Emulator;

/// The status line of an upgrade with this query.
async fn socket(emulator: &Emulator, base: &str, query: &str) -> Answer {
    upgrade(emulator, &format!("{base}/vncwebsocket?{query}"), &[("Authorization", TOKEN)]).await.1
}

fn classic() -> Settings {
    Settings { generation: Generation::Classic, ..quick() }
}

type Spelling = fn(&str) -> String;

#[tokio::test]
async fn a_ticket_must_be_spelt_with_exactly_one_encoding() {
    let mut settings = quick();
    settings.faults.password = Some("A+B;C&D=".to_owned());
    let emulator = started(settings).await;
    let good = "HTTP/1.1 101 Switching Protocols";
    let bad = "HTTP/1.1 401 permission denied - invalid PVEVNC ticket";
    let spellings: [(&str, Spelling, &str); 8] = [
        ("once", |ticket| encoded(ticket), good),
        ("once but for slashes", |ticket| encoded(ticket).replace("%2F", "/"), good),
        ("raw but for plus", |ticket| encoded(ticket).replace("%3A", ":").replace("%2F", "/"), good),
        ("equals signs left raw at the end", |ticket| encoded(ticket.trim_end_matches('=')) + "==", good),
        ("password cut off", |ticket| encoded(&ticket[9..]), good),
        ("raw plus", |ticket| encoded(ticket).replace("%2B", "+"), bad),
        ("plus as a space", |ticket| encoded(ticket).replace("%2B", "%20"), bad),
        ("twice", |ticket| encoded(&encoded(ticket)), bad),
    ];
    for (name, spell, expected) in spellings {
        let ticket = Ticket::for_machine(&emulator).await;
        let path = ticket.path_with(&spell(ticket.text("ticket")));
        let (_, answer) = upgrade(&emulator, &path, &[("Authorization", TOKEN)]).await;
        assert_eq!(answer.status_line, expected, "{name}");
    }
    let ticket = Ticket::for_machine(&emulator).await;
    let raw = ticket.path_with(&ticket.text("ticket").replace('&', "%26"));
    let (_, answer) = upgrade(&emulator, &raw, &[("Authorization", TOKEN)]).await;
    assert!(answer.status_line.starts_with("HTTP/1.1 40"), "a raw semicolon splits: {}", answer.status_line);
}

#[tokio::test]
async fn a_ticket_fits_one_user_one_guest_and_when_hardened_one_port() {
    let mut settings = quick();
    settings.guests.push(Guest::new(GuestId { kind: GuestKind::Qemu, vmid: 102 }));
    let emulator = started(settings).await;
    let ticket = Ticket::for_machine(&emulator).await;
    let spelt = encoded(ticket.text("ticket"));
    let login = Client::to(&emulator)
        .await
        .post("/api2/json/access/ticket", &[], "username=portal@pve&password=portal-password")
        .await
        .data();
    let owner = format!("PVEAuthCookie={}", encoded(login["ticket"].as_str().unwrap()));
    let bad = "HTTP/1.1 401 permission denied - invalid PVEVNC ticket";

    let other_port = socket(&emulator, QEMU, &format!("port=5950&vncticket={spelt}")).await;
    let other_guest = "/api2/json/nodes/pve1/qemu/102";
    let other_guest = socket(&emulator, other_guest, &format!("port=5900&vncticket={spelt}")).await;
    let other_user = upgrade(&emulator, &ticket.path(), &[("Cookie", &owner)]).await.1;
    let login_ticket = encoded(login["ticket"].as_str().unwrap());
    let login_ticket = socket(&emulator, QEMU, &format!("port=5900&vncticket={login_ticket}")).await;
    let empty = socket(&emulator, QEMU, "port=5900&vncticket=").await;

    for (name, answer) in [
        ("port", other_port),
        ("guest", other_guest),
        ("user", other_user),
        ("login ticket", login_ticket),
        ("empty", empty),
    ] {
        assert_eq!(answer.status_line, bad, "{name}");
        assert_eq!(answer.json()["message"], "permission denied - invalid PVEVNC ticket\n");
    }
}

#[tokio::test]
async fn a_classic_ticket_fits_every_port_of_its_guest() {
    let emulator = started(classic()).await;
    let first = Ticket::for_machine(&emulator).await;
    let second = Ticket::for_machine(&emulator).await;

    let crossed = format!("port={}&vncticket={}", second.text("port"), encoded(first.text("ticket")));
    let answer = socket(&emulator, QEMU, &crossed).await;

    assert_eq!(answer.status_line, "HTTP/1.1 101 Switching Protocols");
}

#[tokio::test]
async fn a_classic_server_takes_nothing_off_a_ticket_before_it_looks_at_it() {
    let (old, new) = (started(classic()).await, started(quick()).await);

    for (emulator, line) in
        [(&old, "HTTP/1.1 401 permission denied - invalid PVEVNC ticket"), (&new, "HTTP/1.1 101 Switching Protocols")]
    {
        let ticket = Ticket::for_machine(emulator).await;
        let bare = &ticket.text("ticket")[ticket.text("ticket").find("PVEVNC:").unwrap()..];
        let path = ticket.path_with(&encoded(&format!("F(KCGEI#:{bare}")));
        let (_, answer) = upgrade(emulator, &path, &[("Authorization", TOKEN)]).await;
        assert_eq!(answer.status_line, line);
    }
}

#[tokio::test]
async fn a_console_ticket_counts_from_twenty_seconds_early_to_forty_seconds_late() {
    let emulator = started(quick()).await;

    for (skew, good) in [(0, true), (-38, true), (-41, false), (18, true), (22, false)] {
        emulator.reconfigure(|settings| settings.faults.console_ticket_skew = skew);
        let ticket = Ticket::for_machine(&emulator).await;
        let (_, answer) = upgrade(&emulator, &ticket.path(), &[("Authorization", TOKEN)]).await;
        assert_eq!(answer.status_line.contains(" 101 "), good, "{skew}: {}", answer.status_line);
    }
}

#[tokio::test]
async fn the_websocket_call_checks_its_parameters_like_any_other() {
    let emulator = started(quick()).await;
    let ticket = Ticket::for_machine(&emulator).await;
    let good = format!("port=5900&vncticket={}", encoded(ticket.text("ticket")));
    let missing = "property is missing and it is not optional";
    let unknown = "property is not defined in schema and the schema does not allow additional properties";

    for (query, name, reason) in [
        ("port=5900".to_owned(), "vncticket", missing),
        ("vncticket=x".to_owned(), "port", missing),
        ("port=22&vncticket=x".to_owned(), "port", "value must have a minimum value of 5900"),
        ("port=6000&vncticket=x".to_owned(), "port", "value must have a maximum value of 5999"),
        ("port=x&vncticket=x".to_owned(), "port", "type check ('integer') failed - got 'x'"),
        (format!("port=5900&vncticket={}", "x".repeat(513)), "vncticket", "value may only be 512 characters long"),
        (format!("{good}&token=1"), "token", unknown),
        ("port=5900&vncticket=a&vncticket=b".to_owned(), "vncticket", "type check ('string') failed - got ARRAY"),
    ] {
        let answer = socket(&emulator, QEMU, &query).await;
        assert_eq!(answer.status_line, "HTTP/1.1 400 Parameter verification failed.", "{query}");
        assert_eq!(answer.json()["errors"][name], reason, "{query}");
    }
    assert_eq!(
        socket(&emulator, QEMU, &format!("{good}&_dc=17")).await.status_line,
        "HTTP/1.1 101 Switching Protocols"
    );
}

#[tokio::test]
async fn without_an_upgrade_or_with_a_trailing_slash_the_port_is_named_and_not_used() {
    let emulator = started(quick()).await;
    let ticket = Ticket::for_machine(&emulator).await;

    let plain = Client::to(&emulator).await.get(&ticket.path(), &[("Authorization", TOKEN)]).await;
    let slash = ticket.path().replace("vncwebsocket?", "vncwebsocket/?");
    let (_, slash) = upgrade(&emulator, &slash, &[("Authorization", TOKEN)]).await;
    let (_, real) = upgrade(&emulator, &ticket.path(), &[("Authorization", TOKEN)]).await;

    assert_eq!(plain.data()["port"], "5900");
    assert_eq!(slash.data()["port"], "5900");
    assert_eq!(real.status_line, "HTTP/1.1 101 Switching Protocols");
}

#[tokio::test]
async fn a_bad_handshake_is_a_500_and_a_careless_one_is_taken() {
    let emulator = started(quick()).await;
    let ticket = Ticket::for_machine(&emulator).await;
    let attempt = async |path: &str, headers: &[(&str, &str)]| {
        let mut all = vec![("Authorization", TOKEN)];
        all.extend(headers);
        Client::to(&emulator).await.get(path, &all).await.status_line
    };
    let path = ticket.path();

    for (headers, expected) in [
        (vec![("Upgrade", "h2c")], "unable to upgrade to protocol 'h2c'"),
        (vec![("Upgrade", "websocket"), ("Sec-WebSocket-Version", "8")], "unsupported websocket-version '8'"),
        (vec![("Upgrade", "websocket")], "unsupported websocket-version ''"),
        (vec![("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")], "missing websocket-key"),
    ] {
        assert_eq!(attempt(&path, &headers).await, format!("HTTP/1.1 500 {expected}"));
    }
    let good = [("Upgrade", "WebSocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "x")];
    let mut with_origin = good.to_vec();
    with_origin.extend([("Connection", "close"), ("Origin", "https://evil.example")]);
    assert_eq!(attempt(&path, &with_origin).await, "HTTP/1.1 101 Switching Protocols");
    let other_format = Ticket::for_machine(&emulator).await.path().replace("/json/", "/extjs/");
    assert_eq!(attempt(&other_format, &good).await, "HTTP/1.1 101 Switching Protocols");
}

#[tokio::test]
async fn a_port_serves_once_and_then_is_dead_and_a_dead_port_says_nothing() {
    let emulator = started(quick()).await;
    let ticket = Ticket::for_machine(&emulator).await;
    let (_first, answer) = upgrade(&emulator, &ticket.path(), &[("Authorization", TOKEN)]).await;
    assert_eq!(answer.status_line, "HTTP/1.1 101 Switching Protocols");

    let mut second = Client::to(&emulator).await;
    let upgrade = [
        ("Authorization", TOKEN),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "x"),
    ];
    second.send(request("GET", &ticket.path(), &upgrade, "")).await;

    assert!(second.is_silent().await);
    emulator.wait_until(|record| record.count("GET", "/vncwebsocket") == 2).await.unwrap();
    assert_eq!(emulator.requests().last().unwrap().status, None);
}

#[tokio::test]
async fn a_port_waits_only_so_long_and_its_task_says_so() {
    let mut settings = quick();
    settings.timing.listener_life = Duration::ZERO;
    settings.timing.idle_close = Duration::from_millis(150);
    settings.event_loop = consolepass_emulator::proxmox::EventLoop::PurePerl;
    let emulator = started(settings).await;
    let ticket = Ticket::for_machine(&emulator).await;

    let mut client = Client::to(&emulator).await;
    let upgrade = [
        ("Authorization", TOKEN),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "x"),
    ];
    client.send(request("GET", &ticket.path(), &upgrade, "")).await;
    let (bytes, ending) = client.rest().await;
    let path = format!("/api2/json/nodes/pve1/tasks/{}/status", encoded(ticket.text("upid")));
    let task = Client::to(&emulator).await.get(&path, &[("Authorization", TOKEN)]).await.data();

    assert_eq!((bytes, ending), (Vec::new(), crate::support::Ending::Clean), "no status line at all");
    assert_eq!((&task["status"], &task["exitstatus"]), (&"stopped".into(), &"connection timed out".into()));
}
