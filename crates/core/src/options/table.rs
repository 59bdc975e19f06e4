//! The rows. A new option is a row here; everything that reads options reads this table.

use super::{Kind, Scope, Specification};

const fn row(
    scope: Scope,
    name: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    meaning: &'static str,
) -> Specification {
    Specification { scope, name, kind, default, meaning }
}

const fn seconds(min: u64, max: u64) -> Kind {
    Kind::Seconds { min, max }
}

const fn integer(min: u64, max: u64) -> Kind {
    Kind::Integer { min, max }
}

const DAY: u64 = 24 * 60 * 60;

/// Every option there is.
#[rustfmt::skip]
pub const TABLE: &[Specification] = &[
    row(Scope::Proxmox, "host", Kind::List, None,
        "The nodes of one cluster, tried in order: h, h:8006, https://h:8006/, https://h/prefix; IPv6 with or without brackets."),
    row(Scope::Proxmox, "token_id", Kind::String, None, "The API token's id, USER@REALM!TOKENID."),
    row(Scope::Proxmox, "token_secret", Kind::Secret, None, "The API token's secret, a UUID."),
    row(Scope::Proxmox, "username", Kind::String, None, "USER@REALM, in place of a token."),
    row(Scope::Proxmox, "password", Kind::Secret, None, "The user's password."),
    row(Scope::Proxmox, "login_ticket", Kind::Secret, None,
        "A PVEAuthCookie taken over from another client, with username; in place of password, or beside it. Opening consoles renews it; alone, it is lost after two hours without one."),
    row(Scope::Proxmox, "csrf_token", Kind::Secret, None,
        "The CSRFPreventionToken that came with login_ticket; without it the ticket is renewed at once to get one."),
    row(Scope::Proxmox, "fingerprint", Kind::List, None,
        "SHA-256 fingerprints of the nodes' certificates; then no other certificate is trusted. Case and colons do not matter; not with ca_file or insecure."),
    row(Scope::Proxmox, "ca_file", Kind::String, None,
        "A PEM file with the certificate authority to trust in place of the system's, for a cluster its /etc/pve/pve-root-ca.pem; not with fingerprint or insecure."),
    row(Scope::Proxmox, "insecure", Kind::Boolean, Some("false"),
        "Trusts any certificate. Anyone on the path can then take the token; it is logged at every start."),
    row(Scope::Proxmox, "proxy", Kind::Secret, None,
        "The HTTP proxy before the nodes, http://host:port or http://user:password@host:port, for API and consoles; the environment's is never used. It is asked for a host's name, or for one address of a name that has several."),
    row(Scope::Proxmox, "timeout", seconds(1, 120), Some("10"),
        "How long one call to the management API, or the handshake of one console, may take. Its refusals alone take 3 seconds."),

    row(Scope::Vnc, "host", Kind::List, None,
        "The RFB server: h, h:5900, IPv6 with or without brackets, several to be tried in order, or one unix:/run/vm.sock."),
    row(Scope::Vnc, "password", Kind::Secret, None, "The VNC password, if the server asks for one; its first 8 bytes count."),
    row(Scope::Vnc, "timeout", seconds(1, 120), Some("10"), "How long its name may take to look up; connecting is part of the relay's handshake_timeout."),

    row(Scope::Relay, "listen", Kind::String, Some("127.0.0.1:8700"),
        "The address and port to listen on, in plain HTTP; port 0 takes a free one. TLS is the reverse proxy's."),
    row(Scope::Relay, "public_url", Kind::String, None,
        "Where browsers find the relay, with its path prefix: https://portal.example.com/console."),
    row(Scope::Relay, "allowed_origins", Kind::List, None,
        "The pages that may open a console: exact scheme, host and port. None given means the origin of public_url only."),
    row(Scope::Relay, "allow_missing_origin", Kind::Boolean, Some("false"),
        "Accepts clients that send no Origin, that is, programs that are no browsers."),
    row(Scope::Relay, "frame_ancestors", Kind::List, None,
        "The origins whose pages may show the viewer in a frame. None given means none."),
    row(Scope::Relay, "store", Kind::String, Some("memory"), "Where opaque passes are kept: memory."),
    row(Scope::Relay, "pass_key_file", Kind::String, None, "A JWK file; the relay then accepts signed passes, and issues them unless it has the public half of a pair alone."),
    row(Scope::Relay, "marks_dir", Kind::String, None,
        "A folder where used signed passes are marked, one small file each, so that several processes of one machine may accept them; it must outlive restarts. Without it one process does, and takes none from before its start."),
    row(Scope::Relay, "max_sessions", integer(1, 1_000_000), Some("1000"), "How many consoles may be open at once."),
    row(Scope::Relay, "max_handshakes", integer(1, 100_000), Some("200"),
        "How many connections may be on their way to a console, or idle before it, at once."),
    row(Scope::Relay, "handshake_timeout", seconds(1, 120), Some("10"),
        "How long a browser may take to send its request, and for each answer it owes before the console is up."),
    row(Scope::Relay, "session_max_age", seconds(1, 30 * DAY), Some("28800"), "How long one console may stay open."),
    row(Scope::Relay, "idle_timeout", seconds(1, 30 * DAY), Some("3600"),
        "How long a console may stay open while the person does nothing; screen updates do not count."),
    row(Scope::Relay, "ping_interval", seconds(1, 3600), Some("25"),
        "How often both sides are pinged; a side that was silent for two intervals is taken for dead."),
    row(Scope::Relay, "shutdown_grace", seconds(0, 3600), Some("5"),
        "How long a stop waits for browsers to hear why their console ends."),

    row(Scope::Issuer, "public_url", Kind::String, None, "The public_url of the relay that will take the passes."),
    row(Scope::Issuer, "pass_key_file", Kind::String, None, "The JWK file that the relay has as well, or the private half of the pair whose public one it has."),

    row(Scope::Pass, "user", Kind::String, None, "The portal's name for the person, for the log."),
    row(Scope::Pass, "ttl", seconds(1, 300), Some("60"), "How long the pass may wait for its browser."),
    row(Scope::Pass, "kind", Kind::String, Some("vnc"), "The kind of console: vnc."),

    row(Scope::Page, "version", Kind::String, Some("1.7"), "The version of the noVNC that serves the page, 0.5 to 1.7."),
    row(Scope::Page, "view_only", Kind::Boolean, Some("false"), "The page sends no input. It is the page's own promise, no protection."),
    row(Scope::Page, "resize", Kind::String, Some("scale"), "off, scale or remote."),
    row(Scope::Page, "with_password", Kind::Boolean, Some("false"), "Puts the VNC password into the link's fragment, so that the page does not ask for it."),
    row(Scope::Page, "foreign_origin", Kind::Boolean, Some("false"),
        "Allows a page that the hypervisor itself does not serve: its scripts see the ticket."),
];
