//! Webhooks: whom a project tells of its events by HTTP, which of them, and how often it is tried.

use super::{ProjectId, WebhookId, event::Category, project};

/// Whom a project tells of its events.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// The project.
    pub project: ProjectId,
    /// Where events are sent.
    pub url: String,
    /// What deliveries are signed with.
    pub secret: String,
    /// Which events; none for all.
    pub categories: Vec<Category>,
    /// Whether it is switched on.
    pub is_active: bool,
    /// The last event that it has been asked of.
    pub last_event: i64,
    /// How many tries failed in a row.
    pub failures: i64,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Whoever logs one does not log its secret.
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// How long a secret is, in characters.
pub const SECRET: std::ops::RangeInclusive<usize> = 16..=200;

/// How often a delivery is tried: with [`pause`], for about four days.
pub const MAX_TRIES: i64 = 8;

/// The minutes for which a webhook rests at most when tries fail.
const LONGEST_REST: i64 = 64;

/// Returns the minutes after which a delivery is tried again that was tried so often.
pub fn pause(tries: i64) -> i64 {
    1 << (2 * (tries - 1).clamp(0, MAX_TRIES))
}

/// Returns the minutes for which a webhook is left alone after so many failures in a row.
pub fn rest(failures: i64) -> i64 {
    pause(failures).min(LONGEST_REST)
}

/// Reads words of categories with blanks or commas between them.
///
/// # Errors
/// The first word that is none.
pub fn categories(text: &str) -> Result<Vec<Category>, &str> {
    let words = text.split([' ', ',', '\n', '\r', '\t']);
    words
        .filter(|word| !word.is_empty())
        .map(|word| Category::from_word(word).ok_or(word))
        .collect()
}

/// Says whether events can be sent to an address: HTTP or HTTPS, without a name or password in it, which logs would show.
pub fn is_target(url: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    project::is_address(url) && authority.is_some_and(|it| !it.is_empty() && !it.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_made_ever_later() {
        let pauses: Vec<i64> = (1..MAX_TRIES).map(pause).collect();
        assert_eq!(pauses, [1, 4, 16, 64, 256, 1024, 4096]);
        assert_eq!([1, 3, 4, 100].map(rest), [1, 16, 64, 64]);
    }

    #[test]
    fn categories_are_read() {
        let read = categories("check-created, patch-created\n").expect("categories");
        assert_eq!(read, [Category::CheckCreated, Category::PatchCreated]);
        assert_eq!(categories(" ").expect("none"), []);
        assert_eq!(categories("check-created patches"), Err("patches"));
    }

    #[test]
    fn events_go_to_addresses_of_the_web() {
        for (url, is_fit) in [
            ("https://ci.example.org/hook?token=a", true),
            ("http://ci.example.org:8080", true),
            ("ftp://ci.example.org/", false),
            ("https://", false),
            ("https:///path", false),
            ("https://mara:secret@ci.example.org/", false),
            ("https://ci.example.org/a b", false),
            ("ci.example.org", false),
        ] {
            assert_eq!(is_target(url), is_fit, "{url}");
        }
    }
}
