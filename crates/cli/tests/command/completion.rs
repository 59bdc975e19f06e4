//! `consolepass completion`, in the shells themselves.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Folder, run};

/// How long a shell may take for one answer. It is there at once, unless the machine is very busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a shell sends to its terminal when it is ready to read a line: bracketed paste begins.
const READY: &str = "\x1b[?2004h";

fn script_for(folder: &Folder, shell: &str) -> String {
    let output = run(&["completion", shell]);
    assert!(output.status.success(), "{output:?}");
    folder.file(shell, &String::from_utf8(output.stdout).unwrap())
}

/// A shell at a terminal of its own.
struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<u8>,
    seen: String,
}

impl Terminal {
    fn open(shell: &str) -> Self {
        let mut script = Command::new("script");
        script.args(["-qec", shell, "/dev/null"]).env("TERM", "xterm").env_remove("BASH_ENV");
        let spawned = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("script, of bsdutils: {error}"));
        let mut output = child.stdout.take().unwrap();
        let keyboard = child.stdin.take().unwrap();
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut byte = [0];
            while let Ok(1) = output.read(&mut byte) {
                if sender.send(byte[0]).is_err() {
                    return;
                }
            }
        });
        let mut terminal = Self { child, keyboard, screen, seen: String::new() };
        terminal.wait_for(READY);
        terminal
    }

    fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits until the screen shows `words`, and forgets what came up to their end.
    fn wait_for(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.seen.ends_with(words) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                // Everything that is looked for is ASCII.
                Ok(byte) => self.seen.push(char::from(byte)),
                Err(error) => panic!("{words:?} did not come ({error}): {:?}", self.seen),
            }
        }
        self.seen.clear();
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Types lines with a TAB in them, and sees what the command is called with.
fn completes_at_a_terminal(shell: &str, set_up: &str, before_value: &str) {
    let folder = Folder::new(&format!("completion-{}", shell.split(' ').next().unwrap()));
    let script = script_for(&folder, shell.split(' ').next().unwrap());
    let file = folder.file("only-this.toml", "");
    let cut = file.strip_suffix("this.toml").unwrap();
    let mut terminal = Terminal::open(shell);

    // In place of the command, so that one sees what it would get. In two parts: what is typed is echoed as well.
    terminal.type_in("consolepass() { echo \"r\"an: \"$@\"; }\n");
    terminal.wait_for(READY);
    terminal.type_in(&format!("{set_up} source {script}\n"));
    terminal.wait_for(READY);

    for (keys, expected) in [
        ("consolepass re\t\n".to_owned(), "ran: relay\r\n".to_owned()),
        (
            "consolepass viewer ex\t--re\thttps://h\n".to_owned(),
            format!("ran: viewer export --relay{before_value}https://h\r\n"),
        ),
        ("consolepass completion f\t\n".to_owned(), "ran: completion fish\r\n".to_owned()),
        (
            "consolepass doctor --token-se\tx qemu/101\n".to_owned(),
            format!("ran: doctor --token-secret-file{before_value}x qemu/101\r\n"),
        ),
        (format!("consolepass relay --config {cut}\t\n"), format!("ran: relay --config {file}\r\n")),
    ] {
        terminal.type_in(&keys);
        terminal.wait_for(&expected);
        terminal.wait_for(READY);
    }
}

#[test]
fn bash_completes_commands_options_values_and_files() {
    completes_at_a_terminal("bash --norc --noprofile -i", "", " ");
}

#[test]
fn zsh_completes_commands_options_values_and_files() {
    completes_at_a_terminal("zsh -f -i", "autoload -Uz compinit; compinit -u -D;", "=");
}

#[test]
fn fish_completes_commands_options_values_and_files() {
    let folder = Folder::new("completion-fish");
    let script = script_for(&folder, "fish");
    let file = folder.file("only-this.toml", "");
    let cut = file.strip_suffix("this.toml").unwrap();
    for (line, expected) in [
        ("consolepass re", "relay\tRuns a relay until it is told to stop"),
        ("consolepass viewer ex", "export\t"),
        ("consolepass viewer export --re", "--relay\t"),
        ("consolepass doctor --token-se", "--token-secret-file\t"),
        (&format!("consolepass relay --config {cut}"), &*file),
    ] {
        let commands = format!("source {script}; complete -C '{line}'");
        let fish = Command::new("fish").args(["--no-config", "-c", &commands]).output();
        let output = fish.unwrap_or_else(|error| panic!("fish: {error}"));

        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.stderr.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(said.starts_with(expected) && said.lines().count() == 1, "{line}: {said}");
    }
}

#[test]
fn another_shell_is_refused_with_those_that_there_are() {
    let output = run(&["completion", "powershell"]);

    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("bash, zsh, fish"), "{said}");
}
