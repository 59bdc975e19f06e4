//! From a method and a path to a call.

use super::super::guest::GuestId;

/// A call below `/api2/json` that needs a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Version,
    Resources,
    Permissions,
    GuestStatus { node: String, guest: GuestId },
    TaskStatus { node: String, upid: String },
    TaskLog { node: String, upid: String },
    VncProxy { node: String, guest: GuestId },
    VncWebsocket { node: String, guest: GuestId },
}

impl Route {
    /// Whatever this emulator does not know is not implemented, which is what the real server says of an unknown path.
    pub(super) fn find(method: &str, path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        Some(match (method, segments.as_slice()) {
            ("GET", ["version"]) => Self::Version,
            ("GET", ["cluster", "resources"]) => Self::Resources,
            ("GET", ["access", "permissions"]) => Self::Permissions,
            ("GET", ["nodes", node, "tasks", upid, "status"]) => {
                Self::TaskStatus { node: (*node).to_owned(), upid: (*upid).to_owned() }
            }
            ("GET", ["nodes", node, "tasks", upid, "log"]) => {
                Self::TaskLog { node: (*node).to_owned(), upid: (*upid).to_owned() }
            }
            (method, ["nodes", node, kind, vmid, call @ ..]) => {
                let guest = format!("{kind}/{vmid}").parse().ok()?;
                let node = (*node).to_owned();
                match (method, call) {
                    ("POST", ["vncproxy"]) => Self::VncProxy { node, guest },
                    ("GET", ["vncwebsocket"]) => Self::VncWebsocket { node, guest },
                    ("GET", ["status", "current"]) => Self::GuestStatus { node, guest },
                    _ => return None,
                }
            }
            _ => return None,
        })
    }
}
