//! Tickets for consoles, and checking them (qemu-server Qemu.pm, pve-container LXC.pm).

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Context;
use super::cluster::configured;
use crate::encoding::Parameters;
use crate::locked::locked;
use crate::proxmox::credentials::unauthorized;
use crate::proxmox::guest::{GuestId, GuestKind};
use crate::proxmox::schema::{self, ApiError, Checked, Field};
use crate::proxmox::settings::Generation;
use crate::proxmox::state::Listener;
use crate::proxmox::tickets::{ConsoleScope, without_password};

const QEMU: [Field; 2] = [Field::boolean("websocket"), Field::boolean("generate-password")];
const LXC: [Field; 3] =
    [Field::boolean("websocket"), Field::integer("width", 16, 4096), Field::integer("height", 16, 2160)];
const WEBSOCKET: [Field; 2] = [Field::integer("port", 5900, 5999).required(), Field::text("vncticket", 512).required()];

/// What vncterm draws when nobody asks for a size (observed on PVE 9.2).
const VNCTERM_SIZE: (u16, u16) = (744, 400);

/// `POST /nodes/{node}/{kind}/{vmid}/vncproxy`.
pub(super) fn vncproxy(
    context: &Context<'_>,
    node: &str,
    guest: GuestId,
    parameters: &Parameters,
) -> Result<Value, ApiError> {
    let checked = match guest.kind {
        GuestKind::Qemu => schema::check(parameters, &QEMU)?,
        GuestKind::Lxc => schema::check(parameters, &LXC)?,
    };
    configured(context, node, guest)?;
    if context.shared.spend(|settings| &mut settings.faults.worker_failures) {
        return Err(ApiError::new(500, "got no worker upid - start worker failed"));
    }
    let timing = &context.settings.timing;
    let port = locked(&context.shared.state)
        .reserve_port(timing)
        .ok_or_else(|| ApiError::new(500, "unable to find free port (5900-6000)"))?;
    let password = choose_password(context, guest, &checked);
    let ticket = {
        let path = format!("/vms/{}", guest.vmid);
        let bound = (context.settings.generation == Generation::Hardened).then_some(port);
        let scope = ConsoleScope { user: &context.caller.id, path: &path, port: bound };
        locked(&context.shared.keys).console(&scope, context.settings.faults.console_ticket_skew)
    };
    let ticket = match &password {
        Some(password) if context.settings.generation == Generation::Hardened => {
            context.shared.hand_out(&ticket);
            format!("{password}:{ticket}")
        }
        _ => ticket,
    };
    context.shared.hand_out(&ticket);
    let host = context.settings.nodes.first().map_or("localhost", String::as_str);
    let life = match guest.kind {
        GuestKind::Qemu => timing.listener_life,
        GuestKind::Lxc => timing.container_first_client,
    };
    let mut state = locked(&context.shared.state);
    let upid = state.begin(host, "vncproxy", guest.vmid, &context.caller.id);
    state.listen(
        port,
        Listener {
            guest,
            upid: upid.clone(),
            // VNC authentication looks at eight bytes, which of an old ticket are `PVEVNC:` and one digit.
            password: password.clone().unwrap_or_else(|| ticket.clone()),
            size: (
                checked.number("width").unwrap_or(VNCTERM_SIZE.0),
                checked.number("height").unwrap_or(VNCTERM_SIZE.1),
            ),
            for_websocket: checked.is_true("websocket"),
            deadline: Some(Instant::now() + life),
            clients: 0,
        },
    );
    drop(state);
    let mut answer = json!({
        "user": context.caller.id,
        "ticket": ticket,
        "port": port.to_string(),
        "upid": upid,
        "cert": context.shared.identity.ca_pem,
    });
    if let Some(password) = password {
        context.shared.hand_out(&password);
        answer["password"] = json!(password);
    }
    Ok(answer)
}

/// `GET …/vncwebsocket`: the port, if the ticket is good for it. Whether anybody listens there is seen later.
pub(super) fn vncwebsocket(
    context: &Context<'_>,
    node: &str,
    guest: GuestId,
    parameters: &Parameters,
) -> Result<u16, ApiError> {
    let checked = schema::check(parameters, &WEBSOCKET)?;
    let port = checked.number("port").unwrap_or_default();
    let path = format!("/vms/{}", guest.vmid);
    let bound = (context.settings.generation == Generation::Hardened).then_some(port);
    let scope = ConsoleScope { user: &context.caller.id, path: &path, port: bound };
    let ticket = checked.text("vncticket").unwrap_or_default();
    // The password before a ticket came with the hardening of 2026; before it, nothing took it off again.
    let ticket = match context.settings.generation {
        Generation::Hardened => without_password(ticket),
        Generation::Classic => ticket,
    };
    if !locked(&context.shared.keys).is_console_for(ticket, &scope) {
        return Err(unauthorized("permission denied - invalid PVEVNC ticket").into());
    }
    if guest.kind == GuestKind::Qemu {
        configured(context, node, guest)?;
    }
    Ok(port)
}

/// The password that the answer names, if this generation and call have one.
fn choose_password(context: &Context<'_>, guest: GuestId, checked: &Checked) -> Option<String> {
    let wanted = match (context.settings.generation, guest.kind) {
        (Generation::Hardened, GuestKind::Qemu) => true,
        (Generation::Hardened, GuestKind::Lxc) => checked.is_true("websocket"),
        (Generation::Classic, _) => checked.is_true("generate-password"),
    };
    wanted.then(|| context.shared.vnc_password())
}
