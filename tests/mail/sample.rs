//! The sample list, damaged: whatever happens to its bytes, each mail is read or refused, at once.

use std::{fs, path::Path, sync::LazyLock, time::Instant};

use patchwork::mail::{self, mbox::Splitter};
use proptest::{prelude::*, sample::Index};

use super::{LIST, handed_out};

/// How long reading one mail and writing it again may take, in seconds.
const PATIENCE: u64 = 2;

/// The mails of the sample list.
fn sample() -> &'static [Vec<u8>] {
    static MAILS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("lib/sample/tidepool.mbox");
        let archive = fs::read(path).expect("the sample list");
        let mails: Result<_, _> = Splitter::new(&archive[..], 16 << 20).collect();
        mails.expect("mails")
    });
    &MAILS
}

/// Reads a mail and does with it all that this room can do.
pub fn exercise(raw: &[u8]) {
    let began = Instant::now();
    if let Ok(message) = mail::read(raw) {
        if message.author(LIST).is_ok() {
            let ours = handed_out(&message, LIST, vec![&message.content.message]);
            let again = mail::read(&ours).expect("what we write can be read");
            let given = message.id.as_str().ends_with("@synthetic.invalid>");
            assert!(
                given || again.id == message.id,
                "{} {}",
                again.id,
                message.id
            );
        }
        let diff = message.content.diff.unwrap_or_default();
        let lines = mail::outline(&diff)
            .iter()
            .map(|file| file.lines().count())
            .sum::<usize>();
        assert_eq!(lines, diff.split_inclusive('\n').count());
        let _ = (mail::files(&diff), mail::diff_hash(&diff));
    }
    let _ = mail::label(raw);
    assert!(
        began.elapsed().as_secs() < PATIENCE,
        "{:?}",
        began.elapsed()
    );
}

/// Changes, drops or repeats bytes at these places.
pub fn damage(mail: &mut Vec<u8>, blows: &[(Index, u8, u8)]) {
    for (at, byte, kind) in blows {
        let at = at.index(mail.len() + 1);
        match kind % 4 {
            0 => mail.insert(at, *byte),
            1 => mail.truncate(at.max(20)),
            2 if at < mail.len() => mail[at] ^= byte,
            _ => mail.extend_from_within(at..(at + 200).min(mail.len())),
        }
    }
}

fn blows() -> impl Strategy<Value = Vec<(Index, u8, u8)>> {
    prop::collection::vec((any::<Index>(), any::<u8>(), any::<u8>()), 1..20)
}

#[test]
fn the_sample_list_survives_being_handed_out() {
    for mail in sample() {
        exercise(mail);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn damaged_mails_of_the_sample_list_are_read_or_refused(
        which in any::<Index>(),
        blows in blows(),
    ) {
        let mut mail = which.get(sample()).clone();
        damage(&mut mail, &blows);
        exercise(&mail);
    }

    #[test]
    fn a_damaged_archive_is_split_to_its_end(blows in blows()) {
        let mut archive = sample().join(&b"\n\nFrom x Tue Mar  5 06:07:08 2024\n"[..]);
        archive.truncate(60_000);
        damage(&mut archive, &blows);
        let mut splitter = Splitter::new(&archive[..], 1 << 20);
        let mails: Vec<Vec<u8>> = splitter.by_ref().map(|mail| mail.expect("small enough")).collect();
        prop_assert_eq!(splitter.position(), archive.len() as u64);
        for mail in mails {
            let _ = mail::read(&mail);
        }
    }
}
