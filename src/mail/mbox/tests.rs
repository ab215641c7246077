//! Archives taken apart.

use super::*;
use proptest::prelude::*;

const ENVELOPE: &str = "From mboxrd@z Thu Jan  1 00:00:00 1970\n";

fn split(archive: &[u8], limit: usize) -> Vec<Result<String, String>> {
    let text = |mail: Vec<u8>| String::from_utf8(mail).expect("UTF-8");
    Splitter::new(archive, limit)
        .map(|item| item.map(text).map_err(|broken| broken.to_string()))
        .collect()
}

#[test]
fn an_archive_is_its_mails() {
    let archive = format!(
        "{ENVELOPE}A: 1\n\nbody\n\n{ENVELOPE}A: 2\n\n>From x\n>>From y\n> From z\n>Fromage\n\n"
    );
    let mails = [
        Ok("A: 1\n\nbody\n".into()),
        Ok("A: 2\n\nFrom x\n>From y\n> From z\n>Fromage\n".into()),
    ];
    assert_eq!(split(archive.as_bytes(), 1000), mails);
}

#[test]
fn only_an_envelope_after_a_blank_line_separates() {
    let body = format!(
        "A: 1\n\nFrom here on, all is different.\n{ENVELOPE}\nFrom me\n\nFrom May to 10:30 2024\n"
    );
    assert_eq!(
        split(format!("{ENVELOPE}{body}").as_bytes(), 1000),
        [Ok(body)]
    );
}

#[test]
fn a_single_mail_and_nothing_at_all_are_archives_too() {
    assert_eq!(
        split(b"A: 1\r\n\r\nbody\r\n\r\n", 100),
        [Ok("A: 1\r\n\r\nbody\r\n".into())]
    );
    assert_eq!(
        split(b"A: 1\n\nno line end", 100),
        [Ok("A: 1\n\nno line end".into())]
    );
    assert_eq!(split(b"\n\n", 100), []);
    assert_eq!(split(b"", 100), []);
}

#[test]
fn a_mail_that_is_too_large_is_named_and_passed_over() {
    let large = "x".repeat(10_000);
    let archive = format!(
        "{ENVELOPE}A: 1\n\n{large}\n{large}\n\n{ENVELOPE}A: 2\n\n{ENVELOPE}A: 3\n\nlonger\n"
    );
    let found = split(archive.as_bytes(), 12);
    assert_eq!(
        found[0],
        Err("mail 1, which begins at byte 0, has more than the 12 bytes allowed".into())
    );
    assert_eq!(found[1], Ok("A: 2\n".into()));
    assert!(
        found[2]
            .as_ref()
            .is_err_and(|why| why.starts_with("mail 3, which begins at byte 200")),
        "{found:?}"
    );
}

#[test]
fn envelopes_are_told_from_prose() {
    for line in [
        "From a@example.org Tue Mar  5 06:07:08 2024",
        "From a@example.org  Tue Mar  5 06:07:08 2024\r",
        "From a at example.org  Tue Mar  5 06:07:08 2024",
        "From - Tue Mar 05 06:07:08 2024",
        "From patchwork Tue Mar  5 06:07:08 2024",
        "From 0123456789abcdef Mon Sep 17 00:00:00 2001",
        "From a Tue Mar  5 06:07 2024",
        "From a Tue Mar  5 06:07:08 CET 2024",
        "From a Tue Mar  5 06:07:08 2024 +0100",
        "From a Tue, 5 Mar 2024 06:07:08 +0100",
    ] {
        assert!(is_envelope(line.as_bytes()), "{line}");
    }
    for line in [
        "From",
        "From ",
        "From here",
        "From Tue Mar to May",
        "From a on Mar 5 at 10:30",
        "from a Tue Mar  5 06:07:08 2024",
    ] {
        assert!(!is_envelope(line.as_bytes()), "{line}");
    }
}

proptest! {
    #[test]
    fn joined_mails_come_apart_again(bodies in prop::collection::vec("A: [a-z]{1,9}\n(\n|>{0,2}From [a-z]\n|[a-z>]{1,9}\r?\n){0,9}", 0..9)) {
        let mut archive = String::new();
        for body in &bodies {
            archive += ENVELOPE;
            for line in body.split_inclusive('\n') {
                let quoted = line.trim_start_matches('>').starts_with("From ");
                archive += if quoted { ">" } else { "" };
                archive += line;
            }
            archive += "\n";
        }
        let mails: Vec<_> = bodies.into_iter().map(Ok).collect();
        prop_assert_eq!(split(archive.as_bytes(), 1 << 20), mails);
    }

    #[test]
    fn no_byte_is_lost_or_invented(archive in prop::collection::vec(prop::sample::select(vec!["\n", "\r\n", ">", "x", "From a Tue Mar  5 06:07:08 2024\n"]), 0..60)) {
        let archive = archive.concat();
        let mut splitter = Splitter::new(archive.as_bytes(), 1 << 20);
        let mails: Vec<Vec<u8>> = splitter.by_ref().filter_map(Result::ok).collect();
        prop_assert_eq!(splitter.position(), archive.len() as u64);
        prop_assert!(mails.iter().map(Vec::len).sum::<usize>() <= archive.len());
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = Splitter::new(&bytes[..], 100).count();
    }
}
