//! What outlives a request: console ports, the guests' current VNC passwords, and tasks.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::guest::GuestId;
use super::settings::Timing;
use crate::time;

/// Ports a node gives to consoles. They are numbers only: nothing is bound.
const PORTS: std::ops::RangeInclusive<u16> = 5900..=5999;

/// So many tasks are remembered. The real node archives them as well, and a double that runs for weeks must not grow for ever.
const MOST_TASKS: usize = 10_000;

/// A console port that waits for a connection.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    pub(crate) guest: GuestId,
    pub(crate) upid: String,
    pub(crate) password: String,
    /// What vncterm draws, in pixels.
    pub(crate) size: (u16, u16),
    /// Without `websocket=1` a container's console wants TLS inside RFB.
    pub(crate) for_websocket: bool,
    /// Until when it waits; a container's console with clients waits for ever.
    pub(crate) deadline: Option<Instant>,
    pub(crate) clients: usize,
}

/// A worker process of the API host.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) upid: String,
    pub(crate) kind: &'static str,
    pub(crate) vmid: u32,
    pub(crate) owner: String,
    pub(crate) process: u32,
    pub(crate) started: i64,
    /// `OK` or what went wrong, once it is over.
    pub(crate) outcome: Option<String>,
    pub(crate) log: Vec<String>,
}

/// See the module.
pub(crate) struct State {
    listeners: BTreeMap<u16, Listener>,
    reservations: BTreeMap<u16, Instant>,
    passwords: BTreeMap<u32, (String, Instant)>,
    tasks: VecDeque<Task>,
    next_process: u32,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            listeners: BTreeMap::new(),
            reservations: BTreeMap::new(),
            passwords: BTreeMap::new(),
            tasks: VecDeque::new(),
            next_process: 0xC5F1,
        }
    }

    /// The lowest port that is neither waiting nor was given out a moment ago.
    pub(crate) fn reserve_port(&mut self, timing: &Timing) -> Option<u16> {
        self.expire();
        let now = Instant::now();
        self.reservations.retain(|_, until| *until > now);
        let port = PORTS
            .into_iter()
            .find(|port| !self.listeners.contains_key(port) && !self.reservations.contains_key(port))?;
        self.reservations.insert(port, now + timing.port_reservation);
        Some(port)
    }

    pub(crate) fn listen(&mut self, port: u16, listener: Listener) {
        self.listeners.insert(port, listener);
    }

    /// Connects to a port. A virtual machine's takes one connection and is gone, a container's takes several.
    pub(crate) fn connect(&mut self, port: u16) -> Option<Listener> {
        self.expire();
        let listener = self.listeners.get_mut(&port)?;
        if listener.guest.kind == super::GuestKind::Qemu {
            return self.listeners.remove(&port);
        }
        listener.clients += 1;
        listener.deadline = None;
        Some(listener.clone())
    }

    /// A client of a container's console has left.
    pub(crate) fn leave(&mut self, upid: &str, linger: Duration) {
        let Some(listener) = self.listeners.values_mut().find(|listener| listener.upid == upid) else {
            return;
        };
        listener.clients = listener.clients.saturating_sub(1);
        if listener.clients == 0 {
            listener.deadline = Some(Instant::now() + linger);
        }
    }

    /// Sets a guest's one VNC password.
    pub(crate) fn set_password(&mut self, vmid: u32, password: &str, life: Duration) {
        self.passwords.insert(vmid, (password.to_owned(), Instant::now() + life));
    }

    /// The password that counts now.
    pub(crate) fn password(&self, vmid: u32) -> Option<&str> {
        self.passwords.get(&vmid).filter(|(_, until)| *until > Instant::now()).map(|(password, _)| password.as_str())
    }

    /// Begins a task on `node` and returns its id.
    pub(crate) fn begin(&mut self, node: &str, kind: &'static str, vmid: u32, owner: &str) -> String {
        let process = self.next_process;
        self.next_process += 1;
        let started = time::now();
        let upid = format!("UPID:{node}:{process:08X}:0012AB34:{started:08X}:{kind}:{vmid}:{owner}:");
        if self.tasks.len() >= MOST_TASKS {
            self.tasks.pop_front();
        }
        self.tasks.push_back(Task {
            upid: upid.clone(),
            kind,
            vmid,
            owner: owner.to_owned(),
            process,
            started,
            outcome: None,
            log: Vec::new(),
        });
        upid
    }

    pub(crate) fn log(&mut self, upid: &str, line: String) {
        if let Some(task) = self.tasks.iter_mut().find(|task| task.upid == upid) {
            task.log.push(line);
        }
    }

    /// Ends a task; anything but `OK` is also its last log line.
    pub(crate) fn finish(&mut self, upid: &str, outcome: &str) {
        let Some(task) = self.tasks.iter_mut().find(|task| task.upid == upid && task.outcome.is_none()) else {
            return;
        };
        task.log.push(if outcome == "OK" { "TASK OK".to_owned() } else { format!("TASK ERROR: {outcome}") });
        task.outcome = Some(outcome.to_owned());
    }

    pub(crate) fn task(&mut self, upid: &str) -> Option<&Task> {
        self.expire();
        self.tasks.iter().find(|task| task.upid == upid)
    }

    /// Ends what has waited for too long. Nothing needs to know earlier than somebody looks, so there is no timer.
    fn expire(&mut self) {
        let now = Instant::now();
        let over: Vec<u16> = self
            .listeners
            .iter()
            .filter(|(_, listener)| listener.deadline.is_some_and(|deadline| deadline <= now))
            .map(|(port, _)| *port)
            .collect();
        for port in over {
            let Some(listener) = self.listeners.remove(&port) else {
                continue;
            };
            let outcome = match listener.guest.kind {
                super::GuestKind::Qemu => "connection timed out",
                super::GuestKind::Lxc => "OK",
            };
            self.finish(&listener.upid, outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_tasks_are_forgotten_and_the_newest_are_not() {
        let mut state = State::new();

        let upids: Vec<String> = (0..=MOST_TASKS).map(|_| state.begin("pve1", "vncproxy", 101, "portal@pve")).collect();

        assert_eq!(state.tasks.len(), MOST_TASKS);
        assert!(state.task(&upids[0]).is_none());
        assert!(state.task(&upids[1]).is_some() && state.task(&upids[MOST_TASKS]).is_some());
    }
}
