//! Which series a patch belongs to (`mail.md §12`).

use super::{
    delivery::{Delivery, Mail},
    ledger::Open,
};
use crate::{
    domain::{MessageId, PersonId, Series, SeriesId, Timestamp},
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
    let ids = thread(mail);
    let ledger = d.ledger(mail.project.id);
    let along = ids.iter().filter_map(|id| ledger.owner(id));
    let candidates = match nearest(along, wanted) {
        Some(found) => vec![found],
        None => by_markers(d, wanted).await?,
    };
    let ledger = d.ledger(mail.project.id);
    let is_free = |id: &SeriesId| {
        ledger
            .series(*id)
            .is_some_and(|open| !open.members.contains_key(&number))
    };
    Ok(candidates.into_iter().find(is_free))
}

/// Returns the first series along the thread that fits. A reply to an older revision leads to that one,
/// which has another version and time, or another total: it is passed over (`mail.md §12.1`).
fn nearest<'a>(along: impl Iterator<Item = &'a Open>, wanted: &Series) -> Option<SeriesId> {
    let (from, to) = window(wanted.date);
    let fits = |series: &Series| {
        let same_time = (from..=to).contains(&series.date);
        series.total == wanted.total && (series.version == wanted.version || same_time)
    };
    let mut fitting = along.filter(|open| fits(&open.series));
    fitting.next().map(|open| open.series.id)
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
    use crate::domain::ProjectId;

    fn series(id: i64, version: i64, total: i64, minute: i64) -> Series {
        Series {
            id: SeriesId(id),
            project_id: ProjectId(1),
            submitter_id: PersonId(1),
            cover_id: None,
            name: None,
            date: Timestamp(0).plus_minutes(minute),
            version,
            total,
        }
    }

    #[test]
    fn the_nearest_series_that_fits_is_taken() {
        // Series along the thread, what is wanted: version, total, minute.
        let cases = [
            (vec![(2, 1, 2), (1, 1, 2)], (1, 2, 0), Some(2)),
            (vec![(3, 1, 2), (1, 1, 2)], (1, 2, 0), Some(3)),
            // A week later another revision does not join, within minutes it may.
            (vec![(2, 1, 2)], (2, 2, 7 * 24 * 60), None),
            (vec![(2, 1, 2)], (2, 2, 20), Some(2)),
            (vec![(2, 1, 2)], (2, 2, 21), None),
            // Five patches in reply to a series of three are a series of their own.
            (vec![(2, 1, 3)], (1, 5, 0), None),
        ];
        for (along, (version, total, minute), expected) in cases {
            let open = |(id, version, total)| Open::new(series(id, version, total, 0));
            let along: Vec<Open> = along.into_iter().map(open).collect();
            let found = nearest(along.iter(), &series(0, version, total, minute));
            assert_eq!(found.map(|id| id.0), expected, "{along:?}");
        }
    }
}
