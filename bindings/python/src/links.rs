//! The two links of `SmartX` CloudTower.

use consolepass::{CloudTowerMachine, CloudTowerRawToken, CloudTowerToken, Secret};
use pyo3::prelude::*;

use crate::error;
use crate::text::text;

/// The websocket of a machine's console at its cluster, which must be reachable from where the link is used: a secret.
///
/// `raw_token`, `vm_uuid` and `host_ip` are what CloudTower's `vnc` query answered.
#[pyfunction]
#[pyo3(signature = (cluster_ip, *, vm_uuid, host_ip, raw_token))]
pub(crate) fn cloudtower_direct(
    cluster_ip: &Bound<'_, PyAny>,
    vm_uuid: &Bound<'_, PyAny>,
    host_ip: &Bound<'_, PyAny>,
    raw_token: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let cluster = text("cluster_ip", cluster_ip)?;
    let (vm_uuid, host_ip) = (text("vm_uuid", vm_uuid)?, text("host_ip", host_ip)?);
    let token = CloudTowerRawToken(Secret::new(text("raw_token", raw_token)?));
    let machine = CloudTowerMachine { vm_uuid: &vm_uuid, host_ip: &host_ip };
    let link = error::raised(cluster_ip.py(), consolepass::cloudtower_direct(&cluster, machine, &token))?;
    Ok(link.expose().to_owned())
}

/// The websocket of a machine's console at CloudTower itself: a secret.
///
/// `token`, `vm_uuid` and `host_ip` are what CloudTower's `vnc` query answered.
#[pyfunction]
#[pyo3(signature = (cloudtower, *, vm_uuid, host_ip, token))]
pub(crate) fn cloudtower_via(
    cloudtower: &Bound<'_, PyAny>,
    vm_uuid: &Bound<'_, PyAny>,
    host_ip: &Bound<'_, PyAny>,
    token: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let tower = text("cloudtower", cloudtower)?;
    let (vm_uuid, host_ip) = (text("vm_uuid", vm_uuid)?, text("host_ip", host_ip)?);
    let token = CloudTowerToken(Secret::new(text("token", token)?));
    let machine = CloudTowerMachine { vm_uuid: &vm_uuid, host_ip: &host_ip };
    let link = error::raised(cloudtower.py(), consolepass::cloudtower_via(&tower, machine, &token))?;
    Ok(link.expose().to_owned())
}
