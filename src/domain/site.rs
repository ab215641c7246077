//! Where a site is: a host, maybe with a port.

/// The domain that every site begins with.
pub const SAMPLE_DOMAIN: &str = "example.com";

/// Says whether a text is a host, maybe with a port: no scheme, no slash.
pub fn is_domain(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    !host.is_empty()
        && host.len() <= 253
        && host.split('.').all(is_part)
        && port.is_none_or(is_port)
}

/// Says whether an address leads to a domain.
pub fn is_at(url: &str, domain: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    host.eq_ignore_ascii_case(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_to_domains() {
        assert!(is_at(
            "https://Patches.example.org/pw",
            "patches.example.org"
        ));
        assert!(is_at("http://h:8000", "h:8000"));
        assert!(!is_at("https://patches.example.org", "example.org"));
    }

    #[test]
    fn domains_have_neither_scheme_nor_path() {
        for good in ["patches.example.org", "localhost:8000", "müller.example"] {
            assert!(is_domain(good), "{good}");
        }
        for bad in [
            "",
            "https://a.example",
            "a/b",
            "a b",
            "a:0",
            "a:x",
            "-a.example",
            "a..b",
            "[::1]",
        ] {
            assert!(!is_domain(bad), "{bad}");
        }
    }
}
