//! Users: login accounts and their preferences.

use super::{Timestamp, UserId};

/// A login account.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The login name.
    pub username: String,
    /// The first name; may be empty.
    pub first_name: String,
    /// The last name; may be empty.
    pub last_name: String,
    /// The address of the account; may be empty.
    pub email: String,
    /// The password's hash, in PHC form or Django's `pbkdf2_sha256$…`.
    pub password: String,
    /// Whether it may log in.
    pub is_active: bool,
    /// Whether it may enter the admin console.
    pub is_staff: bool,
    /// Whether it may do everything there.
    pub is_superuser: bool,
    /// When it was made.
    pub date_joined: Timestamp,
    /// How many rows a list page shows.
    pub items_per_page: i64,
    /// Whether lists show patch ids.
    pub show_ids: bool,
    /// Whether it wants mail of what it did itself; kept for clients, nothing acts on it.
    pub send_email: bool,
    /// Whether its password is not enough to log in.
    pub has_second_factor: bool,
    /// How it wants its pages.
    #[sqlx(flatten)]
    pub display: Display,
}

/// How somebody wants pages to be. Empty: as the system, the site or the project has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Display {
    /// The colours: `light` or `dark`.
    pub theme: String,
    /// How diffs are laid out: `unified` or `split`.
    pub diff_view: String,
    /// The filters of a project's list that is opened without any: a query string.
    pub list_filters: String,
    /// The name of a time zone.
    pub time_zone: String,
    /// Whether single keys do something.
    pub single_keys: bool,
}

impl User {
    /// Returns first and last name, or the login name when both are empty.
    pub fn shown(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name);
        match name.trim() {
            "" => self.username.clone(),
            name => name.to_owned(),
        }
    }
}

/// The most rows of a list page that a user may wish for.
pub const MOST_ITEMS: i64 = 1000;

/// The most characters of a login name.
const MAX_USERNAME: usize = 150;

/// Says whether a text may be a login name: letters, digits and `@.+-_`.
pub fn is_username(text: &str) -> bool {
    !text.is_empty()
        && text.chars().count() <= MAX_USERNAME
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "@.+-_".contains(c))
}

/// The most characters of a name that somebody chooses at registration.
pub const MAX_CHOSEN: usize = 30;

/// Says whether a text may be chosen as a login name at registration: letters, digits and underscores (`web.md §13.1`).
pub fn is_choosable(text: &str) -> bool {
    !text.is_empty()
        && text.chars().count() <= MAX_CHOSEN
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_names_are_words() {
        assert!(is_username("mara") && is_username("m.a+r-a_@x"));
        assert!(!is_username("") && !is_username("a b") && !is_username("a/b"));
        assert!(!is_username(&"a".repeat(151)));
    }

    #[test]
    fn chosen_names_are_narrower() {
        assert!(is_choosable("mara_2") && is_choosable("käthe"));
        assert!(!is_choosable("") && !is_choosable("m.a") && !is_choosable("m@a"));
        assert!(!is_choosable(&"a".repeat(31)));
    }
}
