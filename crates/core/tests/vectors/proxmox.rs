//! The shared vectors of Proxmox VE, through the public API: see `tests/vectors/README.md`.

use std::time::{Duration, SystemTime};

use consolepass::{Console, Error, Kind, Proxmox};
use serde_json::Value;

use crate::vector::{self, Place};

const FEWEST: usize = 100;

#[tokio::test]
async fn every_vector_comes_out_as_it_says() {
    vector::play_all("proxmox-", FEWEST, play).await;
}

async fn play(vector: &Value) -> Result<(), String> {
    let player = vector::player(vector).await?;
    let place = Place::of(&player);

    let outcome = call(vector, &place).await;
    let shown = match &outcome {
        Ok(console) => format!("{console:?}"),
        Err(error) => vector::shown(error),
    };
    vector::nothing_secret(&vector::secrets(vector), &shown)?;
    match (&vector["result"], &vector["error"], &outcome) {
        (Value::Object(_), _, Ok(console)) => check_console(&vector["result"], console, &place)?,
        (_, Value::Object(_), Err(error)) => vector::check_error(&vector["error"], error, &place)?,
        _ => return Err(format!("came out as {shown}")),
    }
    if vector["tls"] == "none" {
        // What it heard was the greeting of TLS, which no script has.
        return Ok(());
    }
    player.finish().await.map_err(|differences| differences.join("; "))
}

async fn call(vector: &Value, place: &Place) -> Result<Console, Error> {
    let open = &vector["call"]["open"];
    let kind: Kind = open["kind"].as_str().unwrap_or("vnc").parse()?;
    Proxmox::new(&vector::backend_options(vector, place))?.open(open["machine"].as_str().unwrap(), kind).await
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
