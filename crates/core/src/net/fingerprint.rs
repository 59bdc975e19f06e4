//! SHA-256 fingerprints of certificates, as hypervisors print them.

use std::fmt;

use ring::digest::{SHA256, digest};

/// The SHA-256 of a certificate's DER bytes. Shown as upper-case hex with colons, the way Proxmox VE and OpenSSL do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// What [`Fingerprint::parse`] takes, for errors.
    pub(crate) const ACCEPTED: &'static str = "accepted is a SHA-256 fingerprint of 64 hexadecimal digits, with or without a colon after \
         each two, in either case, and with or without sha256: before it";

    /// Reads one that a person copied from somewhere.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = match text.split_at_checked(7) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("sha256:") => rest,
            _ => text,
        };
        let pairs: Vec<&str> = if digits.contains(':') {
            digits.split(':').collect()
        } else {
            // A cut inside a character of several bytes gives an empty pair, which is no number.
            (0..digits.len()).step_by(2).map(|start| digits.get(start..start + 2).unwrap_or("")).collect()
        };
        let bytes: Option<Vec<u8>> = pairs.into_iter().map(byte).collect();
        Some(Self(bytes?.try_into().ok()?))
    }

    /// The fingerprint of a certificate in DER.
    pub(crate) fn of(certificate: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Self(bytes)
    }
}

/// Two hexadecimal digits; `from_str_radix` alone would take a sign as well.
fn byte(pair: &str) -> Option<u8> {
    let plain = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
    if plain { u8::from_str_radix(pair, 16).ok() } else { None }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let colon = if index == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str =
        "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55";

    #[test]
    fn it_is_shown_as_the_hypervisor_shows_it() {
        let of_nothing = Fingerprint::of(b"");

        assert_eq!(of_nothing.to_string(), SHOWN);
    }

    #[test]
    fn colons_case_and_prefix_do_not_matter() {
        let plain = SHOWN.replace(':', "");
        for spelling in [
            SHOWN.to_owned(),
            SHOWN.to_lowercase(),
            plain.clone(),
            plain.to_lowercase(),
            format!("sha256:{plain}"),
            format!("SHA256:{SHOWN}"),
            format!("  {SHOWN}\n"),
        ] {
            let parsed = Fingerprint::parse(&spelling);

            assert_eq!(parsed, Some(Fingerprint::of(b"")), "{spelling:?}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let short = &SHOWN[..SHOWN.len() - 3];
        for wrong in [
            "",
            ":",
            "sha256:",
            short,
            &format!("{SHOWN}:00"),
            &format!("sha1:{SHOWN}"),
            &SHOWN.replacen("E3", "+3", 1),
            &SHOWN.replacen("E3", "E", 1),
            &SHOWN.replacen("E3", "G3", 1),
            &SHOWN.replace(':', "").replacen("E3", "é", 1),
            "DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09",
        ] {
            assert_eq!(Fingerprint::parse(wrong), None, "{wrong:?}");
        }
    }
}
