//! Asking for a console, and every way to be refused one (proxmox-observed sections 4 and 5).

use std::time::Duration;

use consolepass_emulator::proxmox::{Generation, Guest, GuestId, GuestKind, Settings};

use crate::support::socket::{LXC, QEMU, Ticket, upgrade};
use crate::support::{Answer, Client, TOKEN, encoded, quick, request, started};
use consolepass_emulator::proxmox::Emulator;

async fn call(emulator: &Emulator, path: &str, form: &str) -> Answer {
    Client::to(emulator)
        .await
        .post(path, &[("Authorization", TOKEN)], form)
        .await
}

async fn proxy(emulator: &Emulator, form: &str) -> Answer {
    call(emulator, &format!("{QEMU}/vncproxy"), form).await
}

/// The status line of an upgrade with this query.
async fn socket(emulator: &Emulator, base: &str, query: &str) -> Answer {
    upgrade(
        emulator,
        &format!("{base}/vncwebsocket?{query}"),
        &[("Authorization", TOKEN)],
    )
    .await
    .1
}

fn classic() -> Settings {
    Settings {
        generation: Generation::Classic,
        ..quick()
    }
}

#[tokio::test]
async fn a_hardened_reply_has_a_password_that_also_stands_before_the_ticket() {
    let emulator = started(quick()).await;

    let reply = proxy(&emulator, "websocket=1").await.data();

    let keys: Vec<&str> = reply
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(keys, ["cert", "password", "port", "ticket", "upid", "user"]);
    let (password, ticket) = (
        reply["password"].as_str().unwrap(),
        reply["ticket"].as_str().unwrap(),
    );
    assert_eq!((password.len(), ticket.len()), (8, 370));
    assert!(
        password.bytes().all(|byte| (0x21..=0x60).contains(&byte)),
        "{password}"
    );
    assert!(
        ticket.starts_with(&format!("{password}:PVEVNC:")),
        "{ticket}"
    );
    assert_eq!(reply["port"], "5900", "a string");
    assert_eq!(reply["user"], "portal@pve!console");
    assert_eq!(reply["cert"], emulator.ca_pem());
    assert!(reply["upid"].as_str().unwrap().starts_with("UPID:pve1:"));
}

#[tokio::test]
async fn a_classic_reply_has_a_password_only_on_request_and_never_before_the_ticket() {
    let emulator = started(classic()).await;

    let plain = proxy(&emulator, "websocket=1").await.data();
    let with_password = proxy(&emulator, "websocket=1&generate-password=1")
        .await
        .data();

    assert!(plain.get("password").is_none());
    for reply in [&plain, &with_password] {
        let ticket = reply["ticket"].as_str().unwrap();
        assert!(
            ticket.starts_with("PVEVNC:") && ticket.len() == 361,
            "{ticket}"
        );
    }
    assert_eq!(with_password["password"].as_str().unwrap().len(), 8);
}

#[tokio::test]
async fn a_forced_password_carries_every_dangerous_character_to_its_place() {
    let mut settings = quick();
    settings.faults.password = Some("%+&#;=?/".to_owned());
    let emulator = started(settings).await;

    let ticket = Ticket::for_machine(&emulator).await;
    let (_, answer) = upgrade(&emulator, &ticket.path(), &[("Authorization", TOKEN)]).await;

    assert_eq!(ticket.text("password"), "%+&#;=?/");
    assert!(ticket.text("ticket").starts_with("%+&#;=?/:PVEVNC:"));
    assert_eq!(answer.status_line, "HTTP/1.1 101 Switching Protocols");
}

