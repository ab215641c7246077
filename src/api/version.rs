//! Which version of the API is asked for: it decides which fields and addresses there are, never who may do what
//! (`rest.md §1.1`).

use std::fmt;

/// A version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The first one.
    V1_0,
    /// Adds web addresses and comments.
    V1_1,
    /// Adds relations, archive addresses, writing of bundles.
    V1_2,
    /// Adds single comments.
    V1_3,
    /// Adds dependencies.
    V1_4,
    /// Adds revisions of series.
    V1_5,
}

impl Version {
    /// All versions, the oldest first.
    pub const ALL: [Version; 6] = [
        Version::V1_0,
        Version::V1_1,
        Version::V1_2,
        Version::V1_3,
        Version::V1_4,
        Version::V1_5,
    ];

    /// What is served where no version is asked for.
    pub const NEWEST: Version = Version::V1_5;

    /// Returns the number as addresses have it.
    pub fn number(self) -> &'static str {
        match self {
            Version::V1_0 => "1.0",
            Version::V1_1 => "1.1",
            Version::V1_2 => "1.2",
            Version::V1_3 => "1.3",
            Version::V1_4 => "1.4",
            Version::V1_5 => "1.5",
        }
    }

    /// Returns the version with this number.
    pub fn parse(text: &str) -> Option<Version> {
        Version::ALL.into_iter().find(|it| it.number() == text)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.number())
    }
}
