//! Confirmations: keys that are mailed to prove that an address is somebody's (`domain.md §1.18`).

use super::Timestamp;

/// What a mailed key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An account becomes active.
    Registration,
    /// An address becomes one of an account's.
    Address,
    /// An address becomes the account's own.
    Primary,
    /// An address gets no more mail.
    OptOut,
    /// An address may get mail again.
    OptIn,
    /// A password is chosen anew.
    Reset,
}

/// How many days a password may be chosen anew after the mail.
const RESET_DAYS: i64 = 3;
const MINUTES_A_DAY: i64 = 24 * 60;

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 6] = [
        Kind::Registration,
        Kind::Address,
        Kind::Primary,
        Kind::OptOut,
        Kind::OptIn,
        Kind::Reset,
    ];

    /// Returns the word under which it is kept.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Registration => "registration",
            Kind::Address => "userperson",
            Kind::Primary => "primary",
            Kind::OptOut => "optout",
            Kind::OptIn => "optin",
            Kind::Reset => "reset",
        }
    }

    /// Returns the kind that is kept under a word.
    pub fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Says whether a key that was mailed at a moment is too old; `days` is how long the site lets most of them live.
    pub fn has_expired(self, mailed: Timestamp, days: i64, now: Timestamp) -> bool {
        let days = match self {
            Kind::Reset => RESET_DAYS,
            _ => days,
        };
        mailed.plus_minutes(days * MINUTES_A_DAY) <= now
    }
}

/// Says whether a text may be a key: lower-case hex digits, forty of them.
pub fn is_key(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back_to_their_kind() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Some(kind));
        }
        assert_eq!(Kind::from_word("other"), None);
    }

    #[test]
    fn keys_grow_old() {
        let now = Timestamp::from_seconds(1_709_618_828);
        let mailed = |days: i64| now.plus_minutes(-days * MINUTES_A_DAY);
        assert!(!Kind::OptIn.has_expired(mailed(6), 7, now));
        assert!(Kind::OptIn.has_expired(mailed(7), 7, now));
        assert!(!Kind::Reset.has_expired(mailed(2), 1, now));
        assert!(Kind::Reset.has_expired(mailed(3), 7, now));
    }

    #[test]
    fn keys_are_forty_digits() {
        assert!(is_key(&"0a".repeat(20)));
        for bad in [
            "",
            "0a",
            &"0A".repeat(20),
            &"0g".repeat(20),
            &"0".repeat(41),
        ] {
            assert!(!is_key(bad), "{bad}");
        }
    }
}