#[tokio::test]
async fn booleans_are_one_and_nought_in_a_form_and_anything_in_json() {
    let emulator = started(quick()).await;
    let json = async |body: &str| {
        let headers = [
            ("Authorization", TOKEN),
            ("Content-Type", "application/json"),
        ];
        let mut client = Client::to(&emulator).await;
        client
            .send(request("POST", &format!("{QEMU}/vncproxy"), &headers, body))
            .await;
        client.answer().await.status_line
    };

    let form = proxy(&emulator, "websocket=true").await;

    assert_eq!(
        form.status_line,
        "HTTP/1.1 400 Parameter verification failed."
    );
    assert_eq!(
        form.json()["errors"]["websocket"],
        "type check ('boolean') failed - got 'true'"
    );
    assert_eq!(json(r#"{"websocket":true}"#).await, "HTTP/1.1 200 OK");
    assert_eq!(json(r#"{"websocket":1}"#).await, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn what_no_schema_knows_is_refused() {
    let emulator = started(quick()).await;

    let strange = proxy(&emulator, "websocket=1&width=80").await;
    let container = call(
        &emulator,
        &format!("{LXC}/vncproxy"),
        "websocket=1&generate-password=1",
    )
    .await;
    let small = call(
        &emulator,
        &format!("{LXC}/vncproxy"),
        "websocket=1&width=15&height=2161",
    )
    .await;

    let unknown =
        "property is not defined in schema and the schema does not allow additional properties";
    assert_eq!(strange.json()["errors"]["width"], unknown);
    assert_eq!(
        container.status_line,
        "HTTP/1.1 400 Parameter verification failed."
    );
    assert_eq!(container.json()["errors"]["generate-password"], unknown);
    assert_eq!(
        small.json()["errors"]["width"],
        "value must have a minimum value of 16"
    );
    assert_eq!(
        small.json()["errors"]["height"],
        "value must have a maximum value of 2160"
    );
}

#[tokio::test]
async fn a_machine_is_only_where_its_configuration_is_and_rights_are_asked_first() {
    let mut settings = quick();
    settings.nodes.push("pve2".to_owned());
    settings.guests.push(Guest {
        node: "pve2".into(),
        ..Guest::new(GuestId {
            kind: GuestKind::Qemu,
            vmid: 102,
        })
    });
    settings.grants.retain(|grant| grant.path == "/vms");
    let emulator = started(settings).await;
    let line = async |path: &str| {
        call(
            &emulator,
            &format!("/api2/json/nodes/{path}/vncproxy"),
            "websocket=1",
        )
        .await
    };

    for (node, kind, folder, vmid) in [
        ("localhost", "qemu", "qemu-server", 101),
        ("pve1", "qemu", "qemu-server", 999),
        ("pve1", "qemu", "qemu-server", 102),
        ("nowhere", "lxc", "lxc", 200),
    ] {
        let answer = line(&format!("{node}/{kind}/{vmid}")).await;
        let reason =
            format!("Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist");
        assert_eq!(answer.status_line, format!("HTTP/1.1 500 {reason}"));
        assert_eq!(answer.json()["message"], format!("{reason}\n"));
    }
    assert_eq!(line("pve2/qemu/102").await.status_line, "HTTP/1.1 200 OK");
    emulator.reconfigure(|settings| settings.grants.clear());
    assert_eq!(
        line("pve1/qemu/999").await.status_line,
        "HTTP/1.1 403 Permission check failed (/vms/999, VM.Console)"
    );
}

#[tokio::test]
async fn getting_vncproxy_is_not_implemented() {
    let emulator = started(quick()).await;

    let answer = Client::to(&emulator)
        .await
        .get(&format!("{QEMU}/vncproxy"), &[("Authorization", TOKEN)])
        .await;

    assert_eq!(
        answer.status_line,
        "HTTP/1.1 501 Method 'GET /nodes/pve1/qemu/101/vncproxy' not implemented"
    );
}

#[tokio::test]
async fn a_worker_that_does_not_start_is_a_500_once() {
    let mut settings = quick();
    settings.faults.worker_failures = 1;
    let emulator = started(settings).await;

    assert_eq!(
        proxy(&emulator, "websocket=1").await.status_line,
        "HTTP/1.1 500 got no worker upid - start worker failed"
    );
    assert_eq!(
        proxy(&emulator, "websocket=1").await.status_line,
        "HTTP/1.1 200 OK"
    );
}

#[tokio::test]
async fn ports_are_walked_up_until_none_is_left() {
    let emulator = started(quick()).await;

    for port in 5900..=5999 {
        assert_eq!(
            proxy(&emulator, "websocket=1").await.data()["port"],
            port.to_string()
        );
    }

    assert_eq!(
        proxy(&emulator, "websocket=1").await.status_line,
        "HTTP/1.1 500 unable to find free port (5900-6000)"
    );
}

#[tokio::test]
async fn a_ticket_must_be_spelt_with_exactly_one_encoding() {
    let mut settings = quick();
    settings.faults.password = Some("A+B;C&D=".to_owned());
    let emulator = started(settings).await;
    let good = "HTTP/1.1 101 Switching Protocols";
    let bad = "HTTP/1.1 401 permission denied - invalid PVEVNC ticket";
    type Spelling = fn(&str) -> String;
    let spellings: [(&str, Spelling, &str); 8] = [
        ("once", |ticket| encoded(ticket), good),
        (
            "once but for slashes",
            |ticket| encoded(ticket).replace("%2F", "/"),
            good,
        ),
        (
            "raw but for plus",
            |ticket| encoded(ticket).replace("%3A", ":").replace("%2F", "/"),
            good,
        ),
        (
            "equals signs left raw at the end",
            |ticket| encoded(ticket.trim_end_matches('=')) + "==",
            good,
        ),
        ("password cut off", |ticket| encoded(&ticket[9..]), good),
        (
            "raw plus",
            |ticket| encoded(ticket).replace("%2B", "+"),
            bad,
        ),
        (
            "plus as a space",
            |ticket| encoded(ticket).replace("%2B", "%20"),
            bad,
        ),
        ("twice", |ticket| encoded(&encoded(ticket)), bad),
    ];
    for (name, spell, expected) in spellings {
        let ticket = Ticket::for_machine(&emulator).await;
        let path = ticket.path_with(&spell(ticket.text("ticket")));
        let (_, answer) = upgrade(&emulator, &path, &[("Authorization", TOKEN)]).await;
        // A ticket spelt twice may also be too long, which is found first.
        let is_too_long = name == "twice" && answer.status_line.contains("400");
        assert!(
            answer.status_line == expected || is_too_long,
            "{name}: {}",
            answer.status_line
        );
    }
    let ticket = Ticket::for_machine(&emulator).await;
    let raw = ticket.path_with(&ticket.text("ticket").replace('&', "%26"));
    let (_, answer) = upgrade(&emulator, &raw, &[("Authorization", TOKEN)]).await;
    assert!(
        answer.status_line.starts_with("HTTP/1.1 40"),
        "a raw semicolon splits: {}",
        answer.status_line
    );
}

#[tokio::test]
async fn a_ticket_fits_one_user_one_guest_and_when_hardened_one_port() {
    let mut settings = quick();
    settings.guests.push(Guest::new(GuestId {
        kind: GuestKind::Qemu,
        vmid: 102,
    }));
    let emulator = started(settings).await;
    let ticket = Ticket::for_machine(&emulator).await;
    let spelt = encoded(ticket.text("ticket"));
    let login = Client::to(&emulator)
        .await
        .post(
            "/api2/json/access/ticket",
            &[],
            "username=portal@pve&password=portal-password",
        )
        .await
        .data();
    let owner = format!(
        "PVEAuthCookie={}",
        encoded(login["ticket"].as_str().unwrap())
    );
    let bad = "HTTP/1.1 401 permission denied - invalid PVEVNC ticket";

    let other_port = socket(&emulator, QEMU, &format!("port=5950&vncticket={spelt}")).await;
    let other_guest = "/api2/json/nodes/pve1/qemu/102";
    let other_guest = socket(
        &emulator,
        other_guest,
        &format!("port=5900&vncticket={spelt}"),
    )
    .await;
    let other_user = upgrade(&emulator, &ticket.path(), &[("Cookie", &owner)])
        .await
        .1;
    let login_ticket = encoded(login["ticket"].as_str().unwrap());
    let login_ticket = socket(
        &emulator,
        QEMU,
        &format!("port=5900&vncticket={login_ticket}"),
    )
    .await;
    let empty = socket(&emulator, QEMU, "port=5900&vncticket=").await;

    for (name, answer) in [
        ("port", other_port),
        ("guest", other_guest),
        ("user", other_user),
        ("login ticket", login_ticket),
        ("empty", empty),
    ] {
        assert_eq!(answer.status_line, bad, "{name}");
        assert_eq!(
            answer.json()["message"],
            "permission denied - invalid PVEVNC ticket\n"
        );
    }
}

#[tokio::test]
async fn a_classic_ticket_fits_every_port_of_its_guest() {
    let emulator = started(classic()).await;
    let first = Ticket::for_machine(&emulator).await;
    let second = Ticket::for_machine(&emulator).await;

    let crossed = format!(
        "port={}&vncticket={}",
        second.text("port"),
        encoded(first.text("ticket"))
    );
    let answer = socket(&emulator, QEMU, &crossed).await;

    assert_eq!(answer.status_line, "HTTP/1.1 101 Switching Protocols");
}

#[tokio::test]
async fn a_console_ticket_counts_from_twenty_seconds_early_to_forty_seconds_late() {
    let emulator = started(quick()).await;

    for (skew, good) in [
        (0, true),
        (-38, true),
        (-41, false),
        (18, true),
        (22, false),
    ] {
        emulator.reconfigure(|settings| settings.faults.console_ticket_skew = skew);
        let ticket = Ticket::for_machine(&emulator).await;
        let (_, answer) = upgrade(&emulator, &ticket.path(), &[("Authorization", TOKEN)]).await;
        assert_eq!(
            answer.status_line.contains(" 101 "),
            good,
            "{skew}: {}",
            answer.status_line
        );
    }
}

#[tokio::test]
async fn the_websocket_call_checks_its_parameters_like_any_other() {
    let emulator = started(quick()).await;
    let ticket = Ticket::for_machine(&emulator).await;
    let good = format!("port=5900&vncticket={}", encoded(ticket.text("ticket")));
    let missing = "property is missing and it is not optional";
    let unknown =
        "property is not defined in schema and the schema does not allow additional properties";

    for (query, name, reason) in [
        ("port=5900".to_owned(), "vncticket", missing),
        ("vncticket=x".to_owned(), "port", missing),
        (
            "port=22&vncticket=x".to_owned(),
            "port",
            "value must have a minimum value of 5900",
        ),
        (
            "port=6000&vncticket=x".to_owned(),
            "port",
            "value must have a maximum value of 5999",
        ),
        (
            "port=x&vncticket=x".to_owned(),
            "port",
            "type check ('integer') failed - got 'x'",
        ),
        (
            format!("port=5900&vncticket={}", "x".repeat(513)),
            "vncticket",
            "value may only be 512 characters long",
        ),
        (format!("{good}&token=1"), "token", unknown),
        (
            "port=5900&vncticket=a&vncticket=b".to_owned(),
            "vncticket",
            "type check ('string') failed - got ARRAY",
        ),
    ] {
        let answer = socket(&emulator, QEMU, &query).await;
        assert_eq!(
            answer.status_line, "HTTP/1.1 400 Parameter verification failed.",
            "{query}"
        );
        assert_eq!(answer.json()["errors"][name], reason, "{query}");
    }
    assert_eq!(
        socket(&emulator, QEMU, &format!("{good}&_dc=17"))
            .await
            .status_line,
        "HTTP/1.1 101 Switching Protocols"
    );
}

#[tokio::test]
async fn without_an_upgrade_or_with_a_trailing_slash_the_port_is_named_and_not_used() {
    let emulator = started(quick()).await;
    let ticket = Ticket::for_machine(&emulator).await;

    let plain = Client::to(&emulator)
        .await
        .get(&ticket.path(), &[("Authorization", TOKEN)])
        .await;
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
        Client::to(&emulator)
            .await
            .get(path, &all)
            .await
            .status_line
    };
    let path = ticket.path();

    for (headers, expected) in [
        (
            vec![("Upgrade", "h2c")],
            "unable to upgrade to protocol 'h2c'",
        ),
        (
            vec![("Upgrade", "websocket"), ("Sec-WebSocket-Version", "8")],
            "unsupported websocket-version '8'",
        ),
        (
            vec![("Upgrade", "websocket")],
            "unsupported websocket-version ''",
        ),
        (
            vec![("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")],
            "missing websocket-key",
        ),
    ] {
        assert_eq!(
            attempt(&path, &headers).await,
            format!("HTTP/1.1 500 {expected}")
        );
    }
    let good = [
        ("Upgrade", "WebSocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "x"),
    ];
    let mut with_origin = good.to_vec();
    with_origin.extend([("Connection", "close"), ("Origin", "https://evil.example")]);
    assert_eq!(
        attempt(&path, &with_origin).await,
        "HTTP/1.1 101 Switching Protocols"
    );
    let other_format = Ticket::for_machine(&emulator)
        .await
        .path()
        .replace("/json/", "/extjs/");
    assert_eq!(
        attempt(&other_format, &good).await,
        "HTTP/1.1 101 Switching Protocols"
    );
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
    second
        .send(request("GET", &ticket.path(), &upgrade, ""))
        .await;

    assert!(second.is_silent().await);
    emulator
        .wait_until(|record| record.count("GET", "/vncwebsocket") == 2)
        .await
        .unwrap();
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
    client
        .send(request("GET", &ticket.path(), &upgrade, ""))
        .await;
    let (bytes, ending) = client.rest().await;
    let path = format!(
        "/api2/json/nodes/pve1/tasks/{}/status",
        encoded(ticket.text("upid"))
    );
    let task = Client::to(&emulator)
        .await
        .get(&path, &[("Authorization", TOKEN)])
        .await
        .data();

    assert_eq!(
        (bytes, ending),
        (Vec::new(), crate::support::Ending::Clean),
        "no status line at all"
    );
    assert_eq!(
        (&task["status"], &task["exitstatus"]),
        (&"stopped".into(), &"connection timed out".into())
    );
}
