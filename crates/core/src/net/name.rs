//! Names of hosts.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;

use super::failure;
use crate::links::ApiAddress;
use crate::{Code, Error, Result};

/// The addresses of a host, each once, in at most `limit`. An address is its own.
pub(crate) async fn look_up(host: &ApiAddress, limit: Duration) -> Result<Vec<SocketAddr>> {
    let unknown = |reason: &str| {
        Error::new(Code::Unreachable, format!("{}: {reason}", host.authority()))
            .with_hint("check the spelling of the host, and the name servers of this machine (getent hosts NAME)")
    };
    match timeout(limit, lookup_host((host.host(), host.port()))).await {
        Ok(Ok(found)) => {
            let mut addresses: Vec<SocketAddr> = Vec::new();
            for address in found {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            if addresses.is_empty() { Err(unknown("its name has no address")) } else { Ok(addresses) }
        }
        Ok(Err(error)) => Err(unknown(&format!("its name cannot be looked up: {}", failure::plain(&error)))),
        Err(_) => Err(failure::late(&host.authority(), "looking its name up", limit)),
    }
}
