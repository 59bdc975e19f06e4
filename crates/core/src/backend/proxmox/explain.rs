//! Why a console ended before it began: the task behind its ticket knows.

use std::time::Duration;

use super::Inner;
use super::refusal::Step;
use super::wire::{self, TaskState};
use crate::console::Task;
use crate::{Code, Error};

/// How often, and how many times, a task is looked at that should have ended but has not been written down yet.
const INTERVAL: Duration = Duration::from_millis(200);
const LOOKS: u32 = 10;

impl Inner {
    /// The reason that the task behind a ticket gives. A task that ends is written down a moment after its port closes.
    pub(super) async fn explain(&self, task: &Task, what: &str) -> Option<Error> {
        for _ in 0..LOOKS {
            let status = self.api.ask(&wire::task_status(task), Step::Task, what).await.ok()?;
            match wire::read_task_status(&status.answer.body).ok()? {
                TaskState::Running => tokio::time::sleep(INTERVAL).await,
                TaskState::Ended(status) => {
                    if let Some(error) = task_end(what, &status) {
                        return Some(error);
                    }
                    let log = self.api.ask(&wire::task_log(task), Step::Task, what).await.ok()?;
                    let lines = wire::read_task_log(&log.answer.body).ok()?;
                    return lines.iter().find_map(|line| task_end(what, line));
                }
            }
        }
        None
    }
}

/// Why a task ended, of its exit status or a line of its log; `None` if that says nothing about the machine.
fn task_end(what: &str, line: &str) -> Option<Error> {
    let has = |words: &str| line.contains(words);
    // `VM 101 not running`; of a container `CT 200 is not running` or lxc-attach's own words.
    if has("not running") {
        return Some(Error::new(Code::MachineNotRunning, format!("proxmox: {what} is not running")));
    }
    if has("connection timed out") {
        return Some(
            Error::new(Code::TicketExpired, format!("proxmox: the port for {what} was closed before it was used"))
                .with_hint("the hypervisor waits 10 seconds for a console to be opened; open it again, and check for delays on the way"),
        );
    }
    if has("serial interface") {
        return Some(
            Error::new(Code::NoConsole, format!("proxmox: {what} has no serial port"))
                .with_hint("add one to the machine (qm set ID --serial0 socket) and restart it"),
        );
    }
    // Without a display QEMU has no VNC server: no socket to connect to, no password to set. A busy one only has no time.
    let is_late = has("timeout") || has("timed out");
    let names_display = has(".vnc") || has("set_password") || has("set password") || has("display is not available");
    if names_display && !is_late {
        return Some(
            Error::new(Code::NoConsole, format!("proxmox: {what} has no display"))
                .with_hint("give the machine a display other than none (qm set ID --vga std) and restart it"),
        );
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_ended_tells_why() {
        use Code::*;
        for (line, code) in [
            ("VM 100 not running", Some(MachineNotRunning)),
            ("CT 200 not running", Some(MachineNotRunning)),
            ("connection timed out", Some(TicketExpired)),
            ("unable to find a serial interface", Some(NoConsole)),
            ("unable to connect to socket /var/run/qemu-server/100.vnc: No such file or directory", Some(NoConsole)),
            ("VM 100 qmp command 'set_password' failed - Could not set password", Some(NoConsole)),
            ("VM 100 qmp command 'set_password' failed - got timeout", None),
            ("Failed to run vncproxy.", None),
            ("OK", None),
            ("", None),
        ] {
            let error = task_end("qemu/100 on pve1", line);

            assert_eq!(error.as_ref().map(Error::code), code, "{line}");
            assert!(error.is_none_or(|error| error.to_string().contains("qemu/100 on pve1")));
        }
    }
}
