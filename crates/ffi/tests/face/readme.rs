//! README.md as it stands: every block of code in it is run, in an empty folder, with the library as it was installed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::browser::{Browser, get};
use super::installed::{file, prefix, root, succeed};

/// How long somebody else may use the same ports: another run of the same test.
const PATIENCE: Duration = Duration::from_secs(120);

/// The language and the text of each block.
fn blocks() -> Vec<(String, String)> {
    let readme = fs::read_to_string(root().join("crates/ffi/README.md")).unwrap();
    let fenced = readme.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap()).map(|(kind, text)| (kind.into(), text.into())).collect()
}

/// The commands of the block that has `part`.
fn commands(part: &str) -> String {
    let with = blocks().into_iter().filter(|(kind, text)| kind == "sh" && text.contains(part));
    let found: Vec<String> = with.map(|(_, text)| text).collect();
    assert_eq!(found.len(), 1, "{part}: {found:?}");
    found.into_iter().next().unwrap()
}

/// An empty folder, but for the programs of the README.
fn folder(name: &str) -> PathBuf {
    let folder = file(&format!("{name}.place"), "").with_extension("readme");
    fs::create_dir(&folder).unwrap();
    for (kind, text) in blocks() {
        if kind == "c" {
            let name = text.strip_prefix("/* ").unwrap().split(" */").next().unwrap();
            fs::write(folder.join(name), &text).unwrap();
        }
    }
    folder
}

/// A shell in `folder`, where the library is installed. It compiles without a warning.
fn shell(folder: &Path, script: &str) -> Command {
    let path = |place: &str| prefix().join(place).display().to_string();
    let mut command = Command::new("sh");
    command
        .args(["-e", "-c", &script.replace("cc -o", "cc -std=c11 -Wall -Wextra -Werror -pedantic -o")])
        .current_dir(folder)
        .env("PATH", format!("{}:{}", path("bin"), std::env::var("PATH").unwrap()))
        .env("PKG_CONFIG_PATH", path("lib/pkgconfig"))
        .env("LD_LIBRARY_PATH", path("lib"));
    command
}

/// A process that ends with the test, and what it has started as well.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.process_group(0).stdout(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.0.wait();
    }
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn every_block_is_one_that_is_run() {
    let kinds: Vec<(String, String)> = blocks();

    let known = ["emulate proxmox", "./portal", "--new-key", "./page", "./warned"];
    let run = kinds.iter().filter(|(kind, text)| kind == "c" || known.iter().any(|part| text.contains(part)));
    assert_eq!((run.count(), kinds.len()), (8, 8));
}

#[test]
fn ten_lines_make_a_picture() {
    let folder = folder("portal");
    for port in [28106, 28170] {
        wait_until("its ports are taken", || TcpListener::bind(("127.0.0.1", port)).is_ok());
    }
    let _double = Running::start(&mut shell(&folder, &commands("emulate proxmox")));
    wait_until("the double does not start", || {
        fs::read_to_string(folder.join("ca.pem")).is_ok_and(|pem| pem.contains("END CERTIFICATE"))
    });

    let mut portal = Running::start(&mut shell(&folder, &commands("./portal")));
    let mut lines = BufReader::new(portal.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let link = lines.next().expect("it says what to open");
    let (page, pass) = link.strip_prefix("Open ").unwrap().split_once("#pass=").unwrap();
    assert_eq!(page, "http://127.0.0.1:28170/");
    let viewer = get("127.0.0.1:28170", "/");
    assert!(viewer.contains("content-security-policy: "), "{viewer}");
    let mut browser = Browser::connect("127.0.0.1:28170", &format!("/ws?pass={pass}"), "http://127.0.0.1:28170");
    assert!(browser.log_in().0 > 0, "a screen that is wider than nothing");
    drop(browser);

    assert_eq!(lines.next().as_deref(), Some("It ended: closed"));
    assert!(portal.0.wait().unwrap().success());
}

#[test]
fn a_page_issues_passes_and_a_warning_is_heard() {
    let folder = folder("page");
    succeed(&mut shell(&folder, &commands("--new-key")));

    let page = succeed(&mut shell(&folder, &commands("./page"))).stdout;
    let warned = succeed(&mut shell(&folder, &commands("./warned"))).stdout;

    let (page, warned) = (String::from_utf8(page).unwrap(), String::from_utf8(warned).unwrap());
    assert!(page.starts_with("Location: https://portal.example.com/console/#pass="), "{page}");
    assert!(warned.starts_with("warn: proxmox: insecure is set: ") && warned.lines().count() == 1, "{warned}");
}
