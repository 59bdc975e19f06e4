//! Servers that repeat a console's ticket and password, as a proxy with a page for errors does, or a server that explains too much.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use consolepass::{Kind, Options, Proxmox, doctor};
use consolepass_emulator::script::{Player, Script};
use serde_json::{Value, json};

use super::{Run, TOKEN_ID, TOKEN_SECRET};

/// With everything in it that is written in another way somewhere.
const PASSWORD: &str = "SE\"+\\&%;";
const SIGNATURE: &str = "6B0261D7::q83/HUNTER+HUNTER/q83==";
/// A word that stands in each answer, to see that it was quoted at all.
pub(super) const QUOTED: &str = "unkind";

impl Run {
    pub(super) async fn before_servers_that_repeat_what_they_were_told(&mut self) {
        let ticket = format!("{PASSWORD}:PVEVNC:{SIGNATURE}");
        self.secrets.extend([PASSWORD.to_owned(), ticket.clone()]);
        let encoded = ticket.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02x}"));
        for told in [ticket.clone(), encoded.clone(), encoded.to_uppercase(), PASSWORD.to_owned(), SIGNATURE.to_owned()]
        {
            let words = format!("{QUOTED}: no such url /x?port=5900&vncticket={told}&x");
            for response in [
                json!({"status": 404, "reason": words, "text": words}),
                json!({"status": 401, "reason": words}),
                json!({"upgrade": {"frames": refusing(&words)}}),
                json!({"upgrade": {"frames": [{"send": STANDARD.encode(format!("{told} {QUOTED}"))}]}}),
            ] {
                self.meet(&ticket, &response).await;
            }
        }
    }

    /// What the doctor says of a console that is opened with `ticket` and then goes on with `response`.
    async fn meet(&self, ticket: &str, response: &Value) {
        let data = json!({"data": {"port": "5900", "ticket": ticket, "password": PASSWORD, "user": "portal@pve"}});
        // Neither its version nor the account's rights; only consoles.
        let closed = json!({"request": {"method": "GET"}, "response": {"status": 403}});
        let script = json!([
            closed,
            closed,
            {"request": {"method": "POST"}, "response": {"status": 200, "json": data}},
            {"request": {"method": "GET"}, "response": response},
        ]);
        let player = Player::start(Script::from_json(&script.to_string()).unwrap()).await.unwrap();
        let place =
            Options::new().set("host", player.address().to_string()).set("fingerprint", player.fingerprint().unwrap());
        let proxmox = Proxmox::new(&place.set("token_id", TOKEN_ID).set("token_secret", TOKEN_SECRET)).unwrap();

        let report = doctor::examine(&proxmox, &"pve1/qemu/101".parse().unwrap(), Kind::Vnc).await;

        let error = report.error().expect("nothing of this is a console");
        self.said.add(format!("{error} {} {error:?} {report:?}", error.hint()));
    }
}

/// An RFB server that refuses the connection in `words`.
fn refusing(words: &str) -> Value {
    let version = "RFB 003.008\n";
    let refusal = [&[0][..], &u32::try_from(words.len()).unwrap().to_be_bytes(), words.as_bytes()].concat();
    json!([{"send": STANDARD.encode(version)}, {"receive": STANDARD.encode(version)}, {"send": STANDARD.encode(refusal)}])
}
