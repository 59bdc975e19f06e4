//! What runs where.

use serde_json::{Value, json};

use super::Context;
use crate::encoding::Parameters;
use crate::proxmox::guest::{Guest, GuestId};
use crate::proxmox::schema::{self, ApiError, Field};
use crate::proxmox::settings::Generation;

pub(super) fn version(context: &Context<'_>, parameters: &Parameters) -> Result<Value, ApiError> {
    schema::check(parameters, &[])?;
    let (version, release) = match context.settings.generation {
        Generation::Classic => ("8.4.1", "8.4"),
        Generation::Hardened => ("9.2.11", "9.2"),
    };
    Ok(json!({ "version": version, "release": release, "repoid": "0000000000000000" }))
}

/// `GET /cluster/resources`. A guest is listed for who may audit it: being allowed its console is not enough.
pub(super) fn resources(context: &Context<'_>, parameters: &Parameters) -> Result<Value, ApiError> {
    let checked = schema::check(parameters, &[Field::text("type", 16)])?;
    let wanted = checked.text("type");
    let mut list: Vec<Value> = Vec::new();
    if matches!(wanted, None | Some("vm")) {
        let seen = |guest: &&Guest| context.may(&format!("/vms/{}", guest.id.vmid), "VM.Audit");
        list.extend(context.settings.guests.iter().filter(seen).map(|guest| {
            let mut entry = describe(guest);
            entry["id"] = json!(guest.id.to_string());
            entry["type"] = json!(guest.id.kind.as_str());
            entry["node"] = json!(guest.node);
            entry["template"] = json!(0);
            entry
        }));
    }
    if matches!(wanted, None | Some("node")) {
        list.extend(
            context
                .settings
                .nodes
                .iter()
                .map(|node| json!({ "id": format!("node/{node}"), "type": "node", "node": node, "status": "online" })),
        );
    }
    Ok(Value::Array(list))
}

/// `GET /nodes/{node}/{kind}/{vmid}/status/current`.
pub(super) fn guest_status(
    context: &Context<'_>,
    node: &str,
    id: GuestId,
    parameters: &Parameters,
) -> Result<Value, ApiError> {
    schema::check(parameters, &[])?;
    let mut status = describe(configured(context, node, id)?);
    status["qmpstatus"] = status["status"].clone();
    Ok(status)
}

/// The guest whose configuration is on that node.
pub(super) fn configured<'a>(context: &'a Context<'_>, node: &str, id: GuestId) -> Result<&'a Guest, ApiError> {
    let guest = context.settings.guests.iter().find(|guest| guest.id == id && guest.node == node);
    guest.ok_or_else(|| {
        let file = format!("nodes/{node}/{}/{}.conf", id.kind.configuration_folder(), id.vmid);
        ApiError::new(500, format!("Configuration file '{file}' does not exist"))
    })
}

fn describe(guest: &Guest) -> Value {
    let status = if guest.running { "running" } else { "stopped" };
    let mut entry = json!({ "vmid": guest.id.vmid, "name": guest.name, "status": status });
    if let Some(lock) = &guest.lock {
        entry["lock"] = json!(lock);
    }
    entry
}
