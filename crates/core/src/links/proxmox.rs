//! Paths and URLs of Proxmox VE's management API.

use super::{ApiAddress, encode};
use crate::Secret;
use crate::machine::GuestType;

const API: &str = "/api2/json";

/// The path of one guest, on the node that has its configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuestPath<'a> {
    pub(crate) node: &'a str,
    pub(crate) guest: GuestType,
    pub(crate) id: u32,
}

impl GuestPath<'_> {
    /// Where a ticket for its screen is asked for.
    pub(crate) fn vncproxy(&self) -> String {
        format!("{self}/vncproxy")
    }

    fn vncwebsocket(&self) -> String {
        format!("{self}/vncwebsocket")
    }
}

impl std::fmt::Display for GuestPath<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{API}/nodes/{}/{}/{}", encode(self.node), self.guest.as_str(), self.id)
    }
}

/// Where a user logs in, and renews a ticket.
pub(crate) fn proxmox_login() -> String {
    format!("{API}/access/ticket")
}

/// Which version it is: whoever is logged in may ask.
pub(crate) fn proxmox_version() -> String {
    format!("{API}/version")
}

/// What the account may do with a guest.
pub(crate) fn proxmox_permissions(guest: u32) -> String {
    format!("{API}/access/permissions?{}", super::form(&[("path", &acl_path(guest))]))
}

/// The path of a guest in access control.
pub(crate) fn acl_path(guest: u32) -> String {
    format!("/vms/{guest}")
}

/// The list of all guests that the account may see, with their nodes.
pub(crate) fn proxmox_guests() -> String {
    format!("{API}/cluster/resources?type=vm")
}

/// How a task ended.
pub(crate) fn proxmox_task_status(node: &str, upid: &str) -> String {
    format!("{API}/nodes/{}/tasks/{}/status", encode(node), encode(upid))
}

/// What a task said.
pub(crate) fn proxmox_task_log(node: &str, upid: &str) -> String {
    format!("{API}/nodes/{}/tasks/{}/log", encode(node), encode(upid))
}

/// The websocket of a console. The server splits the query at `&` and `;`, takes `+` for a space and decodes once, so the
/// ticket is encoded once and strictly; any further parameter would be refused.
pub(crate) fn proxmox_websocket(api: &ApiAddress, guest: &GuestPath<'_>, port: u16, ticket: &Secret) -> Secret {
    let query = super::form(&[("port", &port.to_string()), ("vncticket", ticket.expose())]);
    Secret::new(api.websocket_url(&format!("{}?{query}", guest.vncwebsocket())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticket_is_encoded_once_and_strictly() {
        let api = ApiAddress::parse("https://pve/prefix", 8006).unwrap();
        let guest = GuestPath { node: "pve1", guest: GuestType::Qemu, id: 101 };

        let url = proxmox_websocket(&api, &guest, 5900, &Secret::new("F(K+;&%#:PVEVNC:6B0261D7::rRd5+/=="));

        assert_eq!(
            url.expose(),
            "wss://pve:443/prefix/api2/json/nodes/pve1/qemu/101/vncwebsocket?port=5900&vncticket=\
             F%28K%2B%3B%26%25%23%3APVEVNC%3A6B0261D7%3A%3ArRd5%2B%2F%3D%3D"
        );
    }

    #[test]
    fn a_path_of_access_control_is_one_value() {
        assert_eq!(proxmox_permissions(101), "/api2/json/access/permissions?path=%2Fvms%2F101");
    }

    #[test]
    fn a_task_is_one_part_of_its_path() {
        let upid = "UPID:pve1:000A:01B2:6B02:vncproxy:101:root@pam!t:";

        assert_eq!(
            proxmox_task_status("pve1", upid),
            "/api2/json/nodes/pve1/tasks/UPID%3Apve1%3A000A%3A01B2%3A6B02%3Avncproxy%3A101%3Aroot%40pam%21t%3A/status"
        );
    }
}
