//! Words as PostgreSQL keeps them: each once, in order, with its places and their weights.

use crate::{domain::search::words::Words, store::value::TsVector};

/// How many places of a word are kept; a server refuses one more.
const MOST_PLACES: usize = 256;

/// A word where it stands. What it begins with comes first: comparing numbers is faster than comparing texts.
type Found<'a> = (u64, &'a str, u16, Weight);

/// The part of a mail that a word stands in, as `setweight` calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    D,
    C,
    B,
    A,
}

/// Returns the words of a mail in the form in which a server sends and receives a `tsvector`. It could read them from a text,
/// but would have to sort them, which takes more of its time than all else it does with them.
///
/// No phrase goes over the end of a part.
pub(super) fn vector(words: &Words) -> TsVector {
    let parts = [
        (&words.subject, Weight::A),
        (&words.body, Weight::B),
        (&words.diff, Weight::C),
        (&words.extra, Weight::D),
    ];
    let length: usize = parts.iter().map(|(text, _)| text.len()).sum();
    let mut found: Vec<Found> = Vec::with_capacity(length / 5);
    let mut place = 0;
    for (text, weight) in parts {
        place += 2;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            place += 1;
            found.push((beginning(word), word, place, weight));
        }
    }
    found.sort_unstable();
    write(&found, length)
}

/// Returns the first eight bytes of a word, as a number that is larger for what comes later.
fn beginning(word: &str) -> u64 {
    let mut first = [0; 8];
    let length = word.len().min(8);
    first[..length].copy_from_slice(&word.as_bytes()[..length]);
    u64::from_be_bytes(first)
}

/// Writes how many words there are, then each as a text that ends with NUL, how many places it has, and these: two bits of
/// weight above fourteen of place.
fn write(found: &[Found], length: usize) -> TsVector {
    let mut out = Vec::with_capacity(length + 4 * found.len() + 4);
    out.extend([0; 4]);
    let mut count = 0_u32;
    for same in found.chunk_by(|one, next| one.1 == next.1) {
        let same = &same[..same.len().min(MOST_PLACES)];
        count += 1;
        out.extend(same[0].1.as_bytes());
        out.push(0);
        out.extend((same.len() as u16).to_be_bytes());
        for (_, _, place, weight) in same {
            out.extend((((*weight as u16) << 14) | place).to_be_bytes());
        }
    }
    out[..4].copy_from_slice(&count.to_be_bytes());
    TsVector(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_places_and_weights() {
        let words = Words {
            subject: "it fix it".into(),
            extra: "k=0".into(),
            ..Words::default()
        };
        let expected = b"\0\0\0\x03fix\0\0\x01\xc0\x04it\0\0\x02\xc0\x03\xc0\x05k=0\0\0\x01\0\x0c";
        assert_eq!(vector(&words).0, expected);
    }

    #[test]
    fn words_are_in_order() {
        let sorted = ["a", "a1", "aaaaaaaa", "aaaaaaaa1", "aaaaaaaab", "b", "é"];
        let mut words: Vec<Found> = sorted
            .iter()
            .rev()
            .map(|word| (beginning(word), *word, 1, Weight::B))
            .collect();
        words.sort_unstable();
        assert_eq!(
            words.iter().map(|found| found.1).collect::<Vec<_>>(),
            sorted
        );
    }

    #[test]
    fn of_a_word_that_is_everywhere_some_places_are_kept() {
        let words = Words {
            body: "x ".repeat(1_000),
            ..Words::default()
        };
        assert_eq!(vector(&words).0.len(), 4 + 2 + 2 + 2 * MOST_PLACES);
    }
}
