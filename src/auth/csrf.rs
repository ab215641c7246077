//! Whether a browser's session is used by one of our own pages, or by another site's: pure, the same for every face.

use subtle::ConstantTimeEq;

/// The cookie with the token. Compatibility: scripts know the names.
pub const COOKIE: &str = "csrftoken";
/// The field of a form with the token.
pub const FIELD: &str = "csrfmiddlewaretoken";
/// The header with the token.
pub const HEADER: &str = "X-CSRFToken";

/// What a request that changes something says of where it comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    /// The header `Sec-Fetch-Site`.
    pub sec_fetch_site: Option<&'a str>,
    /// The header `Origin`.
    pub origin: Option<&'a str>,
    /// Scheme and host of our pages, in every form that they have.
    pub own: &'a [String],
    /// The token in the cookie.
    pub cookie: Option<&'a str>,
    /// The token that the page sent besides.
    pub sent: Option<&'a str>,
}

/// Why a request is taken for another site's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forged {
    /// There is no token.
    NoToken,
    /// The token is another one than the cookie's.
    WrongToken,
    /// The browser says that a page of another site asks.
    WrongOrigin,
}

impl Forged {
    /// Returns what clients are told.
    pub fn why(self) -> &'static str {
        match self {
            Forged::NoToken => "CSRF Failed: CSRF token missing.",
            Forged::WrongToken => {
                "CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect."
            }
            Forged::WrongOrigin => "CSRF Failed: the request comes from another site.",
        }
    }
}

impl Source<'_> {
    /// Says whether the browser says that one of our own pages asks. No page can make it say so of another.
    pub fn is_ours(&self) -> bool {
        self.said() == Some(true)
    }

    /// Returns whether the browser says that one of our own pages asks, or that another site's does; scripts say neither.
    /// What the browser says of itself counts more than addresses: behind a front server we may not know our own.
    fn said(&self) -> Option<bool> {
        match self.sec_fetch_site {
            Some("same-origin") => Some(true),
            Some("cross-site" | "same-site") => Some(false),
            _ => self.origin.map(|origin| self.is_own(origin)),
        }
    }

    fn is_own(&self, origin: &str) -> bool {
        let mut own = self.own.iter().filter(|own| !own.is_empty());
        own.any(|own| own.eq_ignore_ascii_case(origin))
    }

    /// Sees that it is one of our own pages that asks: the browser says so, or the page knows the token. Another site's
    /// page can make a browser send our cookies, but cannot read them.
    ///
    /// # Errors
    /// When neither is so.
    pub fn check(&self) -> Result<(), Forged> {
        match self.is_ours() {
            true => Ok(()),
            false => self.check_token(),
        }
    }

    /// Sees that it is one of our own forms: it has the token, whatever the browser says, and comes from no other site.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_token(&self) -> Result<(), Forged> {
        // Of another site's page no token helps: whoever has a neighbour of ours may set our cookies.
        if self.said() == Some(false) {
            return Err(Forged::WrongOrigin);
        }
        let sent = self.sent.ok_or(Forged::NoToken)?;
        let known = self.cookie.unwrap_or_default();
        let is_known: bool = known.as_bytes().ct_eq(sent.as_bytes()).into();
        match is_known && !known.is_empty() {
            true => Ok(()),
            false => Err(Forged::WrongToken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_pages_and_those_who_know_the_token_may_change_things() {
        const OURS: Option<&str> = Some("https://pw.example.com");
        const THEIRS: Option<&str> = Some("https://other.example.org");
        let own = ["https://pw.example.com".to_owned(), String::new()];
        let (missing, wrong) = (Err(Forged::NoToken), Err(Forged::WrongToken));
        let foreign = Err(Forged::WrongOrigin);
        for (sec_fetch_site, origin, cookie, sent, expected) in [
            (Some("same-origin"), None, None, None, Ok(())),
            (Some("same-origin"), OURS, None, None, Ok(())),
            (None, OURS, None, None, Ok(())),
            (None, Some("HTTPS://PW.example.com"), None, None, Ok(())),
            (None, None, Some("t"), Some("t"), Ok(())),
            (Some("none"), None, Some("t"), Some("t"), Ok(())),
            // A front server may hide our name from us; the browser knows.
            (Some("same-origin"), THEIRS, Some("t"), Some("t"), Ok(())),
            (Some("cross-site"), THEIRS, Some("t"), Some("t"), foreign),
            (Some("cross-site"), None, Some("t"), Some("t"), foreign),
            (Some("same-site"), OURS, Some("t"), Some("t"), foreign),
            (Some("none"), THEIRS, Some("t"), Some("t"), foreign),
            (None, THEIRS, Some("t"), Some("t"), foreign),
            (None, Some("null"), Some("t"), Some("t"), foreign),
            (None, None, None, None, missing),
            (Some("none"), None, Some("t"), None, missing),
            (Some("same-site"), THEIRS, Some("t"), None, foreign),
            (None, THEIRS, Some("t"), None, foreign),
            (None, Some("null"), Some("t"), None, foreign),
            (None, Some(""), Some("t"), None, foreign),
            (
                None,
                Some("http://pw.example.com"),
                Some("t"),
                None,
                foreign,
            ),
            (None, None, Some("t"), Some("u"), wrong),
            (None, None, None, Some("t"), wrong),
            (None, None, Some(""), Some(""), wrong),
        ] {
            let source = Source {
                sec_fetch_site,
                origin,
                own: &own,
                cookie,
                sent,
            };
            assert_eq!(source.check(), expected, "{source:?}");
            let is_known = sent.is_some() && expected.is_ok();
            assert_eq!(source.check_token().is_ok(), is_known, "{source:?}");
        }
    }
}
