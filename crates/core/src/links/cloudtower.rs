//! The two websockets of `SmartX` CloudTower, in the order of the vendor's worked example.
//!
//! Its `vnc` query answers two tokens: `raw_token` opens a console at the cluster, `token` (the same, encrypted) at
//! CloudTower. Each is refused by the other, so each has a type of its own.

use super::{ApiAddress, form};
use crate::{Result, Secret};

/// The answer's `raw_token`, for the cluster itself.
#[derive(Clone, Debug)]
pub struct CloudTowerRawToken(
    /// As answered, not encoded.
    pub Secret,
);

/// The answer's `token`, for CloudTower.
#[derive(Clone, Debug)]
pub struct CloudTowerToken(
    /// As answered, not encoded.
    pub Secret,
);

/// The machine as the answer names it.
#[derive(Clone, Copy, Debug)]
pub struct CloudTowerMachine<'a> {
    /// `vm_uuid`.
    pub vm_uuid: &'a str,
    /// `host_ip`: the host that it runs on.
    pub host_ip: &'a str,
}

/// The websocket at the cluster: `wss://{cluster_ip}/websockify/?uuid=…&token=…&host=…`. It must be reachable from where the
/// link is used.
pub fn cloudtower_direct(
    cluster_ip: &str,
    machine: CloudTowerMachine<'_>,
    token: &CloudTowerRawToken,
) -> Result<Secret> {
    websocket(cluster_ip, &[("uuid", machine.vm_uuid), ("token", token.0.expose()), ("host", machine.host_ip)])
}

/// The websocket at CloudTower: `wss://{cloudtower}/websockify/?token=…&uuid=…&host=…`. The token is base64, so its `+`, `/`
/// and `=` are encoded.
pub fn cloudtower_via(cloudtower: &str, machine: CloudTowerMachine<'_>, token: &CloudTowerToken) -> Result<Secret> {
    websocket(cloudtower, &[("token", token.0.expose()), ("uuid", machine.vm_uuid), ("host", machine.host_ip)])
}

fn websocket(host: &str, query: &[(&str, &str)]) -> Result<Secret> {
    let address = ApiAddress::parse(host, 443)?;
    // The slash before the query is the vendor's.
    let path = format!("/websockify/?{}", form(query));
    Ok(Secret::new(address.short_websocket_url(&path)))
}
