//! People: addresses seen on a list. A user may own several.

use super::{PersonId, UserId};

/// An address seen on a list.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Person {
    /// Its id.
    pub id: PersonId,
    /// The address in the spelling first seen.
    pub email: String,
    /// The name last seen; `Some("")` is possible.
    pub name: Option<String>,
    /// The account it belongs to.
    #[sqlx(rename = "account_id")]
    pub user_id: Option<UserId>,
}

/// Returns what pages call somebody: the name, else the address.
pub fn shown<'a>(name: Option<&'a str>, email: &'a str) -> &'a str {
    name.filter(|name| !name.is_empty()).unwrap_or(email)
}

/// Returns what lists sort and search people by: name and address in lower case.
pub fn key(name: Option<&str>, email: &str) -> String {
    match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("{name} {email}").to_lowercase(),
        None => email.to_lowercase(),
    }
}

/// Returns an address as the list of those who want no mail from us spells it (`domain.md §1.19`).
pub fn optout_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Says whether a text is a mail address, as far as can be said without sending to it.
pub fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else {
        return false;
    };
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;\"()".contains(c);
    !local.is_empty()
        && !host.is_empty()
        && !text.contains(is_odd)
        && !host.starts_with(['.', '-'])
        && !host.ends_with('.')
        && !host.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_have_two_sides() {
        for good in ["a@b", "mara+x@tide.example.org", "ü@müller.example"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "", "a", "@b", "a@", "a b@c", "a@b..c", "<a@b>", "a@.b", "a@b.",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
