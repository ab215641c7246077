//! Passwords: how they are kept, and whether one is right. Hashes that Django made are taken, too.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use base64::{Engine, prelude::BASE64_STANDARD};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::{sync::Semaphore, task};

use super::{Error, MIN_PASSWORD, Result, random};
use crate::domain::user::User;

/// The most rounds of Django's hash that we go through: a hash is data, and must not keep us busy for minutes.
const MOST_ROUNDS: u32 = 5_000_000;

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

/// Says whether a password is the one of which `kept` is kept: argon2id, or Django's `pbkdf2_sha256$…`.
pub fn is_right(kept: &str, password: &str) -> bool {
    match kept.strip_prefix("pbkdf2_sha256$") {
        Some(rest) => is_right_by_pbkdf2(rest, password).unwrap_or(false),
        None => PasswordHash::new(kept).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        }),
    }
}

/// Says whether somebody can log in with a password at all. Compatibility: `!` begins what fits none.
pub fn is_usable(kept: &str) -> bool {
    !kept.is_empty() && !kept.starts_with('!')
}

/// The most characters of a password: hashing takes longer the more there are.
const MOST_CHARACTERS: usize = 1000;

/// What everybody tries first, a line each.
const COMMON: &str = include_str!("common-passwords.txt");

/// Returns what is wrong with a password that somebody chooses; `own` are the name and the address of the account.
pub fn weakness(password: &str, own: &[&str]) -> Option<&'static str> {
    let lower = password.to_lowercase();
    let is_own = |text: &&str| {
        let text = text.to_lowercase();
        let local = text.split('@').next().unwrap_or_default();
        !text.is_empty() && (lower == text || lower == local)
    };
    match password.chars().count() {
        count if count < MIN_PASSWORD => Some("Eight characters at least."),
        count if count > MOST_CHARACTERS => Some("A thousand characters at most."),
        _ if own.iter().any(is_own) => Some("Not your login name or address."),
        _ if COMMON.lines().any(|line| line == lower) || is_monotonous(&lower) => {
            Some("Too easy to guess: this is one of those tried first.")
        }
        _ => None,
    }
}

/// Says whether a password is one character again and again, or only goes up.
fn is_monotonous(password: &str) -> bool {
    let codes: Vec<u32> = password.chars().map(u32::from).collect();
    let all = |step: u32| codes.windows(2).all(|pair| pair[0] + step == pair[1]);
    all(0) || all(1)
}

/// Says whether a password is kept in a way that we take but do not make: it is made anew at the next login.
pub fn is_old(kept: &str) -> bool {
    !kept.starts_with("$argon2id$")
}

/// Takes `rounds$salt$hash`; `None` when it is none.
fn is_right_by_pbkdf2(kept: &str, password: &str) -> Option<bool> {
    let mut parts = kept.split('$');
    let rounds = parts.next()?.parse().ok()?;
    let (salt, hash) = (parts.next()?, parts.next()?);
    let hash = BASE64_STANDARD.decode(hash).ok()?;
    if rounds > MOST_ROUNDS || hash.len() != 32 {
        return None;
    }
    let mut made = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), salt.as_bytes(), rounds, &mut made);
    Some(made.ct_eq(&hash).into())
}

/// Works on passwords: it keeps a processor busy for a while, not one that serves others, and takes memory, so no more are
/// worked on at once than there are processors. `None` when the work came to no end.
async fn at_work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    static PLACES: LazyLock<Semaphore> = LazyLock::new(|| {
        Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from))
    });
    let place = PLACES.acquire().await.ok()?;
    // The place is free again when the work has ended, whether or not anybody still waits for it.
    let done = task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    done.await.ok()
}

/// Returns what is kept of a password, like [`hash_password`], while others are served.
///
/// # Errors
/// When the system has no random bytes, or no memory for the hash.
pub async fn hashed(password: &str) -> Result<String> {
    let password = password.to_owned();
    let done = at_work(move || hash_password(&password)).await;
    done.unwrap_or(Err(Error::Hash(argon2::password_hash::Error::Internal)))
}

/// Returns the user if the password is right and the account may log in. It takes as long when there is no such
/// account: nobody can find out by the clock which there are.
pub(super) async fn verified(user: Option<User>, password: &str) -> Option<User> {
    static NOBODY: LazyLock<String> = LazyLock::new(|| hash_password("").unwrap_or_default());
    let kept = user.as_ref().map(|user| user.password.clone());
    let password = password.to_owned();
    let is_right = at_work(move || match kept {
        Some(kept) => is_right(&kept, &password),
        None => {
            is_right(&NOBODY, &password);
            false
        }
    });
    let is_right = is_right.await.unwrap_or(false);
    user.filter(|user| is_right && user.is_active)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_as_argon2id() {
        let kept = hash_password("tide and pool").expect("a hash");
        assert!(kept.starts_with("$argon2id$"), "{kept}");
        assert!(is_right(&kept, "tide and pool") && !is_right(&kept, "tide and poof"));
        assert_ne!(kept, hash_password("tide and pool").expect("another salt"));
    }

    #[test]
    fn weak_passwords_are_named() {
        let own = ["tidepools", "tidepool-mara@example.org", ""];
        for bad in [
            "",
            "short",
            "password",
            "PassWord1",
            "TIDEPOOLS",
            "Tidepool-Mara@example.org",
            "tidepool-mara",
            "aaaaaaaaaaaa",
            "23456789",
            &"x1".repeat(501),
        ] {
            assert!(weakness(bad, &own).is_some(), "{bad}");
        }
        for good in ["low-tide-at-noon", "mara knows", "        x"] {
            assert_eq!(weakness(good, &own), None, "{good}");
        }
        for line in COMMON.lines() {
            assert!(
                line.chars().count() >= MIN_PASSWORD && line == line.to_lowercase(),
                "{line}"
            );
        }
        assert!(is_usable("$argon2id$x") && !is_usable("") && !is_usable("!x"));
    }

    #[test]
    fn hashes_of_django_are_taken() {
        let kept = "pbkdf2_sha256$1000$tidepool$VxnlhtWmkZEPEwlC3uqvT8XaJZRr3U3KLNLgCLJ1hh0=";
        assert!(is_right(kept, "tide and pool") && !is_right(kept, "tide and poof"));
    }

    #[test]
    fn what_is_no_hash_fits_nothing() {
        for kept in [
            "",
            "!",
            "pbkdf2_sha256$",
            "pbkdf2_sha256$1$a$b",
            "pbkdf2_sha256$4294967295$a$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "md5$a$b",
        ] {
            assert!(!is_right(kept, ""), "{kept}");
        }
    }
}
