//! `consolepass viewer export`.

use std::fs;
use std::process::Output;

use consolepass::Viewer;

use crate::support::{Folder, json, run};

const FILES: [&str; 3] = ["index.html", "viewer.js", "viewer.css"];

/// Whether this build has the viewer; without it there is nothing to export.
fn is_built() -> bool {
    Viewer::new(None).is_ok()
}

fn export(folder: &str, more: &[&str]) -> Output {
    run(&[&["viewer", "export", folder, "--json"], more].concat())
}

fn written(output: &Output) -> Vec<String> {
    let report = json(output);
    report["written"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_page_is_written_once_and_what_is_there_already_stays() {
    let folder = Folder::new("viewer");
    let target = folder.path("a/b");
    if !is_built() {
        let output = export(&target, &[]);

        assert_eq!(output.status.code(), Some(1));
        assert!(json(&output)["error"]["hint"].as_str().unwrap().contains("npm run build"));
        assert!(!fs::exists(&target).unwrap());
        return;
    }

    let first = export(&target, &[]);
    let second = export(&target, &[]);

    assert!(first.status.success() && second.status.success());
    assert_eq!((written(&first), written(&second)), (FILES.map(str::to_owned).to_vec(), Vec::new()));
    assert!(json(&first)["content_security_policy"].as_str().unwrap().contains("connect-src 'self';"));
    for file in Viewer::new(None).unwrap().files() {
        assert_eq!(fs::read(format!("{target}/{}", file.name)).unwrap(), *file.content);
    }
    assert_eq!(fs::read_dir(&target).unwrap().count(), FILES.len());
}

#[test]
fn another_file_of_the_same_name_is_replaced_only_by_force_and_nothing_is_written_before() {
    if !is_built() {
        return;
    }
    let folder = Folder::new("viewer-force");
    let target = folder.path("");
    let own = folder.file("viewer.css", "body { color: red }");

    let refused = export(&target, &[]);
    let left: Vec<_> = fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let forced = export(&target, &["--force"]);

    assert_eq!(refused.status.code(), Some(2));
    let message = json(&refused)["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("viewer.css") && message.contains("--force"), "{message}");
    assert_eq!(left, ["viewer.css"]);
    assert_eq!(written(&forced), FILES);
    assert!(!fs::read_to_string(own).unwrap().contains("color: red"));
}

#[test]
fn a_page_for_a_relay_elsewhere_knows_its_address_and_a_wrong_one_writes_nothing() {
    let folder = Folder::new("viewer-relay");
    let target = folder.path("viewer");

    let wrong = export(&target, &["--relay", "console.example.com"]);

    assert_eq!(wrong.status.code(), Some(2));
    assert!(!fs::exists(&target).unwrap());
    if !is_built() {
        return;
    }
    let right = export(&target, &["--relay", "https://console.example.com/a/"]);
    let page = fs::read_to_string(format!("{target}/index.html")).unwrap();
    assert!(page.contains("<meta name=\"consolepass-relay\" content=\"https://console.example.com/a\">"), "{page}");
    let policy = json(&right)["content_security_policy"].as_str().unwrap().to_owned();
    assert!(policy.contains("connect-src 'self' wss://console.example.com;"), "{policy}");
}

#[test]
fn a_folder_that_cannot_be_is_named() {
    if !is_built() {
        return;
    }
    let folder = Folder::new("viewer-file");
    let file = folder.file("file", "");

    let output = export(&file, &[]);

    assert_eq!(output.status.code(), Some(2));
    assert!(json(&output)["error"]["message"].as_str().unwrap().contains(&file));
}
