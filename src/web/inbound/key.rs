//! Who may hand mails in: whoever knows the secret, or a provider whose signature is right.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use pbkdf2::hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How old a signature may be, in seconds: a provider tries again for hours while we are away.
const MOST_AGE: i64 = 12 * 3600;

/// How many seconds the clock of a provider may be ahead.
const MOST_AHEAD: i64 = 300;

/// What opens the way in; without a secret it is closed.
#[derive(Clone, Default)]
pub struct Keys {
    /// What every sender shows, but those who sign.
    pub secret: String,
    /// What Mailgun signs with.
    pub mailgun_key: String,
    /// The topics of Amazon SNS that may send.
    pub topics: Vec<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_open = !self.secret.is_empty();
        f.debug_struct("Keys")
            .field("is_open", &is_open)
            .finish_non_exhaustive()
    }
}

/// What a request shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The secret.
    Right,
    /// Something else in its place.
    Wrong,
    /// Nothing.
    Nothing,
}

/// How Mailgun signs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// When, in seconds.
    pub timestamp: String,
    /// What is there once.
    pub token: String,
    /// The code over both, in hex.
    pub signature: String,
}

/// Compares without telling by the time it takes how much is right.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    Sha256::digest(one).ct_eq(&Sha256::digest(other)).into()
}

impl Keys {
    /// Says whether anybody may hand mails in.
    pub fn is_open(&self) -> bool {
        !self.secret.is_empty()
    }

    /// Looks at what a request shows: `Authorization`, or `key` of the query.
    pub fn look(&self, authorization: Option<&str>, key: Option<&str>) -> Shown {
        let shown = match (authorization, key) {
            (Some(header), _) => secret(header),
            (None, Some(key)) => Some(key.as_bytes().to_vec()),
            (None, None) => return Shown::Nothing,
        };
        match shown.is_some_and(|shown| is_same(&shown, self.secret.as_bytes())) {
            true => Shown::Right,
            false => Shown::Wrong,
        }
    }

    /// Says whether a signature is Mailgun's and not too old.
    pub fn is_signed(&self, signed: &Signature, now: i64) -> bool {
        if self.mailgun_key.is_empty() {
            return false;
        }
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.mailgun_key.as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(signed.timestamp.as_bytes());
        mac.update(signed.token.as_bytes());
        let code: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let is_right = is_same(
            code.as_bytes(),
            signed.signature.to_ascii_lowercase().as_bytes(),
        );
        let is_fresh = signed.timestamp.parse::<i64>().is_ok_and(|then| {
            now.saturating_sub(then) <= MOST_AGE && then.saturating_sub(now) <= MOST_AHEAD
        });
        is_right && is_fresh
    }

    /// Says whether a topic may send.
    pub fn has_topic(&self, topic: &str) -> bool {
        self.topics.iter().any(|known| known == topic)
    }
}

/// Returns the secret of an `Authorization` header: what follows `Bearer`, or the password of `Basic`.
fn secret(header: &str) -> Option<Vec<u8>> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(rest.as_bytes().to_vec()),
        "basic" => {
            let pair = STANDARD.decode(rest).ok()?;
            let colon = pair.iter().position(|byte| *byte == b':')?;
            Some(pair[colon + 1..].to_vec())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        Keys {
            secret: "0123456789abcdef0123456789abcdef".to_owned(),
            mailgun_key: "key".to_owned(),
            topics: Vec::new(),
        }
    }

    #[test]
    fn secrets_are_shown_in_three_ways() {
        let keys = keys();
        let basic = format!("Basic {}", STANDARD.encode(format!("mail:{}", keys.secret)));
        let bearer = format!("bearer {}", keys.secret);
        for (header, key, expected) in [
            (Some(bearer.as_str()), None, Shown::Right),
            (Some(&basic), None, Shown::Right),
            (None, Some(keys.secret.as_str()), Shown::Right),
            (Some("Bearer x"), Some(keys.secret.as_str()), Shown::Wrong),
            (Some("Basic !"), None, Shown::Wrong),
            (Some("Bearer"), None, Shown::Wrong),
            (None, Some(""), Shown::Wrong),
            (None, None, Shown::Nothing),
        ] {
            assert_eq!(keys.look(header, key), expected, "{header:?} {key:?}");
        }
        assert!(!format!("{keys:?}").contains("0123"));
    }

    #[test]
    fn a_signature_is_right_and_fresh() {
        let keys = keys();
        // printf '%s' 1700000000abc | openssl dgst -sha256 -hmac key
        let code = "bd2f1af294b8152534265a2dada145799d31c54cb9bab55bf4ea75be1770a0e3";
        let signed = Signature {
            timestamp: "1700000000".to_owned(),
            token: "abc".to_owned(),
            signature: code.to_owned(),
        };
        assert!(keys.is_signed(&signed, 1_700_000_000));
        assert!(!keys.is_signed(&signed, 1_700_000_000 + MOST_AGE + 1));
        assert!(!keys.is_signed(&signed, 1_700_000_000 - MOST_AHEAD - 1));
        let other = Signature {
            token: "abd".to_owned(),
            ..signed.clone()
        };
        assert!(!keys.is_signed(&other, 1_700_000_000));
        assert!(!Keys::default().is_signed(&signed, 1_700_000_000));
    }
}
