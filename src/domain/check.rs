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
