//! The way to a hypervisor: trust, the API client, the upgrade to a websocket.

pub(crate) mod tls;
