//! Codes of six digits that a device makes of a shared secret and the time (RFC 6238, SHA-1, steps of 30 seconds), and
//! codes for when the device is lost. Pure; what is used up is known to the store.

use pbkdf2::hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Result, random};
use crate::domain::Timestamp;

/// How many seconds a code lives.
const STEP: i64 = 30;
/// How many steps the clocks may differ, either way.
const DRIFT: i64 = 1;
/// How many codes there are for when the device is lost.
const RECOVERY_CODES: usize = 10;
/// The digits of RFC 4648, which devices take secrets in.
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Makes a secret.
///
/// # Errors
/// When the system has no random bytes.
pub fn new_secret() -> Result<Vec<u8>> {
    Ok(random::<20>()?.to_vec())
}

/// Makes codes for when the device is lost: sixteen digits in groups of four.
///
/// # Errors
/// When the system has no random bytes.
pub fn new_recovery_codes() -> Result<Vec<String>> {
    let code = |_| Ok(grouped(&base32(&random::<10>()?).to_ascii_lowercase()));
    (0..RECOVERY_CODES).map(code).collect()
}

/// Returns what is kept of such a code. However it is typed, the digits count; they are random, so it needs no salt.
pub fn recovery_hash(code: &str) -> Vec<u8> {
    let digits: String = code.chars().filter(|c| c.is_alphanumeric()).collect();
    Sha256::digest(digits.to_ascii_lowercase().as_bytes()).to_vec()
}

/// Returns the step whose code this is: of now or of a step beside it, later than `used`.
pub fn step(secret: &[u8], given: &str, used: i64, now: Timestamp) -> Option<i64> {
    let given: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    let current = now.0.div_euclid(STEP * 1_000_000);
    let mut found = None;
    // All are compared, whichever fits.
    for step in current - DRIFT..=current + DRIFT {
        let fits: bool = code(secret, step).as_bytes().ct_eq(given.as_bytes()).into();
        if fits && step > used {
            found = Some(step);
        }
    }
    found
}

fn code(secret: &[u8], step: i64) -> String {
    let mut mac =
        <Hmac<Sha1> as KeyInit>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let bytes = mac.finalize().into_bytes();
    // RFC 4226 §5.3: four bytes from where the last half byte points, without the sign.
    let at = usize::from(bytes[19] & 0xf);
    let number = bytes[at..at + 4]
        .iter()
        .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// Returns bytes as devices take them, without filling.
pub fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let mut value = 0_u64;
        for at in 0..5 {
            value = value << 8 | u64::from(group.get(at).copied().unwrap_or(0));
        }
        for at in 0..(group.len() * 8).div_ceil(5) {
            out.push(DIGITS[(value >> (35 - 5 * at) & 31) as usize] as char);
        }
    }
    out
}

/// Reads such digits back.
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut value, mut bits) = (Vec::new(), 0_u32, 0);
    for byte in text.bytes() {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        value = (value << 5 | digit as u32) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push((value >> bits) as u8);
        }
    }
    Some(out)
}

/// Returns digits in groups of four, as people read and type them.
pub fn grouped(digits: &str) -> String {
    let groups: Vec<&str> = (0..digits.len())
        .step_by(4)
        .map(|at| &digits[at..digits.len().min(at + 4)])
        .collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B; the last six of its eight digits.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp::from_seconds(seconds);
            assert_eq!(
                step(SECRET, expected, 0, now),
                Some(seconds / 30),
                "{seconds}"
            );
        }
    }

    #[test]
    fn clocks_may_differ_a_little_and_no_code_is_taken_twice() {
        let at = Timestamp::from_seconds;
        let spaced = "005 924";
        for (seconds, used, expected) in [
            (1_234_567_890, 0, Some(41_152_263)),
            (1_234_567_890 + 30, 0, Some(41_152_263)),
            (1_234_567_890 - 30, 0, Some(41_152_263)),
            (1_234_567_890 + 60, 0, None),
            (1_234_567_890, 41_152_263, None),
        ] {
            assert_eq!(step(SECRET, spaced, used, at(seconds)), expected);
        }
        assert_eq!(step(SECRET, "", 0, at(0)), None);
    }

    #[test]
    fn digits_lead_back_to_bytes() {
        for (bytes, digits) in [
            ("", ""),
            ("f", "MY"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), digits);
            assert_eq!(from_base32(digits).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(from_base32("a1"), None);
    }

    #[test]
    fn codes_for_a_lost_device_may_be_typed_in_any_way() {
        let codes = new_recovery_codes().expect("codes");
        assert_eq!((codes.len(), codes[0].len()), (10, 19));
        assert_ne!(codes[0], codes[1]);
        let typed = codes[0].replace('-', " ").to_uppercase();
        assert_eq!(recovery_hash(&typed), recovery_hash(&codes[0]));
    }
}
