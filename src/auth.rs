//! Secrets of accounts: how passwords are kept, what a token looks like and what of it is kept.
//!
//! No database here: `store` keeps what these functions return.

use argon2::{Argon2, PasswordHasher, password_hash::phc::PasswordHash};
use sha2::{Digest, Sha256};

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

/// Returns what is kept of a password: argon2id in PHC form, with a salt of its own.
///
/// # Errors
/// When the system has no random bytes, or no memory for the hash.
pub fn hash_password(password: &str) -> Result<String> {
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &random::<16>()?)
        .map_err(Error::Hash)?;
    Ok(hash.to_string())
}

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

/// Returns a key to sign with: 50 hex digits, fit for any settings file.
///
/// # Errors
/// When the system has no random bytes.
pub fn secret_key() -> Result<String> {
    Ok(hex(&random::<25>()?))
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;

    use super::*;

    #[test]
    fn a_password_is_kept_as_argon2id() {
        let kept = hash_password("tide and pool").expect("a hash");
        assert!(kept.starts_with("$argon2id$"), "{kept}");
        let hash = PasswordHash::new(&kept).expect("PHC form");
        assert!(
            Argon2::default()
                .verify_password(b"tide and pool", &hash)
                .is_ok()
        );
        assert!(
            Argon2::default()
                .verify_password(b"tide and poof", &hash)
                .is_err()
        );
        assert_ne!(kept, hash_password("tide and pool").expect("another salt"));
    }

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
    fn a_key_is_long_enough() {
        assert_eq!(secret_key().expect("a key").len(), 50);
    }
}
