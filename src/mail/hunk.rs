//! The line that opens a hunk, `@@ -1,5 +1,6 @@ heading`.

/// The numbers in the line, as digits: a hash wants them unread, and they may be too large to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HunkHead<'a> {
    old: Range<'a>,
    new: Range<'a>,
    /// What follows the second `@@`.
    pub heading: &'a str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range<'a> {
    start: &'a str,
    count: &'a str,
}

impl<'a> HunkHead<'a> {
    /// Reads a line; none if it does not open a hunk.
    pub fn read(line: &'a str) -> Option<Self> {
        let (old, rest) = Range::read(line.strip_prefix("@@ -")?)?;
        let (new, rest) = Range::read(rest.strip_prefix(" +")?)?;
        Some(HunkHead {
            old,
            new,
            heading: rest.strip_prefix(" @@")?,
        })
    }

    /// Returns the two counts as decimal numbers without leading zeros, 1 where absent.
    pub fn digits(&self) -> (&'a str, &'a str) {
        (without_zeros(self.old.count), without_zeros(self.new.count))
    }

    /// Returns how many lines the hunk takes from the old and the new file.
    pub fn counts(&self) -> (u64, u64) {
        (number(self.old.count), number(self.new.count))
    }

    /// Returns the first line of the hunk in the old and the new file.
    pub fn starts(&self) -> (u64, u64) {
        (number(self.old.start), number(self.new.start))
    }
}

impl<'a> Range<'a> {
    /// Reads `start` or `start,count` at the start of `text`.
    fn read(text: &'a str) -> Option<(Self, &'a str)> {
        let (start, rest) = digits(text)?;
        match rest.strip_prefix(',').and_then(digits) {
            Some((count, rest)) => Some((Range { start, count }, rest)),
            None => Some((Range { start, count: "1" }, rest)),
        }
    }
}

fn digits(text: &str) -> Option<(&str, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    (length > 0).then(|| text.split_at(length))
}

fn without_zeros(digits: &str) -> &str {
    match digits.trim_start_matches('0') {
        "" => "0",
        rest => rest,
    }
}

/// A number of more digits than fit is as good as endless.
fn number(digits: &str) -> u64 {
    digits.parse().unwrap_or(u64::MAX)
}
