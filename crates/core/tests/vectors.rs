//! The shared vectors of Proxmox VE, through the public API: see `tests/vectors/README.md`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::error::Error as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use consolepass::options::Value as OptionValue;
use consolepass::{Console, Error, Kind, Options, Proxmox};
use consolepass_emulator::script::{Options as PlayerOptions, Player, Script};
use serde_json::Value;

/// A folder that lost its files must not pass.
const FEWEST: usize = 70;

#[tokio::test]
async fn every_vector_comes_out_as_it_says() {
    let vectors = vectors();
    assert!(vectors.len() >= FEWEST, "only {} vectors", vectors.len());

    let mut failures = Vec::new();
    for vector in &vectors {
        if let Err(reason) = play(vector).await {
            failures.push(format!("{}: {reason}", vector["name"]));
        }
    }

    let (failed, all) = (failures.len(), vectors.len());
    assert!(failures.is_empty(), "{failed} of {all} failed:\n{}", failures.join("\n"));
}

fn vectors() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let mut vectors = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("proxmox-") && path.extension().is_some_and(|extension| extension == "json") {
            let list: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            vectors.extend(list);
        }
    }
    vectors
}

/// What a vector's placeholders stand for.
struct Place {
    address: String,
    fingerprint: String,
}

impl Place {
    fn fill(&self, text: &str) -> String {
        text.replace("{address}", &self.address).replace("{fingerprint}", &self.fingerprint)
    }
}

async fn play(vector: &Value) -> Result<(), String> {
    let exchanges = vector.get("exchanges").map_or_else(|| "[]".to_owned(), Value::to_string);
    let script = Script::from_json(&exchanges).map_err(|error| error.to_string())?;
    let tls = vector["tls"] != "none";
    let player = Player::start_with(script, PlayerOptions { tls, ..PlayerOptions::default() }).await.unwrap();
    let place = Place {
        address: player.address().to_string(),
        fingerprint: player.fingerprint().unwrap_or_default().to_owned(),
    };

    let outcome = call(vector, &place).await;
    let shown = match &outcome {
        Ok(console) => format!("{console:?}"),
        Err(error) => {
            format!("{error} {error:?} {} {:?}", error.hint(), error.source().map(ToString::to_string))
        }
    };
    if let Some(secret) = secrets(vector).into_iter().find(|secret| shown.contains(secret.as_str())) {
        return Err(format!("the secret {secret} is shown in {shown}"));
    }
    match (&vector["result"], &vector["error"], &outcome) {
        (Value::Object(_), _, Ok(console)) => check_console(&vector["result"], console, &place)?,
        (_, Value::Object(_), Err(error)) => check_error(&vector["error"], error, &place)?,
        _ => return Err(format!("came out as {shown}")),
    }
    if !tls {
        // What it heard was the greeting of TLS, which no script has.
        return Ok(());
    }
    player.finish().await.map_err(|differences| differences.join("; "))
}

async fn call(vector: &Value, place: &Place) -> Result<Console, Error> {
    let given = vector["options"].as_object().unwrap();
    let mut options: Options = given.iter().map(|(name, value)| (name.clone(), option(value))).collect();
    if !given.contains_key("host") {
        options = options.set("host", place.address.as_str());
    }
    let trusts = ["fingerprint", "ca_file", "insecure"].iter().any(|name| given.contains_key(*name));
    if vector["tls"].as_str().unwrap_or("pinned") == "pinned" && !trusts {
        options = options.set("fingerprint", place.fingerprint.as_str());
    }
    let open = &vector["call"]["open"];
    let kind: Kind = open["kind"].as_str().unwrap_or("vnc").parse()?;
    Proxmox::new(&options)?.open(open["machine"].as_str().unwrap(), kind).await
}

fn option(value: &Value) -> OptionValue {
    match value {
        Value::String(text) => OptionValue::from(text.as_str()),
        Value::Bool(value) => OptionValue::from(*value),
        Value::Number(number) => OptionValue::from(number.as_i64().unwrap()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| item.as_str().unwrap().to_owned()).collect();
            OptionValue::from(items)
        }
        other => panic!("an option cannot be {other}"),
    }
}

/// Everything in a vector that nobody may see: secret options, and what the server hands out.
fn secrets(vector: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["token_secret", "password", "login_ticket", "csrf_token"] {
        found.extend(vector["options"][name].as_str().map(str::to_owned));
    }
    for exchange in vector["exchanges"].as_array().into_iter().flatten() {
        let data = &exchange["response"]["json"]["data"];
        for name in ["ticket", "password", "CSRFPreventionToken"] {
            found.extend(data[name].as_str().map(str::to_owned));
        }
    }
    // Shorter ones are found in any sentence.
    found.retain(|secret| secret.len() >= 8);
    found
}

fn check_console(expected: &Value, console: &Console, place: &Place) -> Result<(), String> {
    let same = |what: &str, is: Option<&str>| {
        let should = expected[what].as_str().map(|text| place.fill(text));
        if is == should.as_deref() { Ok(()) } else { Err(format!("{what} is {is:?} and should be {should:?}")) }
    };
    same("machine", Some(&console.machine().to_string()))?;
    same("kind", Some(console.kind().as_str()))?;
    same("websocket_url", console.websocket_url())?;
    same("password", console.password())?;
    let headers = expected["headers"].as_object().unwrap();
    let is = console.headers();
    for (name, value) in headers {
        if !is.iter().any(|(other, text)| other.eq_ignore_ascii_case(name) && Some(*text) == value.as_str()) {
            return Err(format!("there is no header {name} with the value {value}"));
        }
    }
    if is.len() != headers.len() {
        return Err(format!("there are {} headers and should be {}", is.len(), headers.len()));
    }
    if console.address().map(|address| address.to_string()).as_ref() != Some(&place.address) {
        return Err("it would be dialled at another address than the one that answered".into());
    }
    let left = console.expires_at().duration_since(SystemTime::now()).unwrap_or_default();
    let most = Duration::from_secs(expected["expires_within"].as_u64().unwrap());
    if left.is_zero() || left > most {
        return Err(format!("it expires in {left:?}, which is not within {most:?}"));
    }
    Ok(())
}

fn check_error(expected: &Value, error: &Error, place: &Place) -> Result<(), String> {
    let said = || format!("{} (HTTP {:?}): {error} [{}]", error.code(), error.http_status(), error.hint());
    if expected["code"] != error.code().name() {
        return Err(format!("the code should be {}: {}", expected["code"], said()));
    }
    let status = expected["http_status"].as_u64();
    if status.is_some() && error.http_status().map(u64::from) != status {
        return Err(format!("the status should be {status:?}: {}", said()));
    }
    let texts = [("message_contains", error.to_string()), ("hint_contains", error.hint().to_owned())];
    for (member, text) in texts {
        for part in expected[member].as_array().into_iter().flatten() {
            if !text.contains(part.as_str().unwrap()) {
                return Err(format!("{member} {part}: {}", said()));
            }
        }
    }
    let fingerprint = expected["fingerprint"].as_str().map(|text| place.fill(text));
    if fingerprint.is_some() && error.fingerprint() != fingerprint.as_deref() {
        return Err(format!("the fingerprint should be the one seen: {:?}", error.fingerprint()));
    }
    Ok(())
}
