//! Asking for a console, and every way to be refused one (observed on PVE 8.4 and 9.2).

use consolepass_emulator::proxmox::{Generation, Guest, GuestId, GuestKind, Settings};

use crate::support::socket::{LXC, QEMU, Ticket, upgrade};
use crate::support::{Answer, Client, TOKEN, encoded, quick, request, started};
use consolepass_emulator::proxmox::Emulator;

async fn call(emulator: &Emulator, path: &str, form: &str) -> Answer {
    Client::to(emulator).await.post(path, &[("Authorization", TOKEN)], form).await
}

async fn proxy(emulator: &Emulator, form: &str) -> Answer {
    call(emulator, &format!("{QEMU}/vncproxy"), form).await
}

fn classic() -> Settings {
    Settings { generation: Generation::Classic, ..quick() }
}

#[tokio::test]
async fn a_hardened_reply_has_a_password_that_also_stands_before_the_ticket() {
    let emulator = started(quick()).await;

    let reply = proxy(&emulator, "websocket=1").await.data();

    let keys: Vec<&str> = reply.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["cert", "password", "port", "ticket", "upid", "user"]);
    let (password, ticket) = (reply["password"].as_str().unwrap(), reply["ticket"].as_str().unwrap());
    assert_eq!((password.len(), ticket.len()), (8, 370));
    assert!(password.bytes().all(|byte| (0x21..=0x60).contains(&byte)), "{password}");
    assert!(ticket.starts_with(&format!("{password}:PVEVNC:")), "{ticket}");
    assert_eq!(reply["port"], "5900", "a string");
    assert_eq!(reply["user"], "portal@pve!console");
    assert_eq!(reply["cert"], emulator.ca_pem());
    assert!(reply["upid"].as_str().unwrap().starts_with("UPID:pve1:"));
}

#[tokio::test]
async fn a_classic_reply_has_a_password_only_on_request_and_never_before_the_ticket() {
    let emulator = started(classic()).await;

    let plain = proxy(&emulator, "websocket=1").await.data();
    let with_password = proxy(&emulator, "websocket=1&generate-password=1").await.data();

    assert!(plain.get("password").is_none());
    for reply in [&plain, &with_password] {
        let ticket = reply["ticket"].as_str().unwrap();
        assert!(ticket.starts_with("PVEVNC:") && ticket.len() == 361, "{ticket}");
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
        let headers = [("Authorization", TOKEN), ("Content-Type", "application/json")];
        let mut client = Client::to(&emulator).await;
        client.send(request("POST", &format!("{QEMU}/vncproxy"), &headers, body)).await;
        client.answer().await.status_line
    };

    let form = proxy(&emulator, "websocket=true").await;

    assert_eq!(form.status_line, "HTTP/1.1 400 Parameter verification failed.");
    assert_eq!(form.json()["errors"]["websocket"], "type check ('boolean') failed - got 'true'");
    assert_eq!(json(r#"{"websocket":true}"#).await, "HTTP/1.1 200 OK");
    assert_eq!(json(r#"{"websocket":1}"#).await, "HTTP/1.1 200 OK");
    let empty = json("").await;
    assert!(empty.starts_with("HTTP/1.1 500 malformed JSON string"), "{empty}");
}

#[tokio::test]
async fn what_no_schema_knows_is_refused() {
    let emulator = started(quick()).await;

    let strange = proxy(&emulator, "websocket=1&width=80").await;
    let container = call(&emulator, &format!("{LXC}/vncproxy"), "websocket=1&generate-password=1").await;
    let small = call(&emulator, &format!("{LXC}/vncproxy"), "websocket=1&width=15&height=2161").await;

    let unknown = "property is not defined in schema and the schema does not allow additional properties";
    assert_eq!(strange.json()["errors"]["width"], unknown);
    assert_eq!(container.status_line, "HTTP/1.1 400 Parameter verification failed.");
    assert_eq!(container.json()["errors"]["generate-password"], unknown);
    assert_eq!(small.json()["errors"]["width"], "value must have a minimum value of 16");
    assert_eq!(small.json()["errors"]["height"], "value must have a maximum value of 2160");
}

#[tokio::test]
async fn a_machine_is_only_where_its_configuration_is_and_rights_are_asked_first() {
    let mut settings = quick();
    settings.nodes.push("pve2".to_owned());
    settings.guests.push(Guest { node: "pve2".into(), ..Guest::new(GuestId { kind: GuestKind::Qemu, vmid: 102 }) });
    settings.grants.retain(|grant| grant.path == "/vms");
    let emulator = started(settings).await;
    let line = async |path: &str| call(&emulator, &format!("/api2/json/nodes/{path}/vncproxy"), "websocket=1").await;

    for (node, kind, folder, vmid) in [
        ("localhost", "qemu", "qemu-server", 101),
        ("pve1", "qemu", "qemu-server", 999),
        ("pve1", "qemu", "qemu-server", 102),
        ("nowhere", "lxc", "lxc", 200),
    ] {
        let answer = line(&format!("{node}/{kind}/{vmid}")).await;
        let reason = format!("Configuration file 'nodes/{node}/{folder}/{vmid}.conf' does not exist");
        assert_eq!(answer.status_line, format!("HTTP/1.1 500 {reason}"));
        assert_eq!(answer.json()["message"], format!("{reason}\n"));
    }
    assert_eq!(line("pve2/qemu/102").await.status_line, "HTTP/1.1 200 OK");
    emulator.reconfigure(|settings| settings.grants.clear());
    assert_eq!(line("pve1/qemu/999").await.status_line, "HTTP/1.1 403 Permission check failed (/vms/999, VM.Console)");
}

#[tokio::test]
async fn the_task_and_the_port_are_the_api_hosts_wherever_the_guest_is() {
    let mut settings = quick();
    settings.nodes.push("pve2".to_owned());
    settings.guests[0].node = "pve2".to_owned();
    let emulator = started(settings).await;

    let reply = call(&emulator, "/api2/json/nodes/pve2/qemu/101/vncproxy", "websocket=1").await.data();
    let upid = reply["upid"].as_str().unwrap().to_owned();
    let status = format!("/api2/json/nodes/pve1/tasks/{}/status", encoded(&upid));
    let task = Client::to(&emulator).await.get(&status, &[("Authorization", TOKEN)]).await.data();

    assert!(upid.starts_with("UPID:pve1:"), "{upid}");
    assert_eq!(task["status"], "running");
}

#[tokio::test]
async fn getting_vncproxy_is_not_implemented() {
    let emulator = started(quick()).await;

    let answer = Client::to(&emulator).await.get(&format!("{QEMU}/vncproxy"), &[("Authorization", TOKEN)]).await;

    assert_eq!(answer.status_line, "HTTP/1.1 501 Method 'GET /nodes/pve1/qemu/101/vncproxy' not implemented");
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
    assert_eq!(proxy(&emulator, "websocket=1").await.status_line, "HTTP/1.1 200 OK");
}

#[tokio::test]
async fn ports_are_walked_up_until_none_is_left() {
    let emulator = started(quick()).await;

    for port in 5900..=5999 {
        assert_eq!(proxy(&emulator, "websocket=1").await.data()["port"], port.to_string());
    }

    assert_eq!(proxy(&emulator, "websocket=1").await.status_line, "HTTP/1.1 500 unable to find free port (5900-6000)");
}
