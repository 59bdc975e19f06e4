//! `consolepass doctor`.

use std::process::Output;

use consolepass::doctor::Step;
use serde_json::Value;

use crate::support::{Folder, Running, TOKEN_SECRET, consolepass, json, run};

fn doctor(hypervisor: &Running, machine: &str, more: &[&str]) -> Output {
    let mut command = consolepass(&["doctor", machine, "--host", hypervisor.says("address")]);
    command.args(["--token-id", "portal@pve!console"]).args(more).env("CONSOLEPASS_TOKEN_SECRET", TOKEN_SECRET);
    command.output().unwrap()
}

fn words(output: &Output) -> String {
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_console_that_works_has_a_line_for_each_step_and_no_secret() {
    let hypervisor = Running::hypervisor();

    let output = doctor(&hypervisor, "qemu/101", &["--fingerprint", hypervisor.says("fingerprint")]);

    let said = words(&output);
    assert!(output.status.success(), "{said}");
    let steps: Vec<&str> =
        said.lines().filter_map(|line| line.split_once("  ok  ")).map(|(name, _)| name.trim()).collect();
    assert_eq!(steps, Step::ALL.iter().map(|step| step.as_str()).collect::<Vec<_>>());
    assert!(said.ends_with("\nqemu/101 has its console.\n"), "{said}");
    assert!(!said.contains('\x1b'), "colour without a terminal");
    for secret in [TOKEN_SECRET, "PVEVNC", "PVEAPIToken"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn the_line_that_it_says_to_paste_makes_the_certificate_trusted() {
    let hypervisor = Running::hypervisor();
    let folder = Folder::new("pin");
    let place = hypervisor.says("address");

    let untrusted = doctor(&hypervisor, "qemu/101", &[]);
    let said = words(&untrusted);
    let line = |start: &str| said.lines().map(str::trim).find(|line| line.starts_with(start)).unwrap();
    let config = folder.file(
        "consolepass.toml",
        &format!(
            "[backend.dc1]\ntype = \"proxmox\"\nhost = \"{place}\"\ntoken_id = \"portal@pve!console\"\n\
             token_secret_env = \"DC1\"\n{}\n",
            line("fingerprint = ")
        ),
    );
    let from_file =
        consolepass(&["doctor", "qemu/101", "--config", &config]).env("DC1", TOKEN_SECRET).output().unwrap();
    let argument: Vec<&str> = line("--fingerprint").split(' ').collect();
    let from_argument = doctor(&hypervisor, "qemu/101", &argument);

    assert_eq!(untrusted.status.code(), Some(1));
    assert!(said.contains("tls         failed") && said.contains("screen      not reached"), "{said}");
    assert!(said.contains("(tls_untrusted)\n  hint: "), "{said}");
    assert!(from_file.status.success(), "{from_file:?}");
    assert!(from_argument.status.success(), "{from_argument:?}");
}

#[test]
fn a_program_gets_one_object_with_every_step() {
    let hypervisor = Running::hypervisor();
    let pin = hypervisor.says("fingerprint");

    let fine = doctor(&hypervisor, "qemu/101", &["--json", "--fingerprint", pin]);
    let failed = doctor(&hypervisor, "qemu/999", &["--json", "--fingerprint", pin]);

    assert_eq!((fine.status.code(), failed.status.code()), (Some(0), Some(1)));
    let (fine, failed) = (json(&fine), json(&failed));
    let steps = |report: &Value| report["steps"].as_array().unwrap().clone();
    assert_eq!((fine["machine"].as_str(), fine["backend"].as_str()), (Some("qemu/101"), Some("proxmox")));
    assert_eq!((fine["kind"].as_str(), &fine["error"]), (Some("vnc"), &Value::Null));
    assert!(steps(&fine).iter().all(|step| step["outcome"] == "ok" && step["took_ms"].as_f64().unwrap() > 0.0));
    assert!(steps(&fine).iter().all(|step| step["facts"][0].is_string() && step["warnings"] == serde_json::json!([])));
    assert_eq!(steps(&failed)[4]["error"], failed["error"]);
    assert_eq!(
        (failed["error"]["code"].as_str(), failed["error"]["number"].as_u64()),
        (Some("machine_not_found"), Some(5))
    );
    assert_eq!(steps(&failed)[5]["outcome"], "not_reached");
}

#[test]
fn a_plain_rfb_server_of_a_file_is_examined_as_well() {
    let folder = Folder::new("vnc");
    let missing = folder.path("vm.sock");
    let config =
        folder.file("consolepass.toml", &format!("[backend.desk]\ntype = \"vnc\"\nhost = \"unix:{missing}\"\n"));

    let output = run(&["doctor", "desk", "--config", &config]);

    let said = words(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.starts_with("port        failed"), "{said}");
    assert!(said.contains("it does not exist (unreachable)") && said.contains("check the path"), "{said}");
}

#[test]
fn its_help_names_every_step() {
    let help = words(&run(&["doctor", "--help"]));

    for step in Step::ALL {
        let line = format!("  {:<12}{}", step.as_str(), step.meaning());
        assert!(help.lines().any(|other| other == line), "{line}: {help}");
    }
}

/// The vectors that Rust runs as well, through the program.
#[test]
fn every_refusal_behind_the_ticket_is_told_as_the_vectors_say() {
    const FEWEST: usize = 15;
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/doctor-refusals.json");
    let vectors: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(vectors.len() >= FEWEST, "there are {} vectors", vectors.len());

    for vector in &vectors {
        let name = vector["name"].as_str().unwrap();
        let player = Running::start(consolepass(&["emulate", "script", file, "--name", name, "--json"]));
        let secret = vector["options"]["token_secret"].as_str().unwrap();
        let mut command = consolepass(&["doctor", vector["call"]["doctor"]["machine"].as_str().unwrap(), "--json"]);
        command.args(["--host", player.says("address"), "--fingerprint", player.says("fingerprint")]);
        command.args(["--token-id", vector["options"]["token_id"].as_str().unwrap()]);

        let output = command.env("CONSOLEPASS_TOKEN_SECRET", secret).output().unwrap();

        let (error, expected) = (&json(&output)["error"], &vector["error"]);
        assert_eq!(output.status.code(), Some(1), "{name}: {error}");
        assert_eq!(
            (&error["code"], &error["http_status"]),
            (&expected["code"], &expected["http_status"]),
            "{name}: {error}"
        );
        for (member, text) in [("message_contains", "message"), ("hint_contains", "hint")] {
            for part in expected[member].as_array().into_iter().flatten() {
                assert!(error[text].as_str().unwrap().contains(part.as_str().unwrap()), "{name}: {error}");
            }
        }
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(!said.contains(secret) && !said.contains("PVEVNC:"), "{name}: {said}");
    }
}
