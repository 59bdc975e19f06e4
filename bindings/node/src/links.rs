//! Links that need no open console.

use consolepass::{CloudTowerMachine, CloudTowerRawToken, CloudTowerToken, cloudtower_direct, cloudtower_via};
use napi_derive::napi;

use crate::error::refused;

/// What `RFB()` of noVNC takes.
#[napi(object, object_from_js = false)]
pub struct RfbParameters {
    pub url: String,
    pub password: Option<String>,
}

impl RfbParameters {
    pub(crate) fn new(parameters: &consolepass::RfbParameters) -> Self {
        Self { url: parameters.url().to_owned(), password: parameters.password().map(str::to_owned) }
    }
}

#[napi(catch_unwind)]
pub fn cloud_tower_direct(
    cluster_ip: String,
    vm_uuid: String,
    host_ip: String,
    raw_token: String,
) -> napi::Result<String> {
    let machine = CloudTowerMachine { vm_uuid: &vm_uuid, host_ip: &host_ip };
    let link = cloudtower_direct(&cluster_ip, machine, &CloudTowerRawToken(raw_token.into()));
    Ok(link.map_err(|error| refused(&error))?.expose().to_owned())
}

#[napi(catch_unwind)]
pub fn cloud_tower_via(cloudtower: String, vm_uuid: String, host_ip: String, token: String) -> napi::Result<String> {
    let machine = CloudTowerMachine { vm_uuid: &vm_uuid, host_ip: &host_ip };
    let link = cloudtower_via(&cloudtower, machine, &CloudTowerToken(token.into()));
    Ok(link.map_err(|error| refused(&error))?.expose().to_owned())
}
