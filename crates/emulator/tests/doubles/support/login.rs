//! Logging in, and calls that show who is recognised.

use consolepass_emulator::proxmox::{Account, Emulator, Generation, Settings, Token, User};

use super::socket::QEMU;
use super::{Answer, Client, quick};

pub const LOGIN: &str = "/api2/json/access/ticket";
pub const SECRET: &str = "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";

/// What a login gives.
pub struct Login {
    pub ticket: String,
    pub csrf: String,
}

pub async fn log_in(emulator: &Emulator, form: &str) -> Answer {
    Client::to(emulator).await.post(LOGIN, &[], form).await
}

pub async fn logged_in(emulator: &Emulator) -> Login {
    let data = log_in(emulator, "username=portal@pve&password=portal-password").await.data();
    let text = |key: &str| data[key].as_str().unwrap().to_owned();
    Login { ticket: text("ticket"), csrf: text("CSRFPreventionToken") }
}

/// The status line of a `vncproxy` call with these headers.
pub async fn vncproxy(emulator: &Emulator, headers: &[(&str, &str)]) -> String {
    Client::to(emulator).await.post(&format!("{QEMU}/vncproxy"), headers, "websocket=1").await.status_line
}

/// Accounts and tokens of every sort.
pub fn people(generation: Generation) -> Settings {
    let mut settings = Settings { generation, ..quick() };
    settings.users.push(User { account: Account::Disabled, ..User::new("off@pve", "secret") });
    settings.users.push(User { account: Account::Expired, ..User::new("old@pve", "secret") });
    settings.users.push(User { second_factor: Some("totp:123456".into()), ..User::new("two@pve", "secret") });
    settings.tokens.push(Token { expired: true, ..Token::new("portal@pve!exp", SECRET) });
    settings.tokens.push(Token::new("portal@pve!bare", SECRET));
    settings.tokens.push(Token { privilege_separation: false, ..Token::new("portal@pve!full", SECRET) });
    settings
}
