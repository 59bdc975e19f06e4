//! Links: the only place that builds a URL, and the only percent-encoder.
//!
//! A Proxmox VE ticket is encoded once in a websocket URL and twice in the link of a page that carries that URL; encoded
//! once too few, its `+` arrives as a space and the hypervisor answers 401. So nothing else in this library puts a URL
//! together.

mod api;
mod cloudtower;
mod encode;
mod origin;
mod page;
mod page_link;
mod proxmox;
mod proxy;
#[cfg(any(feature = "relay", test))]
mod public_url;
mod rfb_parameters;
mod shown;
mod strict;
#[cfg(test)]
mod tests;
mod websocket;

pub(crate) use api::ApiAddress;
pub use cloudtower::{CloudTowerMachine, CloudTowerRawToken, CloudTowerToken, cloudtower_direct, cloudtower_via};
pub(crate) use encode::{encode, form};
pub(crate) use origin::Origin;
pub(crate) use page_link::{PageTarget, page_link};
pub(crate) use proxmox::{
    GuestPath, acl_path, proxmox_guests, proxmox_login, proxmox_permissions, proxmox_task_log, proxmox_task_status,
    proxmox_version, proxmox_websocket,
};
pub(crate) use proxy::ProxyAddress;
#[cfg(any(feature = "relay", test))]
pub(crate) use public_url::PublicUrl;
pub use rfb_parameters::RfbParameters;
pub(crate) use shown::shown;
