//! Whole programs against an emulated cluster, plainly, with sanitizers and under valgrind.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use consolepass::{Code, PassKey};

use super::browser::{Browser, get};
use super::cluster::{Cluster, TOKEN_SECRET};
use super::installed::{C11, SANITIZED, compile, file, prefix, succeed};

const PUBLIC_URL: &str = "https://portal.example.com/console";
const ORIGIN: &str = "https://portal.example.com";

fn printed(command: &mut Command) -> String {
    String::from_utf8(succeed(command).stdout).unwrap()
}

/// The program opens a console that the cluster has handed out.
fn opens_a_console(cluster: &Cluster, command: &mut Command) {
    let told = printed(command.arg("qemu/101"));

    let host = cluster.emulator.address();
    assert!(told.contains("machine pve1/qemu/101\n"), "{told}");
    assert!(told.contains(&format!("address {host}\n")), "{told}");
    assert!(told.contains(&format!("websocket wss://{host}/api2/json/nodes/pve1/qemu/101/vncwebsocket?")), "{told}");
    assert!(told.contains("header authorization\n") && !told.contains(TOKEN_SECRET), "{told}");
    assert_eq!(cluster.emulator.record().count("POST", "/vncproxy"), 1);
}

/// The program relays a console to a browser, tells what happens to it, and ends with it.
fn relays_a_console(command: &mut Command) {
    let rest = relayed(command);

    let verbs: Vec<&str> = rest.iter().filter_map(|line| line.split_once(' ')).map(|(_, verb)| verb).collect();
    assert_eq!(verbs, ["took the pass of qemu/101", "connected to qemu/101", "ended: closed"]);
}

/// Visits the relay of a program as a browser, until the screen is there; returns what the program printed then.
fn relayed(command: &mut Command) -> Vec<String> {
    command.arg("qemu/101").env("LISTEN", "127.0.0.1:0").env("PUBLIC_URL", PUBLIC_URL);
    let mut program = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut after = |word: &str| lines.find_map(|line| line.strip_prefix(word).map(str::to_owned));
    let (address, websocket) = (after("listening on "), after("websocket "));

    if let (Some(address), Some(websocket)) = (address, websocket) {
        let path = websocket.strip_prefix("wss://portal.example.com").unwrap();
        let mut browser = Browser::connect(&address, path, ORIGIN);
        assert!(browser.log_in().0 > 0);
        drop(browser);
    }

    let rest: Vec<String> = lines.collect();
    let mut errors = String::new();
    program.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    let status = program.wait().unwrap();
    assert!(status.success(), "{status}: {rest:?}\n{errors}");
    assert!(!errors.contains(TOKEN_SECRET));
    rest
}

#[test]
fn a_program_opens_a_console() {
    let cluster = Cluster::start(|_| ());
    let program = compile("open_console", "cc", C11, &["examples/c/open_console.c"]);

    opens_a_console(&cluster, &mut cluster.command(program));
}

#[test]
fn a_program_with_sanitizers_opens_a_console() {
    let cluster = Cluster::start(|_| ());
    let program = compile("open_console_sanitized", "gcc", SANITIZED, &["examples/c/open_console.c"]);

    opens_a_console(&cluster, &mut cluster.command(program));
}

#[test]
fn a_program_under_valgrind_opens_a_console_and_loses_nothing() {
    let cluster = Cluster::start(|_| ());
    let program = compile("open_console_valgrind", "cc", C11, &["examples/c/open_console.c"]);

    opens_a_console(&cluster, &mut cluster.under_valgrind(&program));
}

#[test]
fn a_program_is_told_why_and_what_to_do() {
    let cluster = Cluster::start(|settings| settings.grants.clear());
    let program = compile("open_console_refused", "cc", C11, &["examples/c/open_console.c"]);

    let output = cluster.command(program).arg("pve1/qemu/101").output().unwrap();

    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.starts_with("permission_denied: ") && errors.contains("VM.Console"), "{errors}");
}

#[test]
fn a_program_runs_a_relay() {
    let cluster = Cluster::start(|_| ());
    let program = compile("relay", "cc", C11, &["examples/c/relay.c"]);

    relays_a_console(&mut cluster.command(program));
}

#[test]
fn a_program_with_sanitizers_runs_a_relay() {
    let cluster = Cluster::start(|_| ());
    let program = compile("relay_sanitized", "gcc", SANITIZED, &["examples/c/relay.c"]);

    relays_a_console(&mut cluster.command(program));
}

#[test]
fn a_program_under_valgrind_runs_a_relay_and_loses_nothing() {
    let cluster = Cluster::start(|_| ());
    let program = compile("relay_valgrind", "cc", C11, &["examples/c/relay.c"]);

    relays_a_console(&mut cluster.under_valgrind(&program));
}

