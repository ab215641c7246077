//! What front servers say of a client that came to them: its address and its scheme, and who is believed.

use std::{net::IpAddr, str::FromStr, sync::Arc};

/// The front servers that are believed.
#[derive(Debug, Clone)]
pub struct Trusted(Arc<[Net]>);

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Net {
    address: IpAddr,
    bits: u8,
}

impl Net {
    fn holds(self, other: IpAddr) -> bool {
        let (own, other, width) = match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(own.to_bits()), other.to_bits().into(), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            _ => return false,
        };
        let rest = width - u32::from(self.bits);
        // A shift by all bits would overflow; then nothing is left to compare.
        own.checked_shr(rest) == other.checked_shr(rest)
    }
}

impl FromStr for Net {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(drop)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(drop)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width {
            return Err(());
        }
        Ok(Net { address, bits })
    }
}

impl Trusted {
    /// Reads addresses and networks, such as `127.0.0.0/8, ::1`.
    ///
    /// # Errors
    /// The word that is neither.
    pub fn parse(text: &str) -> Result<Trusted, String> {
        let words = text
            .split([',', ' '])
            .map(str::trim)
            .filter(|word| !word.is_empty());
        let nets: Result<Vec<Net>, String> = words
            .map(|word| word.parse().map_err(|()| word.to_owned()))
            .collect();
        Ok(Trusted(nets?.into()))
    }

    /// Returns whether somebody at this address is believed.
    pub(super) fn holds(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.holds(address))
    }
}

/// What front servers say, the nearest one last.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    hops: Vec<Option<IpAddr>>,
    scheme: Option<String>,
}

impl Said {
    /// Reads `X-Forwarded-For` and `X-Forwarded-Proto`, or `Forwarded` where there is neither: a front server that
    /// sets the former passes a client's own `Forwarded` on without a thought.
    pub(super) fn of(hops: &str, scheme: &str, forwarded: &str) -> Said {
        if !hops.is_empty() || !scheme.is_empty() {
            let last = scheme.rsplit(',').next().map(str::trim);
            return Said {
                hops: parts(hops, ',').map(address).collect(),
                scheme: last.filter(|last| !last.is_empty()).map(str::to_owned),
            };
        }
        let hops: Vec<&str> = parts(forwarded, ',').collect();
        let scheme = hops.last().and_then(|hop| pair(hop, "proto"));
        Said {
            scheme: scheme.map(str::to_owned),
            hops: hops
                .iter()
                .map(|hop| pair(hop, "for").and_then(address))
                .collect(),
        }
    }

    /// Returns the address that the last believed server saw: what stands before it, anybody may have written.
    pub(super) fn client(&self, trusted: &Trusted) -> Option<IpAddr> {
        let mut client = None;
        for hop in self.hops.iter().rev() {
            let Some(hop) = *hop else { break };
            client = Some(hop);
            if !trusted.holds(hop) {
                break;
            }
        }
        client
    }

    /// Returns the scheme that the client used, as the nearest server saw it.
    pub(super) fn scheme(&self) -> Option<&str> {
        self.scheme.as_deref()
    }
}

fn parts(text: &str, at: char) -> impl Iterator<Item = &str> {
    text.split(at)
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Returns the value of a parameter of one element of `Forwarded` (RFC 7239, section 4).
fn pair<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = parts(element, ';').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().trim_matches('"'))
}

/// Reads `192.0.2.7`, `192.0.2.7:81`, `2001:db8::7`, `[2001:db8::7]:81`.
fn address(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split(']').next()?.parse().ok();
    }
    text.parse()
        .ok()
        .or_else(|| text.rsplit_once(':')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(text: &str) -> Trusted {
        Trusted::parse(text).expect("networks")
    }

    #[test]
    fn networks_hold_their_addresses() {
        let ours = trusted("127.0.0.0/8, ::1 10.1.0.0/16,2001:db8::/32");
        let all = trusted("0.0.0.0/0");
        for (address, is_ours) in [
            ("127.9.9.9", true),
            ("128.0.0.1", false),
            ("::1", true),
            ("::2", false),
            ("::ffff:127.0.0.1", true),
            ("10.1.2.3", true),
            ("10.2.2.3", false),
            ("2001:db8:1::", true),
            ("2001:db9::", false),
        ] {
            let address: IpAddr = address.parse().expect("an address");
            assert_eq!(ours.holds(address), is_ours, "{address}");
            assert_eq!(all.holds(address), address.to_canonical().is_ipv4());
            assert!(!trusted("").holds(address));
        }
        for bad in [
            "10.0.0.0/33",
            "::/129",
            "example.org",
            "10.0.0/8",
            "1.1.1.1/x",
        ] {
            assert_eq!(Trusted::parse(bad).expect_err("no network"), bad);
        }
    }

    #[test]
    fn the_client_is_whom_the_last_believed_server_saw() {
        let proxies = trusted("127.0.0.1, 10.0.0.0/8");
        for (hops, client) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("203.0.113.9, 192.0.2.1", Some("192.0.2.1")),
            ("203.0.113.9, 192.0.2.1, 10.0.0.3", Some("192.0.2.1")),
            ("10.0.0.1,10.0.0.2", Some("10.0.0.1")),
            ("192.0.2.1, unknown, 10.0.0.2", Some("10.0.0.2")),
            ("unix:", None),
            ("192.0.2.1:8080", Some("192.0.2.1")),
            ("[2001:db8::1]:8080", Some("2001:db8::1")),
        ] {
            let found = Said::of(hops, "", "").client(&proxies);
            assert_eq!(found.map(|it| it.to_string()).as_deref(), client, "{hops}");
        }
    }

    #[test]
    fn schemes_and_the_standard_header() {
        let said = Said::of("", "https, http", "proto=https");
        assert_eq!(said.scheme(), Some("http"));
        let standard = "for=203.0.113.9, For=\"[2001:db8::1]:4711\";Proto=https;by=_x";
        let said = Said::of("", "", standard);
        assert_eq!(said.scheme(), Some("https"));
        let client = said.client(&trusted("10.0.0.1"));
        assert_eq!(client, "2001:db8::1".parse().ok());
        // The one header that the front server did not set is a client's own.
        assert_eq!(Said::of("192.0.2.1", "", standard).scheme(), None);
        assert_eq!(Said::of("", "", ""), Said::default());
    }
}
