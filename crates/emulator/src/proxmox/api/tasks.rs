//! What became of a worker: the only place that says why a console ended.

use serde_json::{Value, json};

use super::Context;
use crate::encoding::Parameters;
use crate::locked::locked;
use crate::proxmox::schema::{self, ApiError, Field};
use crate::proxmox::state::Task;

pub(super) fn status(
    context: &Context<'_>,
    node: &str,
    upid: &str,
    parameters: &Parameters,
) -> Result<Value, ApiError> {
    schema::check(parameters, &[])?;
    let task = find(context, node, upid)?;
    let (user, token) = match task.owner.split_once('!') {
        Some((user, token)) => (user, Some(token)),
        None => (task.owner.as_str(), None),
    };
    let mut answer = json!({
        "upid": task.upid,
        "node": node,
        "pid": task.process,
        "starttime": task.started,
        "type": task.kind,
        "id": task.vmid.to_string(),
        "user": user,
        "status": if task.outcome.is_some() { "stopped" } else { "running" },
    });
    if let Some(token) = token {
        answer["tokenid"] = json!(token);
    }
    if let Some(outcome) = &task.outcome {
        answer["exitstatus"] = json!(outcome);
    }
    Ok(answer)
}

pub(super) fn log(
    context: &Context<'_>,
    node: &str,
    upid: &str,
    parameters: &Parameters,
) -> Result<Vec<Value>, ApiError> {
    let fields =
        [Field::integer("start", 0, i64::MAX), Field::integer("limit", 0, i64::MAX), Field::boolean("download")];
    let checked = schema::check(parameters, &fields)?;
    let task = find(context, node, upid)?;
    let start = usize::from(checked.number("start").unwrap_or(0));
    let limit = usize::from(checked.number("limit").unwrap_or(50));
    let mut lines: Vec<Value> = task
        .log
        .iter()
        .enumerate()
        .skip(start)
        .take(limit)
        .map(|(index, text)| json!({ "n": index + 1, "t": text }))
        .collect();
    if lines.is_empty() {
        lines.push(json!({ "n": 1, "t": "no content" }));
    }
    Ok(lines)
}

/// The caller's own task: a token's belong to the token. Anybody else needs `Sys.Audit` on the node.
fn find(context: &Context<'_>, node: &str, upid: &str) -> Result<Task, ApiError> {
    let task = locked(&context.shared.state).task(upid).cloned();
    let owner = task.as_ref().map_or_else(|| owner_of(upid), |task| Some(task.owner.as_str()));
    if owner != Some(context.caller.id.as_str()) {
        context.need(&format!("/nodes/{node}"), "Sys.Audit")?;
    }
    if context.settings.nodes.first().is_none_or(|host| host != node) {
        return Err(ApiError::new(500, format!("no such cluster node '{node}'")));
    }
    task.ok_or_else(|| ApiError::new(500, "no such task"))
}

/// The owner as the id itself names it.
fn owner_of(upid: &str) -> Option<&str> {
    upid.split(':').nth(7)
}
