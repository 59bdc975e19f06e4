//! Links
//!
//! The link of somebody's noVNC page, or of a websocket. It holds a ticket or a pass, and so does whoever sees it.
//!
//! For SmartX CloudTower there are two links so far, and no backend: ask its API for the machine's vnc by yourself, and give what it
//! answers to the functions below.

use std::ffi::c_char;

use consolepass::{CloudTowerMachine, CloudTowerRawToken, CloudTowerToken, Secret, cloudtower_direct, cloudtower_via};

use crate::error::cpass_error;
use crate::guard::{Out, fallible, free, text};
use crate::text::{Text, lend};

/// A link.
#[allow(non_camel_case_types, reason = "the name that C programs write")]
pub struct cpass_link(Text);

impl cpass_link {
    pub(crate) fn new(url: &str) -> Self {
        Self(Text::new(url))
    }
}

/// The link's URL: a secret.
///
/// length:  set to the number of bytes; may be NULL.
///
/// Memory: the text is lent until the link is freed. NULL if the link is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_link_url(link: *const cpass_link, length: *mut usize) -> *const c_char {
    // SAFETY: NULL or live, by the contract at the top of the header.
    unsafe { lend(link, length, |link| Some(&link.0)) }
}

/// The websocket of a machine at a CloudTower cluster itself, which must be reachable from where the link is used.
///
/// cluster_ip:  the cluster's address: "192.0.2.1", "h:8443", "https://h", IPv6 with or without brackets.
/// vm_uuid:     as CloudTower answered.
/// host_ip:     as CloudTower answered.
/// raw_token:   raw_token of the answer, not encoded. The other token is refused there.
/// out:         set to the new link.
///
/// Memory: the caller frees *out with cpass_link_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_cloudtower_direct(
    cluster_ip: *const c_char,
    cluster_ip_length: usize,
    vm_uuid: *const c_char,
    vm_uuid_length: usize,
    host_ip: *const c_char,
    host_ip_length: usize,
    raw_token: *const c_char,
    raw_token_length: usize,
    out: *mut *mut cpass_link,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (cluster_ip, vm_uuid, host_ip, token, out) = unsafe {
            (
                text(cluster_ip, cluster_ip_length, "cluster_ip")?,
                text(vm_uuid, vm_uuid_length, "vm_uuid")?,
                text(host_ip, host_ip_length, "host_ip")?,
                text(raw_token, raw_token_length, "raw_token")?,
                Out::new(out, "out")?,
            )
        };
        let machine = CloudTowerMachine { vm_uuid, host_ip };
        let link = cloudtower_direct(cluster_ip, machine, &CloudTowerRawToken(Secret::new(token)))?;
        out.set(cpass_link::new(link.expose()));
        Ok(())
    })
}

/// The websocket of a machine at CloudTower, which passes it on to the cluster.
///
/// cloudtower:  CloudTower's address: "192.0.2.1", "h:8443", "https://h", IPv6 with or without brackets.
/// vm_uuid:     as CloudTower answered.
/// host_ip:     as CloudTower answered.
/// token:       token of the answer, not encoded. The raw one is refused there.
/// out:         set to the new link.
///
/// Memory: the caller frees *out with cpass_link_free().
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_cloudtower_via(
    cloudtower: *const c_char,
    cloudtower_length: usize,
    vm_uuid: *const c_char,
    vm_uuid_length: usize,
    host_ip: *const c_char,
    host_ip_length: usize,
    token: *const c_char,
    token_length: usize,
    out: *mut *mut cpass_link,
) -> *mut cpass_error {
    fallible(|| {
        // SAFETY: each is NULL, or live and of the length given, by the contract at the top of the header.
        let (cloudtower, vm_uuid, host_ip, token, out) = unsafe {
            (
                text(cloudtower, cloudtower_length, "cloudtower")?,
                text(vm_uuid, vm_uuid_length, "vm_uuid")?,
                text(host_ip, host_ip_length, "host_ip")?,
                text(token, token_length, "token")?,
                Out::new(out, "out")?,
            )
        };
        let machine = CloudTowerMachine { vm_uuid, host_ip };
        let link = cloudtower_via(cloudtower, machine, &CloudTowerToken(Secret::new(token)))?;
        out.set(cpass_link::new(link.expose()));
        Ok(())
    })
}

/// Frees a link, and overwrites it. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cpass_link_free(link: *mut cpass_link) {
    // SAFETY: NULL, or a handle that is given back once, by the contract at the top of the header.
    unsafe { free(link) }
}
