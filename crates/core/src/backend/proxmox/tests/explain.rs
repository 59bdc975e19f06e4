use super::*;

/// Opens a console whose task's status and log are these, and asks why it ended.
async fn explained(status: &'static str, log: &'static str) -> Option<Error> {
    let server = server(move |request| {
        let path = path(request);
        if path.ends_with("/status") {
            return Some(ok(status));
        }
        path.ends_with("/log").then(|| ok(log))
    })
    .await;
    let proxmox = Proxmox::new(&with_token(&server)).unwrap();
    let console = proxmox.open("pve1/qemu/101", Kind::Vnc).await.unwrap();

    let error = proxmox.explain(&console).await;

    let asked = "/api2/json/nodes/pve1/tasks/UPID%3Apve1%3A1%3A2%3A3%3Avncproxy%3A101%3Aa%40pve%3A/status";
    assert_eq!(paths(&server)[1], asked);
    error
}

#[tokio::test]
async fn a_stopped_machine_is_told_from_the_status_or_the_log() {
    let log = r#"{"data":[{"n":1,"t":"VM 101 not running"},{"n":2,"t":"TASK ERROR: Failed to run vncproxy."}]}"#;
    for (status, log) in [
        (r#"{"data":{"status":"stopped","exitstatus":"Failed to run vncproxy."}}"#, log),
        (r#"{"data":{"status":"stopped","exitstatus":"VM 101 not running"}}"#, "not asked for"),
    ] {
        let error = explained(status, log).await.unwrap();

        assert_eq!(error.code(), Code::MachineNotRunning);
        assert_eq!(error.to_string(), "proxmox: pve1/qemu/101 is not running");
    }
}

#[tokio::test]
async fn a_port_that_nobody_opened_in_time_is_told() {
    let error = explained(r#"{"data":{"status":"stopped","exitstatus":"connection timed out"}}"#, "").await;

    assert_eq!(error.unwrap().code(), Code::TicketExpired);
}

#[tokio::test]
async fn a_task_that_ended_well_or_in_words_unknown_explains_nothing() {
    for status in [r#"{"data":{"status":"stopped","exitstatus":"OK"}}"#, r#"{"data":{"status":"stopped"}}"#, "garbage"]
    {
        assert!(explained(status, r#"{"data":[]}"#).await.is_none(), "{status}");
    }
}

#[tokio::test]
async fn a_task_that_is_about_to_end_is_waited_for() {
    let mut looks = 0;
    let server = server(move |request| {
        path(request).ends_with("/status").then(|| {
            looks += 1;
            match looks {
                1 => ok(r#"{"data":{"status":"running"}}"#),
                _ => ok(r#"{"data":{"status":"stopped","exitstatus":"VM 101 not running"}}"#),
            }
        })
    })
    .await;
    let proxmox = Proxmox::new(&with_token(&server)).unwrap();
    let console = proxmox.open("pve1/qemu/101", Kind::Vnc).await.unwrap();

    let error = proxmox.explain(&console).await.unwrap();

    assert_eq!(error.code(), Code::MachineNotRunning);
}

#[tokio::test]
async fn a_task_that_runs_on_explains_nothing_and_is_not_asked_for_ever() {
    let started = Instant::now();

    assert!(explained(r#"{"data":{"status":"running"}}"#, "").await.is_none());

    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_console_without_a_task_explains_nothing() {
    let server = server(|_| Some(ok(r#"{"data":{"port":"5900","ticket":"PVEVNC:x"}}"#))).await;
    let proxmox = Proxmox::new(&with_token(&server)).unwrap();
    let console = proxmox.open("pve1/qemu/101", Kind::Vnc).await.unwrap();

    assert!(proxmox.explain(&console).await.is_none());
    assert_eq!(server.seen().len(), 1);
}
