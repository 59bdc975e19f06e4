//! The shared vectors of links, through the public API: see `tests/vectors/README.md`.
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use consolepass::{
    CloudTowerMachine, CloudTowerRawToken, CloudTowerToken, Error, Issuer, Kind, Pass, Proxmox, RfbParameters, Secret,
    cloudtower_direct, cloudtower_via,
};
use serde_json::{Value, json};

use crate::vector::{self, Place};

const FEWEST: usize = 205;

#[tokio::test]
async fn every_link_is_the_one_that_its_page_understands() {
    vector::play_all("links-", FEWEST, play).await;
}

/// What everybody may see of a vector's objects, and what is seen of none of them.
struct Seen {
    secrets: Vec<String>,
    shown: String,
}

impl Seen {
    fn look_at(&mut self, form: &impl std::fmt::Debug) {
        let _ = writeln!(self.shown, "{form:?}");
    }
}

async fn play(vector: &Value) -> Result<(), String> {
    let mut seen = Seen { secrets: vector::secrets(vector), shown: String::new() };
    let call = &vector["call"];
    let (place, outcome) = if call["open"].is_object() {
        let player = vector::player(vector).await?;
        let place = Place::of(&player);
        let outcome = opened(vector, &place, &mut seen).await;
        player.finish().await.map_err(|differences| format!("{} {outcome:?}", differences.join("; ")))?;
        (place, outcome)
    } else if call["issue"].is_object() {
        (Place::nowhere(), issued(vector, &mut seen).await)
    } else {
        (Place::nowhere(), cloudtower(call, &mut seen))
    };

    if let Err(error) = &outcome {
        seen.shown.push_str(&vector::shown(error));
    }
    vector::nothing_secret(&seen.secrets, &seen.shown)?;
    match (&vector["result"], &vector["error"], outcome) {
        (Value::Null, Value::Object(_), Err(error)) => vector::check_error(&vector["error"], &error, &place),
        (should, Value::Null, Ok(is)) if *should != Value::Null => {
            let should = fill(should, &place);
            if is == should { Ok(()) } else { Err(format!("\n  is     {is}\n  should {should}")) }
        }
        (_, _, outcome) => Err(format!("came out as {outcome:?}")),
    }
}

fn fill(result: &Value, place: &Place) -> Value {
    match result {
        Value::String(text) => Value::from(place.fill(text)),
        Value::Object(members) => members.iter().map(|(name, text)| (name.clone(), fill(text, place))).collect(),
        other => other.clone(),
    }
}

async fn opened(vector: &Value, place: &Place, seen: &mut Seen) -> Result<Value, Error> {
    let open = &vector["call"]["open"];
    let proxmox = Proxmox::new(&vector::backend_options(vector, place))?;
    let kind: Kind = open["kind"].as_str().unwrap_or("vnc").parse()?;
    let console = proxmox.open(open["machine"].as_str().unwrap(), kind).await?;
    seen.look_at(&proxmox);
    seen.look_at(&console);
    let url = console.websocket_url().unwrap_or_default();
    seen.secrets.extend([url, url.rsplit("vncticket=").next().unwrap_or_default()].map(str::to_owned));

    let (then, arguments) = then(open);
    match then {
        "websocket_url" => Ok(Value::from(console.websocket_url())),
        "rfb_parameters" => Ok(rfb(&console.rfb_parameters()?, seen)),
        "novnc_url" => {
            let page = place.fill(arguments["page"].as_str().unwrap());
            console.novnc_url(&page, &place.options(&arguments["options"])).map(|link| link_of(&link, seen))
        }
        other => panic!("a console has no {other}"),
    }
}

async fn issued(vector: &Value, seen: &mut Seen) -> Result<Value, Error> {
    let issue = &vector["call"]["issue"];
    let issuer = issuer(vector)?;
    seen.look_at(&issuer);
    let nowhere = Place::nowhere();
    let (backend, machine) = (issue["backend"].as_str().unwrap(), issue["machine"].as_str().unwrap());
    let pass = issuer.issue(backend, machine, &nowhere.options(&issue["options"])).await?;
    seen.look_at(&pass);
    let text = text(&pass);
    seen.secrets.push(text.clone());

    let (then, arguments) = then(issue);
    let is = match then {
        "url" => Value::from(pass.url()),
        "viewer_url" => Value::from(pass.viewer_url()),
        "rfb_parameters" => rfb(&pass.rfb_parameters(), seen),
        "novnc_url" => {
            let page = arguments["page"].as_str().unwrap();
            Value::from(pass.novnc_url(page, &nowhere.options(&arguments["options"]))?)
        }
        other => panic!("a pass has no {other}"),
    };
    Ok(without_pass(&is, &text))
}

/// An issuer with the vector's key, which is on disk only while it is made.
fn issuer(vector: &Value) -> Result<Issuer, Error> {
    let key = Path::new(env!("CARGO_TARGET_TMPDIR")).join("links.jwk");
    fs::write(&key, vector["pass_key"].to_string()).unwrap();
    let options = Place::nowhere().options(&vector["options"]).set("pass_key_file", key.to_str().unwrap());
    let issuer = Issuer::new(&options);
    fs::remove_file(&key).unwrap();
    issuer
}

/// The pass itself, which needs no encoding wherever it stands.
fn text(pass: &Pass) -> String {
    let url = pass.url();
    let (_, text) = url.split_once("pass=").unwrap();
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)), "{text}");
    assert!(!text.is_empty(), "there is no pass in {url}");
    text.to_owned()
}

/// A pass is another one every time, so what was made of it is compared with `{pass}` in its place.
fn without_pass(made: &Value, pass: &str) -> Value {
    match made {
        Value::String(text) => Value::from(text.replace(pass, "{pass}")),
        Value::Object(members) => members.iter().map(|(name, text)| (name.clone(), without_pass(text, pass))).collect(),
        other => other.clone(),
    }
}

fn cloudtower(call: &Value, seen: &mut Seen) -> Result<Value, Error> {
    let text = |of: &Value, name: &str| of[name].as_str().unwrap().to_owned();
    let direct = &call["cloudtower_direct"];
    let asked = if direct.is_object() { direct } else { &call["cloudtower_via"] };
    let (vm_uuid, host_ip) = (text(asked, "vm_uuid"), text(asked, "host_ip"));
    let machine = CloudTowerMachine { vm_uuid: &vm_uuid, host_ip: &host_ip };
    let link = if direct.is_object() {
        let token = CloudTowerRawToken(Secret::from(text(direct, "raw_token")));
        seen.look_at(&token);
        cloudtower_direct(&text(direct, "cluster_ip"), machine, &token)
    } else {
        let token = CloudTowerToken(Secret::from(text(asked, "token")));
        seen.look_at(&token);
        cloudtower_via(&text(asked, "cloudtower"), machine, &token)
    };
    link.map(|link| link_of(&link, seen))
}

/// The one call on what the first one returned, and its arguments.
fn then(call: &Value) -> (&str, &Value) {
    let (name, arguments) = call["then"].as_object().unwrap().iter().next().unwrap();
    (name, arguments)
}

fn rfb(parameters: &RfbParameters, seen: &mut Seen) -> Value {
    seen.look_at(parameters);
    json!({ "url": parameters.url(), "password": parameters.password() })
}

fn link_of(link: &Secret, seen: &mut Seen) -> Value {
    seen.look_at(link);
    seen.secrets.push(link.expose().to_owned());
    Value::from(link.expose())
}