#[test]
fn a_backend_is_used_directly_and_by_a_relay_at_once() {
    let cluster = Cluster::start(|_| ());
    let program = compile("shared_backend", "gcc", &[SANITIZED, &["-pthread"]].concat(), &["tests/c/shared_backend.c"]);

    let rest = relayed(&mut cluster.command(program));

    assert!(rest.is_empty(), "{rest:?}");
    assert_eq!(cluster.emulator.record().count("POST", "/vncproxy"), 11);
}

/// The program shows a page of its own and a console on one port. Returns the browser whose console the program then ends.
fn has_one_port(command: &mut Command) -> (Browser, Child) {
    let mut program = command.arg("qemu/101").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let origin = line.trim_end().strip_prefix("open ").unwrap().trim_end_matches('/');
    let address = origin.strip_prefix("http://").unwrap();

    let page = get(address, "/");
    let pass = page.split_once("#pass=").unwrap().1.split('"').next().unwrap();
    assert!(page.contains(&format!("href=\"{origin}/console/#pass=")), "{page}");
    assert!(get(address, "/other").starts_with("HTTP/1.1 404 "));
    // The viewer, or how to build it.
    let viewer = get(address, "/console/");
    assert!(viewer.contains("content-security-policy: default-src 'none'"), "{viewer}");
    let mut browser = Browser::connect(address, &format!("/console/ws?pass={pass}"), origin);
    assert!(browser.log_in().0 > 0);
    drop(program.stdin.take());
    (browser, program)
}

#[test]
fn a_portal_with_sanitizers_keeps_its_one_port() {
    let cluster = Cluster::start(|_| ());
    let program = compile("one_port_sanitized", "gcc", SANITIZED, &["examples/c/one_port.c"]);

    let (browser, mut program) = has_one_port(&mut cluster.command(program));

    assert_eq!(browser.end(), (4000 + Code::ShuttingDown.number(), "shutting_down".to_owned()));
    assert!(program.wait().unwrap().success());
}

/// So slowly that the browser may be cut off before it was told why.
#[test]
fn a_portal_under_valgrind_keeps_its_one_port_and_loses_nothing() {
    let cluster = Cluster::start(|_| ());
    let program = compile("one_port_valgrind", "cc", C11, &["examples/c/one_port.c"]);

    let (_browser, mut program) = has_one_port(&mut cluster.under_valgrind(&program));

    assert!(program.wait().unwrap().success());
}

#[test]
fn a_portal_hands_over_connections_and_nothing_else() {
    let cluster = Cluster::start(|_| ());
    let program = compile("hosting", "gcc", &[SANITIZED, &["-pthread"]].concat(), &["tests/c/hosting.c"]);

    let rest = relayed(cluster.command(program).env("PASS_KEY_FILE", key_file("hosting.jwk")));

    assert!(rest.is_empty(), "{rest:?}");
}

