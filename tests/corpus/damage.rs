//! Real mails with random damage: read or refused, none takes longer than the patience of a reader.

use super::{each_archive, sampled};
use crate::mail::sample::exercise;

/// How many damaged copies of each mail are read.
const COPIES: u64 = 3;

#[test]
fn archives_survive_damage() {
    each_archive("corpus: damage", |archive| {
        let mails = sampled(archive);
        println!(
            "{}: {} mails",
            archive.file_name().unwrap_or_default().display(),
            mails.len()
        );
        for (at, mail) in mails.iter().enumerate() {
            exercise(mail);
            for copy in 0..COPIES {
                exercise(&damaged(mail, at as u64 * COPIES + copy + 1));
            }
        }
    });
}

/// A copy with some bytes changed; the same seed damages the same bytes.
fn damaged(mail: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut mail = mail.to_vec();
    // Mostly among the headers, where a byte means more.
    for blow in 0..next() % 12 {
        let reach = if blow % 2 == 0 {
            mail.len().min(4000)
        } else {
            mail.len()
        };
        if reach > 0 {
            let at = next() as usize % reach;
            mail[at] = next() as u8;
        }
    }
    mail
}
