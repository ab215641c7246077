//! Checks: what CI found, newest per user and context.

use super::{CheckId, PatchId, Timestamp, UserId};

/// The result of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckState {
    /// Not finished.
    Pending = 0,
    /// Passed.
    Success = 1,
    /// Passed with remarks.
    Warning = 2,
    /// Failed.
    Fail = 3,
}

impl CheckState {
    /// All results, in the order pages show them.
    pub const ALL: [CheckState; 4] = [Self::Success, Self::Warning, Self::Fail, Self::Pending];

    /// Returns the result with this number in the database, if there is one.
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as i64 == number)
    }

    /// Returns the word the API uses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Warning => "warning",
            Self::Fail => "fail",
        }
    }

    /// Returns the result with this word, if there is one.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// One result of a check on a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its id.
    pub id: CheckId,
    /// The patch it judges.
    pub patch_id: PatchId,
    /// Who reported it.
    pub user_id: UserId,
    /// The name of who reported it.
    pub username: String,
    /// When it was reported.
    pub date: Timestamp,
    /// What was found.
    pub state: CheckState,
    /// What was checked: the name of a CI job.
    pub context: String,
    /// Where to read more.
    pub target_url: Option<String>,
    /// One line on what was found.
    pub description: Option<String>,
}

/// What a check is called when its reporter gives it no name.
const DEFAULT_CONTEXT: &str = "default";

/// The most characters of a context, and of an address.
const MAX_CONTEXT: usize = 255;
const MAX_URL: usize = 200;

/// A check about to be stored. [`NewCheck::new`] is the only way to make one, so it is always valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCheck {
    patch: PatchId,
    reporter: UserId,
    state: CheckState,
    context: String,
    target_url: Option<String>,
    description: Option<String>,
}

/// What is wrong with a check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The context is empty, too long, or holds other characters than letters, digits, `_` and `-`.
    #[error(
        "'{0}' is no context: letters, digits, underscores and hyphens only, {MAX_CONTEXT} at most"
    )]
    Context(String),
    /// The address is none, or too long.
    #[error(
        "'{0}' is no address that starts with http, https, ftp or ftps and has {MAX_URL} characters at most"
    )]
    TargetUrl(String),
}

impl NewCheck {
    /// Checks what somebody reports; without a context it is `default`. An empty address or description is kept as it is given.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn new(
        patch: PatchId,
        reporter: UserId,
        state: CheckState,
        context: Option<&str>,
        target_url: Option<&str>,
        description: Option<&str>,
    ) -> Result<Self, Vec<Fault>> {
        let context = context.unwrap_or(DEFAULT_CONTEXT);
        let mut faults = Vec::new();
        if !is_context(context) {
            faults.push(Fault::Context(context.to_owned()));
        }
        faults.extend(
            target_url
                .filter(|url| !url.is_empty() && !is_url(url))
                .map(|url| Fault::TargetUrl(url.to_owned())),
        );
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(NewCheck {
            patch,
            reporter,
            state,
            context: context.to_owned(),
            target_url: target_url.map(str::to_owned),
            description: description.map(str::to_owned),
        })
    }

    /// Returns the patch it judges.
    pub fn patch(&self) -> PatchId {
        self.patch
    }

    /// Returns who reports it.
    pub fn reporter(&self) -> UserId {
        self.reporter
    }

    /// Returns what was found.
    pub fn state(&self) -> CheckState {
        self.state
    }

    /// Returns what was checked.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// Returns where to read more.
    pub fn target_url(&self) -> Option<&str> {
        self.target_url.as_deref()
    }

    /// Returns what was found in a few words.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

fn is_context(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    (1..=MAX_CONTEXT).contains(&text.len()) && text.chars().all(is_plain)
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_known = ["http", "https", "ftp", "ftps"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    is_known
        && !host.is_empty()
        && text.chars().count() <= MAX_URL
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Effective checks of a patch, counted by result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckCounts {
    /// How many are not finished.
    pub pending: i64,
    /// How many passed.
    pub success: i64,
    /// How many passed with remarks.
    pub warning: i64,
    /// How many failed.
    pub fail: i64,
}

impl CheckCounts {
    /// Returns the count of one result.
    pub fn of(&self, state: CheckState) -> i64 {
        match state {
            CheckState::Pending => self.pending,
            CheckState::Success => self.success,
            CheckState::Warning => self.warning,
            CheckState::Fail => self.fail,
        }
    }

    /// Adds to the count of one result.
    pub fn add(&mut self, state: CheckState, count: i64) {
        match state {
            CheckState::Pending => self.pending += count,
            CheckState::Success => self.success += count,
            CheckState::Warning => self.warning += count,
            CheckState::Fail => self.fail += count,
        }
    }

    /// Returns the one word for all of them (`domain.md §4`): the worst found, pending when nothing was.
    pub fn combined(&self) -> CheckState {
        let worst = [CheckState::Fail, CheckState::Warning, CheckState::Pending];
        match worst.into_iter().find(|state| self.of(*state) > 0) {
            Some(state) => state,
            None if self.success > 0 => CheckState::Success,
            None => CheckState::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(context: &str, url: &str) -> usize {
        let new = NewCheck::new(
            PatchId(1),
            UserId(1),
            CheckState::Success,
            Some(context),
            Some(url),
            None,
        );
        new.err().map_or(0, |faults| faults.len())
    }

    #[test]
    fn contexts_and_addresses_are_checked() {
        for context in [DEFAULT_CONTEXT, "ci_Build-2", &"a".repeat(255)] {
            assert_eq!(faults(context, ""), 0, "{context}");
        }
        for context in ["", "a b", "a/b", "é", "a\n", &"a".repeat(256)] {
            assert_eq!(faults(context, ""), 1, "{context}");
        }
        let longest = format!("https://x/{}", "a".repeat(190));
        for url in ["http://ci.example.org/1?a=b#c", "FTP://h", &longest] {
            assert_eq!(faults("x", url), 0, "{url}");
        }
        let longer = format!("{longest}a");
        for url in [
            "x",
            "javascript://x",
            "http://",
            "http:///a",
            "http://a b",
            "http://a\nb",
            &longer,
        ] {
            assert_eq!(faults("x", url), 1, "{url}");
        }
        assert_eq!(faults("a b", "x"), 2);
    }

    #[test]
    fn the_worst_effective_check_wins() {
        let counts = |pending, success, warning, fail| CheckCounts {
            pending,
            success,
            warning,
            fail,
        };
        assert_eq!(counts(0, 0, 0, 0).combined(), CheckState::Pending);
        assert_eq!(counts(0, 1, 0, 0).combined(), CheckState::Success);
        assert_eq!(counts(1, 1, 0, 0).combined(), CheckState::Pending);
        assert_eq!(counts(1, 1, 1, 0).combined(), CheckState::Warning);
        assert_eq!(counts(1, 1, 1, 1).combined(), CheckState::Fail);
    }
}
