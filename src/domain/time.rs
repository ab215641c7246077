//! Moments: microseconds since 1970 in UTC, and how people read them.

use jiff::tz::TimeZone;

/// A time zone; UTC by default.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Zone(TimeZone::UTC)
    }
}

impl Zone {
    /// Returns the zone of this name in the IANA database, as far as this machine knows it.
    pub fn named(name: &str) -> Option<Zone> {
        TimeZone::get(name).ok().map(Zone)
    }

    /// Returns the names of zones that people choose from: places, and UTC. Sorted.
    pub fn names() -> Vec<String> {
        let all = jiff::tz::db().available();
        let mut names: Vec<String> = all
            .map(|name| name.to_string())
            .filter(|name| is_place(name))
            .collect();
        names.sort();
        names
    }

    /// Says whether it is UTC itself.
    pub fn is_utc(&self) -> bool {
        self.0 == TimeZone::UTC
    }
}

/// Says whether a name is of the form that is kept up: the others are old names of the same zones.
fn is_place(name: &str) -> bool {
    const REGIONS: [&str; 9] = [
        "Africa",
        "America",
        "Antarctica",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    ];
    name.split_once('/')
        .is_some_and(|(region, _)| REGIONS.contains(&region))
}

/// A moment in UTC, in microseconds since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Returns the moment of the call; only the outermost caller (a command, a handler) asks.
    pub fn now() -> Self {
        Timestamp(jiff::Timestamp::now().as_microsecond())
    }

    /// Takes whole seconds since 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        Timestamp(seconds.saturating_mul(1_000_000))
    }

    /// Reads a day or a moment, in UTC, of the years that both engines know.
    pub fn of_day(text: &str) -> Option<Self> {
        let moment = match text.parse::<jiff::Timestamp>() {
            Ok(moment) => moment,
            Err(_) => {
                let day: jiff::civil::Date = text.parse().ok()?;
                day.to_zoned(TimeZone::UTC).ok()?.timestamp()
            }
        };
        let year = moment.to_zoned(TimeZone::UTC).year();
        (1..=9999)
            .contains(&year)
            .then(|| Timestamp(moment.as_microsecond()))
    }

    /// Returns the moment `minutes` later, or earlier when negative.
    pub fn plus_minutes(self, minutes: i64) -> Self {
        Timestamp(self.0.saturating_add(minutes * 60_000_000))
    }

    /// Formats with a strftime pattern, in UTC.
    pub fn format(self, pattern: &str) -> String {
        self.zoned().strftime(pattern).to_string()
    }

    /// Returns the day, `2024-03-05`.
    pub fn day(self) -> String {
        self.format("%Y-%m-%d")
    }

    /// Returns the form of `<time datetime>`, `2024-03-05T06:07:08Z`.
    pub fn iso(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%SZ")
    }

    /// Writes it as the pattern says, in a zone.
    pub fn format_in(self, zone: &Zone, pattern: &str) -> String {
        let zoned = self.zoned().with_time_zone(zone.0.clone());
        zoned.strftime(pattern).to_string()
    }

    fn zoned(self) -> jiff::Zoned {
        // Stored moments lie in years 1 to 9999, which jiff covers; anything else was never stored.
        jiff::Timestamp::from_microsecond(self.0)
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned(TimeZone::UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_formatted_in_utc() {
        let moment = Timestamp::from_seconds(1_709_618_828);
        assert_eq!(moment.iso(), "2024-03-05T06:07:08Z");
        assert_eq!(
            moment.format("%a %b %e %H:%M:%S %Y"),
            "Tue Mar  5 06:07:08 2024"
        );
    }
}
