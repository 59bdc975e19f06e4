//! The vectors of what a hypervisor refuses behind the ticket: see `tests/vectors/README.md`.

use consolepass::{Kind, Proxmox, doctor};
use serde_json::Value;

use crate::vector::{self, Place};

const FEWEST: usize = 15;

#[tokio::test]
async fn every_refusal_behind_the_ticket_is_told_as_it_says() {
    vector::play_all("doctor-", FEWEST, play).await;
}

async fn play(vector: &Value) -> Result<(), String> {
    let player = vector::player(vector).await?;
    let place = Place::of(&player);
    let proxmox = Proxmox::new(&vector::backend_options(vector, &place)).map_err(|error| error.to_string())?;
    let machine = vector["call"]["doctor"]["machine"].as_str().unwrap().parse().unwrap();

    let report = doctor::examine(&proxmox, &machine, Kind::Vnc).await;

    let error = report.error().ok_or("it found nothing wrong")?;
    let shown = format!("{} {report:?}", vector::shown(error));
    vector::nothing_secret(&vector::secrets(vector), &shown)?;
    vector::check_error(&vector["error"], error, &place)?;
    player.finish().await.map_err(|differences| differences.join("; "))
}
