//! What a page tells about the action before it (`web.md §1.5`).

use serde::{Deserialize, Serialize};

/// One thing to tell, shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// How it went.
    pub kind: Kind,
    /// What is told, plain text.
    pub text: String,
    /// What takes the action back, for a short time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<i64>,
}

/// How an action went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It was done.
    Done,
    /// It was not done, or not all of it.
    Failed,
}

impl Notice {
    /// Something was done.
    pub fn done(text: impl Into<String>) -> Notice {
        Notice {
            kind: Kind::Done,
            text: text.into(),
            undo: None,
        }
    }

    /// Something was not done.
    pub fn failed(text: impl Into<String>) -> Notice {
        Notice {
            kind: Kind::Failed,
            text: text.into(),
            undo: None,
        }
    }

    /// It can be taken back.
    #[must_use]
    pub fn with_undo(mut self, undo: i64) -> Notice {
        self.undo = Some(undo);
        self
    }
}
