//! Why a certificate is not trusted, in words that a person can act on.

use std::error::Error as StdError;
use std::fmt;

use rustls::CertificateError;
use rustls::crypto::ring as provider;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::fingerprint::Fingerprint;
use crate::{Code, Error};

/// Why a certificate was refused, as it travels through rustls and the HTTP client to the one who makes an error of it. It
/// has the fingerprint, which a person can compare with the hypervisor's and pin.
#[derive(Debug)]
pub(super) struct Untrusted {
    seen: Fingerprint,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    NotPinned(Vec<Fingerprint>),
    SelfSigned,
    Chain(CertificateError),
}

impl Untrusted {
    /// Its fingerprint is none of `pins`.
    pub(super) fn not_pinned(seen: Fingerprint, pins: &[Fingerprint]) -> Self {
        Self { seen, reason: Reason::NotPinned(pins.to_vec()) }
    }

    /// Its chain was refused.
    pub(super) fn chain(certificate: &CertificateDer<'_>, reason: CertificateError) -> Self {
        let own = is_self_signed(certificate, &reason);
        let reason = if own { Reason::SelfSigned } else { Reason::Chain(reason) };
        Self { seen: Fingerprint::of(certificate), reason }
    }

    pub(super) fn error(&self, server: &str) -> Error {
        let error = Error::new(Code::TlsUntrusted, format!("{server}: {self}")).with_fingerprint(self.seen.to_string());
        match self.hint() {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        use CertificateError::{
            Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
            UnknownIssuer,
        };
        Some(match &self.reason {
            Reason::NotPinned(_) => {
                "the certificate may have been renewed: compare the fingerprint on the hypervisor (pvenode cert info), then pin the new one; \
                 a CA file survives renewals"
            }
            Reason::SelfSigned => {
                "pin the fingerprint that the error carries, after comparing it on the hypervisor (pvenode cert info)"
            }
            Reason::Chain(UnknownIssuer) => {
                "a Proxmox VE cluster has an authority of its own: give a copy of its /etc/pve/pve-root-ca.pem as ca_file, or pin the \
                 fingerprint that the error carries, after comparing it on the hypervisor (pvenode cert info)"
            }
            Reason::Chain(NotValidForName | NotValidForNameContext { .. }) => {
                "use a host name or address that stands in the certificate, or pin the fingerprint that the error carries"
            }
            Reason::Chain(Expired | ExpiredContext { .. }) => {
                "renew the certificate on the hypervisor (pvecm updatecerts --force, or its ACME order), and check this machine's clock"
            }
            Reason::Chain(NotValidYet | NotValidYetContext { .. }) => {
                "check the clocks of this machine and of the hypervisor"
            }
            Reason::Chain(_) => return None,
        })
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Reason::NotPinned(pins) = &self.reason {
            let pins: Vec<String> = pins.iter().map(Fingerprint::to_string).collect();
            return write!(f, "its certificate has the fingerprint {}, expected was {}", self.seen, pins.join(" or "));
        }
        f.write_str("its certificate is not trusted: ")?;
        match &self.reason {
            Reason::SelfSigned => f.write_str("it is self-signed")?,
            Reason::Chain(reason) => chain_words(reason, f)?,
            Reason::NotPinned(_) => {}
        }
        write!(f, "; its fingerprint is {}", self.seen)
    }
}

impl StdError for Untrusted {}

fn chain_words(reason: &CertificateError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match reason {
        CertificateError::UnknownIssuer => f.write_str("no trusted authority signed it"),
        CertificateError::Expired => f.write_str("it has expired"),
        CertificateError::ExpiredContext { not_after, .. } => write!(f, "it expired on {}", day(*not_after)),
        CertificateError::NotValidYet => f.write_str("it is not valid yet"),
        CertificateError::NotValidYetContext { not_before, .. } => {
            write!(f, "it is valid from {} on", day(*not_before))
        }
        CertificateError::NotValidForName => f.write_str("it is for another name"),
        CertificateError::NotValidForNameContext { expected, presented } => {
            write!(f, "it is not for {}", expected.to_str())?;
            match presented.as_slice() {
                [] => f.write_str(", and names nobody"),
                names => write!(f, ", but for {}", names.iter().map(|name| bare(name)).collect::<Vec<_>>().join(", ")),
            }
        }
        other => fmt::Display::fmt(other, f),
    }
}

/// `pve.example.com` of `DnsName("pve.example.com")`, as rustls spells what a certificate names.
fn bare(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"')
}

/// Whether the certificate is its own authority, when its chain was refused for `reason`.
fn is_self_signed(certificate: &CertificateDer<'_>, reason: &CertificateError) -> bool {
    let Ok(leaf) = EndEntityCert::try_from(certificate) else { return false };
    match reason {
        CertificateError::UnknownIssuer => anchor_from_trusted_cert(certificate).is_ok_and(|own| {
            let algorithms = provider::default_provider().signature_verification_algorithms.all;
            let usage = KeyUsage::server_auth();
            leaf.verify_for_usage(algorithms, &[own], &[], UnixTime::now(), usage, None, None).is_ok()
        }),
        // One that may sign others is refused for that first.
        CertificateError::Other(_) => leaf.issuer() == leaf.subject(),
        _ => false,
    }
}

/// The day of a time in UTC, as `2026-01-31`: Howard Hinnant's civil calendar, from days since 1970.
fn day(time: UnixTime) -> String {
    let days = time.as_secs() / (24 * 60 * 60) + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months are counted from March, so that a leap day is the last of its year.
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_day_is_written_as_the_calendar_has_it() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(day(UnixTime::since_unix_epoch(Duration::from_secs(seconds))), expected);
        }
    }

    #[test]
    fn a_name_is_shown_as_a_person_writes_it() {
        assert_eq!(bare("DnsName(\"pve.example.com\")"), "pve.example.com");
        assert_eq!(bare("IpAddress(192.0.2.1)"), "192.0.2.1");
        assert_eq!(bare("something else"), "something else");
    }
}