#[test]
fn events_that_nobody_fetched_are_counted() {
    // More than a relay keeps, and than it lets in at once beyond that.
    const REFUSALS: usize = 1300;
    let cluster = Cluster::start(|_| ());
    let program = compile("lost_events", "gcc", SANITIZED, &["tests/c/lost_events.c"]);
    let mut command = cluster.command(program);
    let mut program = command.arg(REFUSALS.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on ").unwrap();

    for _ in 0..REFUSALS {
        drop(Browser::connect(address, "/console/ws?pass=none", ORIGIN));
    }
    program.stdin.take().unwrap().write_all(b"\n").unwrap();

    assert!(program.wait().unwrap().success());
}

#[test]
fn a_program_is_linked_with_the_static_library() {
    let cluster = Cluster::start(|_| ());
    let archive = prefix().join("lib/libconsolepass.a");
    let output = file("static", "");

    let told = succeed(
        super::installed::tool("pkg-config", "pkg-config")
            .args(["--libs-only-l", "--static", "consolepass"])
            .env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig")),
    );
    let told = String::from_utf8(told.stdout).unwrap();
    let libraries = told.split_whitespace().filter(|library| *library != "-lconsolepass");
    succeed(
        super::installed::tool("cc", "gcc")
            .arg("-I")
            .arg(prefix().join("include"))
            .arg(super::installed::root().join("examples/c/open_console.c"))
            .arg(archive)
            .args(libraries)
            .arg("-o")
            .arg(&output),
    );

    opens_a_console(&cluster, &mut cluster.command(output));
}

#[test]
fn a_fork_leaves_everything_but_a_started_relay_usable() {
    let cluster = Cluster::start(|_| ());
    let program = compile("fork", "cc", C11, &["tests/c/fork.c"]);

    succeed(cluster.command(program).env("PASS_KEY_FILE", key_file("fork.jwk")));
}

#[test]
fn a_relay_that_was_stopped_leaves_port_and_key_to_the_next_one_even_beside_a_child() {
    let cluster = Cluster::start(|_| ());
    let program = compile("successor", "cc", C11, &["tests/c/successor.c"]);

    succeed(cluster.command(program).env("PASS_KEY_FILE", key_file("successor.jwk")));
}

#[test]
fn everything_that_can_be_called_does_what_the_header_says() {
    let cluster = Cluster::start(|_| ());
    let program = compile("surface", "gcc", SANITIZED, &["tests/c/surface.c"]);

    succeed(cluster.command(program).env("PASS_KEY_FILE", key_file("surface.jwk")));
}

/// The browser stays until it is told, and does not hang up then: the relay has something to wait for.
#[test]
fn a_stop_is_waited_for_by_all_and_told_to_the_end() {
    let cluster = Cluster::start(|_| ());
    let program = compile("stop", "gcc", &[SANITIZED, &["-pthread"]].concat(), &["tests/c/stop.c"]);

    // As long as the browser takes, and not as long.
    for timeout in ["0", "300"] {
        let mut command = cluster.command(&program);
        let mut running = command.arg(timeout).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(running.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut after = |word: &str| lines.next().unwrap().strip_prefix(word).unwrap().to_owned();
        let (address, websocket) = (after("listening on "), after("websocket "));
        let path = websocket.strip_prefix("wss://portal.example.com").unwrap();
        let mut browser = Browser::connect(&address, path, ORIGIN);
        browser.log_in();

        running.stdin.take().unwrap().write_all(b"\n").unwrap();

        assert!(running.wait().unwrap().success(), "{timeout}");
        assert_eq!(browser.end().1, "shutting_down");
    }
}

#[test]
fn log_lines_come_to_those_who_ask() {
    let cluster = Cluster::start(|_| ());
    let program = compile("logs", "gcc", &[SANITIZED, &["-pthread"]].concat(), &["tests/c/logs.c"]);

    succeed(&mut cluster.command(program));
}

#[test]
fn threads_share_every_handle() {
    let cluster = Cluster::start(|_| ());
    let program = compile("threads", "gcc", &[SANITIZED, &["-pthread"]].concat(), &["tests/c/threads.c"]);

    succeed(cluster.command(program).env("PASS_KEY_FILE", key_file("threads.jwk")));
}

#[test]
fn bad_input_and_late_calls_are_errors() {
    let cluster = Cluster::start(|_| ());
    let program = compile("bad_input", "gcc", SANITIZED, &["tests/c/bad_input.c"]);

    succeed(&mut cluster.command(program));
}

#[test]
fn handles_are_freed_in_any_order() {
    let cluster = Cluster::start(|_| ());
    let program = compile("any_order", "gcc", SANITIZED, &["tests/c/any_order.c"]);

    succeed(&mut cluster.command(program));
}

#[test]
fn a_process_may_end_while_its_relay_serves() {
    let cluster = Cluster::start(|_| ());
    let program = compile("exits", "cc", &[C11, &["-pthread"]].concat(), &["tests/c/exits.c"]);

    for way in ["return from main", "exit in a thread", "leave main", "_exit"] {
        for _ in 0..5 {
            succeed(cluster.command(&program).arg(way));
        }
    }
}

#[test]
fn a_process_may_end_while_a_console_is_open() {
    let cluster = Cluster::start(|_| ());
    let program = compile("exits_open", "cc", &[C11, &["-pthread"]].concat(), &["tests/c/exits.c"]);
    let mut command = cluster.command(program);
    let mut program = command.arg("with a console").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.next().unwrap().replace("listening on ", "");
    let path = lines.next().unwrap().replace("websocket wss://portal.example.com", "");

    let mut browser = Browser::connect(&address, &path, ORIGIN);
    assert!(browser.log_in().0 > 0);
    program.stdin.take().unwrap().write_all(b"\n").unwrap();

    assert!(program.wait().unwrap().success());
}

#[test]
fn the_library_may_be_closed_while_its_relay_serves() {
    let program = compile("unloaded", "cc", &[C11, &["-Wl,--as-needed"]].concat(), &["tests/c/unloaded.c"]);

    succeed(Command::new(program).arg(prefix().join("lib/libconsolepass.so")));
}

pub(crate) fn key_file(name: &str) -> impl AsRef<Path> + AsRef<std::ffi::OsStr> {
    file(name, PassKey::generate().unwrap().expose())
}
