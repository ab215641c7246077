//! Name-value pairs (specification, section 3.4): the parameters of a request, and GET_VALUES.

use std::io;

use crate::record::garbage;

/// A name and its value.
pub(crate) type Pair<'a> = (&'a [u8], &'a [u8]);

/// Pairs as they came over the wire, known to be well formed.
///
/// Kept as one block and walked anew for each question: a request has some forty of them, and a
/// hostile one costs no more memory than the bytes it sent.
#[derive(Debug, Default)]
pub(crate) struct Pairs(Vec<u8>);

impl Pairs {
    /// Checks the pairs in `raw`.
    pub(crate) fn new(raw: Vec<u8>) -> io::Result<Pairs> {
        let mut walk = Walk(&raw);
        walk.by_ref().for_each(drop);
        if walk.0.is_empty() {
            Ok(Pairs(raw))
        } else {
            Err(garbage("broken name-value pair"))
        }
    }

    /// Walks over the pairs in the order they were sent.
    pub(crate) fn iter(&self) -> Walk<'_> {
        Walk(&self.0)
    }

    /// Returns the value of `name`, the last one if there are several.
    ///
    /// nginx sends a parameter for each `fastcgi_param` line, so that a later line overrides an earlier one.
    pub(crate) fn last(&self, name: &[u8]) -> Option<&[u8]> {
        self.iter()
            .filter(|pair| pair.0 == name)
            .last()
            .map(|pair| pair.1)
    }
}

/// Walks over encoded pairs; stops before one that is cut short.
#[derive(Debug, Clone)]
pub(crate) struct Walk<'a>(&'a [u8]);

impl<'a> Iterator for Walk<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        let (name_len, rest) = split_length(self.0)?;
        let (value_len, rest) = split_length(rest)?;
        let (name, rest) = rest.split_at_checked(name_len)?;
        let (value, rest) = rest.split_at_checked(value_len)?;
        self.0 = rest;
        Some((name, value))
    }
}

/// Splits off a length: one byte up to 127, else four with the highest bit set.
fn split_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let (long, rest) = bytes.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*long) & 0x7fff_ffff;
    Some((usize::try_from(length).ok()?, rest))
}

/// Appends a pair; names and values of ours are far below the limit of 2 GiB.
pub(crate) fn put(out: &mut Vec<u8>, (name, value): Pair<'_>) {
    for length in [name.len(), value.len()] {
        match u8::try_from(length) {
            Ok(short) if short < 0x80 => out.push(short),
            _ => out.extend_from_slice(&(length as u32 | 0x8000_0000).to_be_bytes()),
        }
    }
    out.extend_from_slice(name);
    out.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_all_lengths_survive_the_wire() {
        let long = vec![b'x'; 70_000];
        let given: [Pair; 5] = [
            (b"", b""),
            (b"A", b"1"),
            (b"B", &long[..127]),
            (b"C", &long[..128]),
            (&long, b"\xff\x00"),
        ];
        let mut raw = Vec::new();
        given.iter().for_each(|pair| put(&mut raw, *pair));
        let read = Pairs::new(raw).expect("well formed");
        assert_eq!(read.iter().collect::<Vec<_>>(), given);
    }

    #[test]
    fn cut_and_lying_pairs_are_refused() {
        let broken: [&[u8]; 6] = [
            &[1],
            &[1, 0],
            &[1, 1, b'A'],
            &[0x80, 0, 0],
            &[0xff, 0xff, 0xff, 0xff, 0, b'A'],
            &[0, 0, 0],
        ];
        for raw in broken {
            assert!(Pairs::new(raw.to_vec()).is_err(), "{raw:?}");
        }
    }

    #[test]
    fn the_last_of_equal_names_counts() {
        let mut raw = Vec::new();
        [(b"H", b"1"), (b"I", b"2"), (b"H", b"3")]
            .iter()
            .for_each(|(n, v)| put(&mut raw, (*n, *v)));
        let pairs = Pairs::new(raw).expect("well formed");
        assert_eq!(pairs.last(b"H"), Some(&b"3"[..]));
        assert_eq!(pairs.last(b"J"), None);
    }
}
