//! Whether a request that changes something comes from a page of ours (`web.md §1.3`): another site's page can make a
//! browser send our cookies, but cannot read them, and browsers say whose page it is that asks.

use subtle::ConstantTimeEq;

/// The cookie with the token. Compatibility: scripts know the names.
pub const COOKIE: &str = "csrftoken";
/// The field of a form with the token.
pub const FIELD: &str = "csrfmiddlewaretoken";
/// The header with the token.
pub const HEADER: &str = "X-CSRFToken";

/// What a request says about the page it comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin<'a> {
    /// The header `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a str>,
    /// The header `Origin`.
    pub origin: Option<&'a str>,
    /// The token in the cookie.
    pub cookie: Option<&'a str>,
    /// The token in the form or the header.
    pub token: Option<&'a str>,
}

impl Origin<'_> {
    /// Says whether the request comes from a page of ours; `own` are the ways in which our origin may be written.
    pub fn is_ours(&self, own: &[String]) -> bool {
        let by_browser = match (self.fetch_site, self.origin) {
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => own.iter().any(|own| own == origin),
            (None, None) => false,
        };
        by_browser || self.has_token()
    }

    fn has_token(&self) -> bool {
        match (self.cookie, self.token) {
            (Some(known), Some(token)) if !known.is_empty() => {
                known.as_bytes().ct_eq(token.as_bytes()).into()
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_ours_is_known_by_its_origin_or_its_token() {
        let own = ["https://patches.example.org".to_owned()];
        let cases = [
            (Some("same-origin"), None, None, None, true),
            (Some("none"), None, None, None, true),
            (Some("cross-site"), None, None, None, false),
            (Some("same-site"), None, None, None, false),
            (Some("cross-site"), None, Some("t"), Some("t"), true),
            (None, Some("https://patches.example.org"), None, None, true),
            (None, Some("http://patches.example.org"), None, None, false),
            (None, Some("null"), None, None, false),
            (None, None, None, None, false),
            (None, None, Some("t"), Some("t"), true),
            (None, None, Some("t"), Some("u"), false),
            (None, None, Some(""), Some(""), false),
            (None, None, None, Some("t"), false),
        ];
        for (fetch_site, origin, cookie, token, expected) in cases {
            let asked = Origin {
                fetch_site,
                origin,
                cookie,
                token,
            };
            assert_eq!(asked.is_ours(&own), expected, "{asked:?}");
        }
    }
}
