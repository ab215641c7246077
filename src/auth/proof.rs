//! A proof that a request comes from who knows the site's key: for `patchwork check --deploy`, which asks the site through its
//! front server what arrived.

use pbkdf2::hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The header that carries it.
pub const HEADER: &str = "X-Patchwork-Probe";

/// How many seconds clocks may differ, and a proof may be used.
const SECONDS: i64 = 120;

/// Makes a proof for this moment, in seconds since 1970.
pub fn make(key: &str, now: i64) -> String {
    format!("{now}.{}", mac(key, now))
}

/// Says whether a proof was made by who knows the key, and just now. Without a key there is none.
pub fn is_valid(key: &str, proof: &str, now: i64) -> bool {
    let Some((at, mac_given)) = proof.split_once('.') else {
        return false;
    };
    let Ok(at) = at.parse::<i64>() else {
        return false;
    };
    let is_now = now.saturating_sub(at).saturating_abs() <= SECONDS;
    let fits: bool = mac(key, at).as_bytes().ct_eq(mac_given.as_bytes()).into();
    !key.is_empty() && is_now && fits
}

fn mac(key: &str, at: i64) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(format!("patchwork probe {at}").as_bytes());
    let digest = mac.finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_of_its_key_and_its_time() {
        let proof = make("key", 1000);
        assert!(is_valid("key", &proof, 1000) && is_valid("key", &proof, 1100));
        assert!(!is_valid("key", &proof, 1200) && !is_valid("other", &proof, 1000));
        assert!(!is_valid("", &make("", 1000), 1000));
        for bad in ["", ".", "1000", "1000.", "x.y", "99999999999999999999.a"] {
            assert!(!is_valid("key", bad, 1000), "{bad}");
        }
    }
}
