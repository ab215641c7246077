//! Which series a patch belongs to (`mail.md §12`).

use super::{
    delivery::{Delivery, Mail},
    ledger::{Ledger, Open},
};
use crate::{
    domain::{MessageId, PersonId, Series, SeriesId, Timestamp, revision},
    store::{self, Result},
};

/// Mails of one series are written within this many minutes of each other.
const WINDOW_MINUTES: i64 = 20;

/// Where a patch belongs.
#[derive(Clone, Debug)]
pub struct Place {
    /// The series.
    pub series: SeriesId,
    /// The number in it; 0 only announces the series.
    pub number: i64,
    /// Whether this mail began it.
    pub is_new: bool,
}

impl Place {
    /// Returns the number under which the patch joins; a pull request sent as 0/n joins under none.
    pub fn joined(&self) -> Option<i64> {
        (self.number > 0).then_some(self.number)
    }
}

/// Finds the series of a patch, or begins one.
pub async fn place_of(d: &mut Delivery<'_>, mail: &Mail<'_>, submitter: PersonId) -> Result<Place> {
    let numbered = mail.heading.place.filter(|place| place.total > 0);
    let (number, total) = numbered.map_or((1, 1), |place| {
        (i64::from(place.number), i64::from(place.total))
    });
    let wanted = new_series(d, mail, submitter, total);
    let found = match numbered {
        Some(_) => find(d, mail, &wanted, number).await?,
        None => None,
    };
    let is_new = found.is_none();
    let series = match found {
        Some(series) => {
            let own = std::slice::from_ref(&mail.message.id);
            d.announce(mail.project.id, series, own);
            series
        }
        None => {
            let series = d.begin_series(wanted);
            d.announce(mail.project.id, series, &thread(mail));
            series
        }
    };
    Ok(Place {
        series,
        number,
        is_new,
    })
}

/// Returns the series that a mail would begin; it has no id yet.
pub fn new_series(d: &Delivery<'_>, mail: &Mail<'_>, submitter: PersonId, total: i64) -> Series {
    Series {
        id: SeriesId(0),
        project_id: mail.project.id,
        submitter_id: submitter,
        cover_id: None,
        name: None,
        date: mail.message.date_or(d.now),
        version: i64::from(mail.heading.version),
        minor: revision::minor(&mail.heading.name),
        total,
    }
}

/// Returns the ids by which a mail's series may be known: its own, then those it answers, nearest first.
pub fn thread(mail: &Mail<'_>) -> Vec<MessageId> {
    let mut ids = vec![mail.message.id.clone()];
    ids.extend(
        mail.message
            .references
            .iter()
            .filter(|id| **id != mail.message.id)
            .cloned(),
    );
    ids
}

async fn find(
    d: &mut Delivery<'_>,
    mail: &Mail<'_>,
    wanted: &Series,
    number: i64,
) -> Result<Option<SeriesId>> {
    let ledger = d.ledger(mail.project.id);
    match along_thread(ledger, &thread(mail), wanted, number) {
        Along::Joins(series) => Ok(Some(series)),
        Along::Taken => Ok(None),
        Along::Nothing => {
            let candidates = by_markers(d, wanted).await?;
            let ledger = d.ledger(mail.project.id);
            let is_free = |id: &SeriesId| ledger.series(*id).is_some_and(|it| is_free(it, number));
            Ok(candidates.into_iter().find(is_free))
        }
    }
}

fn is_free(open: &Open, number: i64) -> bool {
    !open.members.contains_key(&number)
}

/// What the thread of a patch leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Along {
    /// A series in which its place is free.
    Joins(SeriesId),
    /// Only series in which its place is taken: it begins another.
    Taken,
    /// No series that fits.
    Nothing,
}

/// Returns the first series along the thread that fits. A reply to an older revision leads to that one,
/// which has another version and time, or another total: it is passed over (`mail.md §12.1`).
///
/// A mail that is part of a series decides. One that was only announced for a series, by those that answer
/// it, may be announced for several: the nearest with a free place is taken.
fn along_thread(ledger: &Ledger, ids: &[MessageId], wanted: &Series, number: i64) -> Along {
    let mut found = Along::Nothing;
    for (distance, open) in ids.iter().flat_map(|id| ledger.claims(id)) {
        if !fits(&open.series, wanted) {
            continue;
        }
        if is_free(open, number) {
            return Along::Joins(open.series.id);
        }
        found = Along::Taken;
        if distance == 0 {
            break;
        }
    }
    found
}

/// Says whether a mail that would begin `wanted` may be part of a series.
pub fn fits(series: &Series, wanted: &Series) -> bool {
    let (from, to) = window(wanted.date);
    let same_time = (from..=to).contains(&series.date);
    // What mends some patches of a revision is no part of it.
    let same_version = series.version == wanted.version || same_time;
    series.total == wanted.total && series.minor == wanted.minor && same_version
}

