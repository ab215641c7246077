//! How a receiver sees that a delivery is ours: two signatures, so that either kind of receiver can look.
//!
//! `webhook-id`, `webhook-timestamp` and `webhook-signature` are those of Standard Webhooks
//! (<https://www.standardwebhooks.com/>), for which there are libraries; `X-Hub-Signature-256` is what receivers know that were written for
//! code hosters. Both are HMAC-SHA-256 (RFC 2104).

use base64::{Engine, engine::general_purpose::STANDARD};
use pbkdf2::hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a secret of Standard Webhooks begins with; the rest is the key in base64.
const PREFIX: &str = "whsec_";

/// Returns `webhook-signature` of a body under an id, at a moment in seconds since 1970.
pub fn standard(secret: &str, id: &str, seconds: i64, body: &str) -> String {
    let of_standard = secret.strip_prefix(PREFIX);
    let key = of_standard.and_then(|text| STANDARD.decode(text).ok());
    let key = key.unwrap_or_else(|| secret.as_bytes().to_vec());
    let code = mac(&key, &[&format!("{id}.{seconds}."), body]);
    format!("v1,{}", STANDARD.encode(code))
}

/// Returns `X-Hub-Signature-256` of a body.
pub fn hub(secret: &str, body: &str) -> String {
    let code = mac(secret.as_bytes(), &[body]);
    let digits = code.iter().map(|byte| format!("{byte:02x}"));
    format!("sha256={}", digits.collect::<String>())
}

fn mac(key: &[u8], parts: &[&str]) -> Vec<u8> {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_that_receivers_compute() {
        // The example of the specification.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        assert_eq!(
            standard(secret, id, 1_614_265_330, r#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        // The example of those who brought the header up.
        assert_eq!(
            hub("It's a Secret to Everybody", "Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        );
    }
}
