//! What runs where, and what a caller may see of it.

use consolepass_emulator::proxmox::{Generation, Grant, Settings};
use serde_json::json;

use crate::support::{Client, TOKEN, quick, started};
use consolepass_emulator::proxmox::Emulator;

async fn get(emulator: &Emulator, path: &str) -> crate::support::Answer {
    Client::to(emulator).await.get(&format!("/api2/json{path}"), &[("Authorization", TOKEN)]).await
}

#[tokio::test]
async fn guests_are_listed_for_who_may_audit_them() {
    let emulator = started(quick()).await;
    let seen = async || {
        let list = get(&emulator, "/cluster/resources?type=vm").await.data();
        list.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    let all = get(&emulator, "/cluster/resources?type=vm").await.data();
    assert_eq!(all[0]["node"], "pve1");
    assert_eq!(all[0]["vmid"], 101);
    assert_eq!((&all[0]["type"], &all[0]["status"]), (&json!("qemu"), &json!("running")));
    assert_eq!(seen().await, ["qemu/101", "lxc/200"]);
    emulator.reconfigure(|settings| {
        settings.grants = ["portal@pve", "portal@pve!console"]
            .iter()
            .flat_map(|who| [Grant::new("/vms", who, &["VM.Console"]), Grant::new("/vms/200", who, &["VM.Audit"])])
            .collect();
    });
    assert_eq!(seen().await, ["lxc/200"]);
}

#[tokio::test]
async fn a_guests_status_says_whether_it_runs_and_is_locked() {
    let emulator = started(quick()).await;
    emulator.reconfigure(|settings| {
        settings.guests[0].running = false;
        settings.guests[0].lock = Some("backup".to_owned());
    });

    let status = get(&emulator, "/nodes/pve1/qemu/101/status/current").await.data();

    assert_eq!((&status["status"], &status["lock"]), (&json!("stopped"), &json!("backup")));
    emulator.reconfigure(|settings| settings.grants.clear());
    let refused = get(&emulator, "/nodes/pve1/qemu/101/status/current").await;
    assert_eq!(refused.status_line, "HTTP/1.1 403 Permission check failed (/vms/101, VM.Audit)");
}

#[tokio::test]
async fn a_caller_may_ask_what_it_may() {
    let emulator = started(quick()).await;

    let one = get(&emulator, "/access/permissions?path=/vms/101").await.data();

    assert_eq!(one, json!({ "/vms/101": { "VM.Console": 1, "VM.Audit": 1 } }));
}

#[tokio::test]
async fn the_version_is_that_of_the_generation() {
    let classic = started(Settings { generation: Generation::Classic, ..quick() }).await;
    let hardened = started(quick()).await;

    assert_eq!(get(&classic, "/version").await.data()["release"], "8.4");
    assert_eq!(get(&hardened, "/version").await.data()["release"], "9.2");
}

#[tokio::test]
async fn the_web_interfaces_format_puts_errors_into_a_200() {
    let emulator = started(quick()).await;
    emulator.reconfigure(|settings| settings.grants.clear());

    let path = "/api2/extjs/nodes/pve1/qemu/101/status/current";
    let answer = Client::to(&emulator).await.get(path, &[("Authorization", TOKEN)]).await;

    assert_eq!(answer.status_line, "HTTP/1.1 200 OK");
    assert_eq!((&answer.json()["success"], &answer.json()["status"]), (&json!(0), &json!("403")));
}

#[tokio::test]
async fn the_next_answer_can_be_anything() {
    let emulator = started(quick()).await;
    emulator.reconfigure(|settings| {
        settings.faults.next_answer = Some((595, "No route to host".into()));
    });

    assert_eq!(get(&emulator, "/version").await.status_line, "HTTP/1.1 595 No route to host");
    assert_eq!(get(&emulator, "/version").await.status_line, "HTTP/1.1 200 OK");
}