/// Returns the series of the same submitter, version and total that began at about the same time, newest first.
pub async fn by_markers(d: &mut Delivery<'_>, wanted: &Series) -> Result<Vec<SeriesId>> {
    let (from, to) = window(wanted.date);
    // Somebody seen for the first time has no stored series.
    if wanted.submitter_id.0 > 0 {
        let stored = store::series::by_markers(d.tx, wanted, from, to).await?;
        d.learn_series(wanted.project_id, stored).await?;
    }
    let is_like = |open: &&Open| {
        let series = &open.series;
        series.submitter_id == wanted.submitter_id
            && series.version == wanted.version
            && series.minor == wanted.minor
            && series.total == wanted.total
            && (from..=to).contains(&series.date)
    };
    let ledger = d.ledger(wanted.project_id);
    let mut found: Vec<&Open> = ledger.all_series().filter(is_like).collect();
    found.sort_by_key(|open| std::cmp::Reverse(open.age()));
    Ok(found.iter().map(|open| open.series.id).collect())
}

fn window(date: Timestamp) -> (Timestamp, Timestamp) {
    (
        date.plus_minutes(-WINDOW_MINUTES),
        date.plus_minutes(WINDOW_MINUTES),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{PatchId, ProjectId},
        store::series::{Claim, Numbered},
    };

    fn series(id: i64, version: i64, total: i64, minute: i64) -> Series {
        Series {
            id: SeriesId(id),
            project_id: ProjectId(1),
            submitter_id: PersonId(1),
            cover_id: None,
            name: None,
            date: Timestamp(0).plus_minutes(minute),
            version,
            minor: 0,
            total,
        }
    }

    /// A mail of the thread, its distance, and the series: id, version, total, a taken number.
    type Told = (&'static str, i64, (i64, i64, i64, i64));

    /// What leads where, what is wanted (version, total, minute) with number 1, and what is found.
    type Case = (&'static [Told], (i64, i64, i64), Along);

    fn ledger(claims: &[Told]) -> Ledger {
        let mut ledger = Ledger::default();
        for (msgid, distance, (id, version, total, taken)) in claims {
            ledger.add_claims([Claim {
                msgid: MessageId::new(msgid),
                distance: *distance,
                series: series(*id, *version, *total, 0),
            }]);
            ledger.add_members([Numbered {
                series_id: SeriesId(*id),
                number: *taken,
                id: PatchId(1),
                name: None,
            }]);
        }
        ledger
    }

    #[test]
    fn the_nearest_series_that_fits_is_taken() {
        let ids = ["own", "near", "far"].map(MessageId::new);
        const fn joins(id: i64) -> Along {
            Along::Joins(SeriesId(id))
        }
        let cases: [Case; 10] = [
            (
                &[("near", 0, (2, 1, 2, 9)), ("far", 0, (1, 1, 2, 9))],
                (1, 2, 0),
                joins(2),
            ),
            (
                &[("own", 1, (3, 1, 2, 9)), ("far", 0, (1, 1, 2, 9))],
                (1, 2, 0),
                joins(3),
            ),
            // A week later another revision does not join, within minutes it may.
            (
                &[("near", 0, (2, 1, 2, 9))],
                (2, 2, 7 * 24 * 60),
                Along::Nothing,
            ),
            (&[("near", 0, (2, 1, 2, 9))], (2, 2, 20), joins(2)),
            (&[("near", 0, (2, 1, 2, 9))], (2, 2, 21), Along::Nothing),
            // Five patches in reply to a series of three are a series of their own.
            (&[("near", 0, (2, 1, 3, 9))], (1, 5, 0), Along::Nothing),
            // A patch of a series decides, also against.
            (
                &[("near", 0, (2, 1, 2, 1)), ("far", 0, (1, 1, 2, 9))],
                (1, 2, 0),
                Along::Taken,
            ),
            // A mail announced for two series: the nearer one, else that in which there is room.
            (
                &[("own", 2, (1, 1, 2, 9)), ("own", 1, (2, 1, 2, 9))],
                (1, 2, 0),
                joins(2),
            ),
            (
                &[("own", 2, (1, 1, 2, 9)), ("own", 1, (2, 1, 2, 1))],
                (1, 2, 0),
                joins(1),
            ),
            (&[("own", 1, (2, 1, 2, 1))], (1, 2, 0), Along::Taken),
        ];
        for (claims, (version, total, minute), expected) in cases {
            let wanted = series(0, version, total, minute);
            let found = along_thread(&ledger(claims), &ids, &wanted, 1);
            assert_eq!(found, expected, "{claims:?}");
        }
    }
}
