//! The `Date` header, which forty years of programs have written in their own ways (`mail.md §6`).

use crate::domain::Timestamp;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Zone names with hours east of UTC; any other name counts as UTC.
const ZONES: [(&str, i64); 10] = [
    ("ast", -4),
    ("adt", -3),
    ("est", -5),
    ("edt", -4),
    ("cst", -6),
    ("cdt", -5),
    ("mst", -7),
    ("mdt", -6),
    ("pst", -8),
    ("pdt", -7),
];

/// What can be stored and shown: the seconds from 0001-01-01 to 9999-12-30 22:00, where jiff ends.
const STORABLE: std::ops::Range<i64> = -62_135_596_800..253_402_207_200;

/// The parts of a date in the order found.
#[derive(Default)]
struct Parts {
    numbers: Vec<i64>,
    month: Option<i64>,
    time: Option<i64>,
    offset: i64,
}

/// Returns the moment a decoded `Date` value means; none if it cannot be read or stored.
///
/// Fields out of range roll over: 32 September is 2 October.
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let mut parts = Parts::default();
    for word in without_comments(text).split(|c: char| c == ',' || c.is_whitespace()) {
        parts.take(word)?;
    }
    let &[day, year] = parts.numbers.as_slice() else {
        return None;
    };
    let days = days_before(full_year(year), parts.month?)?.checked_add(day - 1)?;
    let seconds = days
        .checked_mul(86_400)?
        .checked_add(parts.time?)?
        .checked_sub(parts.offset)?;
    STORABLE
        .contains(&seconds)
        .then(|| Timestamp::from_seconds(seconds))
}

impl Parts {
    /// Takes in one word of the date; none if a date with this word cannot be read.
    fn take(&mut self, word: &str) -> Option<()> {
        if word.is_empty() || is_name(word, &DAYS).is_some() {
            return Some(());
        }
        if let Some(month) = is_name(word, &MONTHS) {
            return set(&mut self.month, month);
        }
        if word.starts_with(['+', '-']) {
            self.offset = offset(word);
            return Some(());
        }
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.take_number(word);
        }
        // An unknown name is a zone we do not know, or noise; both mean UTC.
        self.offset = zone(word).unwrap_or(self.offset);
        Some(())
    }

    /// Takes in a word that begins with a digit: a day, a year, a time, or `11-Sep-2016`.
    fn take_number(&mut self, word: &str) -> Option<()> {
        if let Ok(number) = word.parse() {
            self.numbers.push(number);
            return (self.numbers.len() <= 2).then_some(());
        }
        if word.contains(':') || word.contains('.') {
            let (time, zone) = word.split_at(word.find(['+', '-']).unwrap_or(word.len()));
            if !zone.is_empty() {
                self.offset = offset(zone);
            }
            return set(&mut self.time, clock(time)?);
        }
        let mut pieces = word.split('-');
        let (day, month, year) = (pieces.next()?, pieces.next()?, pieces.next()?);
        self.numbers
            .extend([day.parse::<i64>().ok()?, year.parse().ok()?]);
        set(&mut self.month, is_name(month, &MONTHS)?)?;
        (self.numbers.len() == 2 && pieces.next().is_none()).then_some(())
    }
}

/// Fills an empty slot; none if it is filled already.
fn set(slot: &mut Option<i64>, value: i64) -> Option<()> {
    slot.is_none().then(|| *slot = Some(value))
}

/// Returns the number of the name, from 1, that `word` spells in full or by its first three letters.
fn is_name(word: &str, names: &[&str]) -> Option<i64> {
    let fits =
        |name: &&str| word.eq_ignore_ascii_case(name) || word.eq_ignore_ascii_case(&name[..3]);
    names.iter().position(fits).map(|at| at as i64 + 1)
}

/// Returns the seconds of `h:m`, `h:m:s` or the same with dots.
fn clock(text: &str) -> Option<i64> {
    let numbers: Option<Vec<i64>> = text
        .split([':', '.'])
        .map(|piece| piece.parse().ok())
        .collect();
    let (hours, minutes, seconds) = match numbers?[..] {
        [hours, minutes] => (hours, minutes, 0),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    hours
        .checked_mul(3600)?
        .checked_add(minutes.checked_mul(60)?)?
        .checked_add(seconds)
}

/// Returns the seconds of `±hhmm`; 0 if it is anything else.
fn offset(text: &str) -> i64 {
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    let value: i64 = digits.parse::<u16>().map_or(0, i64::from);
    let seconds = value / 100 * 3600 + value % 100 * 60;
    if text.starts_with('-') {
        -seconds
    } else {
        seconds
    }
}

fn zone(name: &str) -> Option<i64> {
    let known = |(zone, _): &&(&str, i64)| name.eq_ignore_ascii_case(zone);
    ZONES.iter().find(known).map(|(_, hours)| hours * 3600)
}

/// Two-digit years up to 68 are of this century, the others of the last.
fn full_year(year: i64) -> i64 {
    match year {
        0..=68 => year + 2000,
        69..=99 => year + 1900,
        other => other,
    }
}

/// Returns the days from 1970 to the first day of a month.
fn days_before(year: i64, month: i64) -> Option<i64> {
    if !(0..=10_000).contains(&year) {
        return None;
    }
    // Years are counted from March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 - 719_468)
}

/// Returns `text` without comments in parentheses, which may nest.
fn without_comments(text: &str) -> String {
    let mut depth = 0usize;
    let keep = |c: &char| {
        depth = match c {
            '(' => depth + 1,
            ')' => depth.saturating_sub(1),
            _ => return depth == 0,
        };
        false
    };
    text.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn dates_are_read_as_the_table_says() {
        let table: Vec<Value> =
            serde_json::from_str(include_str!("../../tests/data/mail/date.json"))
                .expect("valid table");
        for case in table {
            let found = parse_date(case["date"].as_str().expect("date"));
            let found = found.map(|moment| moment.format("%Y-%m-%d %H:%M:%S"));
            assert_eq!(json!(found), case["utc"], "{case}");
        }
    }
}
