//! Who is asking: passwords, tokens, and whose they are.
//!
//! `identify.rs` reads credentials and finds their owner, `password.rs` knows how passwords are kept, `guess.rs` how often
//! one may be tried, `session.rs` which browsers are logged in, `totp.rs` the codes of a second factor, `csrf.rs` whether
//! a page of ours asks, `late.rs` who may be answered by a standby. What an owner may do is `domain::permission`'s.

pub mod csrf;
pub mod guess;
mod identify;
pub mod late;
mod password;
pub mod proof;
pub mod session;
pub mod totp;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

pub use identify::{Caller, Credentials, Refused, by_password, by_token, credentials, identify};
pub use password::{hash_password, hashed, is_old, is_right, is_usable, weakness};

/// The fewest characters of a password.
pub const MIN_PASSWORD: usize = 8;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system gave no random bytes.
    #[error("the system's random generator failed: {0}")]
    Random(#[from] getrandom::Error),
    /// The password cannot be hashed.
    #[error("the password cannot be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

/// The result of making a secret.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A new token: shown once, kept as a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// What the client sends: 40 lower-case hex digits.
    pub key: String,
    /// What is kept.
    pub hash: Vec<u8>,
}

/// Makes a token.
///
/// # Errors
/// When the system has no random bytes.
pub fn new_token() -> Result<NewToken> {
    let key = hex(&random::<20>()?);
    let hash = token_hash(&key);
    Ok(NewToken { key, hash })
}

/// Returns what is kept of a token: the SHA-256 of its digits. A token is random, so it needs no salt.
pub fn token_hash(key: &str) -> Vec<u8> {
    Sha256::digest(key.as_bytes()).to_vec()
}

/// Makes a key that is mailed to prove that an address is somebody's: 40 lower-case hex digits.
///
/// # Errors
/// When the system has no random bytes.
pub fn new_mail_key() -> Result<String> {
    Ok(hex(&random::<20>()?))
}

/// Returns what is kept of a key that was mailed: the first 40 hex digits of its SHA-256.
pub fn mail_key_digest(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes())[..20])
}

/// Returns a key to sign with: 50 hex digits, fit for any settings file.
///
/// # Errors
/// When the system has no random bytes.
pub fn secret_key() -> Result<String> {
    Ok(hex(&random::<25>()?))
}

/// Returns a secret that what is sent can be signed with, in the form of Standard Webhooks: `whsec_` and 32 bytes in base64.
///
/// # Errors
/// When the system has no random bytes.
pub fn signing_secret() -> Result<String> {
    let bytes = random::<32>()?;
    Ok(format!("whsec_{}", STANDARD.encode(bytes)))
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

/// Returns bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_forty_digits() {
        let token = new_token().expect("a token");
        assert_eq!(token.key.len(), 40);
        assert!(
            token
                .key
                .chars()
                .all(|c| matches!(c, '0'..='9' | 'a'..='f'))
        );
        assert_eq!(token.hash, token_hash(&token.key));
        assert_eq!(token.hash.len(), 32);
    }

    #[test]
    fn mailed_keys_are_kept_as_digests() {
        let key = new_mail_key().expect("a key");
        let digest = mail_key_digest(&key);
        assert_eq!((key.len(), digest.len()), (40, 40));
        assert_ne!(key, digest);
        assert_eq!(
            mail_key_digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a3"
        );
    }

    #[test]
    fn a_key_is_long_enough() {
        assert_eq!(secret_key().expect("a key").len(), 50);
    }
}
