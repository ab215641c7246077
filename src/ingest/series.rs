//! Which series a patch belongs to (`mail.md §12`).

use super::delivery::{Delivery, Mail};
use crate::{
    domain::{MessageId, PersonId, SeriesId, Timestamp},
    store::{
        self, Result,
        series::{Candidate, NewSeries},
    },
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
    /// How many patches the series announces.
    pub total: i64,
    /// The name the series has so far.
    pub name: Option<String>,
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
    match found {
        Some(candidate) => join(d, mail, candidate, number).await,
        None => begin(d, mail, &wanted, number).await,
    }
}

/// Returns the series that a mail would begin.
pub fn new_series(d: &Delivery<'_>, mail: &Mail<'_>, submitter: PersonId, total: i64) -> NewSeries {
    NewSeries {
        project: mail.project.id,
        submitter,
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
    wanted: &NewSeries,
    number: i64,
) -> Result<Option<Candidate>> {
    let ids = thread(mail);
    let known = store::series::by_references(d.tx, mail.project.id, &ids, number).await?;
    let candidates = match nearest(&ids, known, wanted) {
        Some(candidate) => vec![candidate],
        None => by_markers(d, wanted, number).await?,
    };
    Ok(candidates.into_iter().find(|candidate| !candidate.taken))
}

/// Returns the series of the same submitter, version and total that began at about the same time.
pub async fn by_markers(
    d: &mut Delivery<'_>,
    wanted: &NewSeries,
    number: i64,
) -> Result<Vec<Candidate>> {
    let (from, to) = window(wanted.date);
    store::series::by_markers(d.tx, wanted, number, from, to).await
}

fn window(date: Timestamp) -> (Timestamp, Timestamp) {
    (
        date.plus_minutes(-WINDOW_MINUTES),
        date.plus_minutes(WINDOW_MINUTES),
    )
}

/// Returns the first series along the thread that fits. A reply to an older revision leads to that one,
/// which has another version and time, or another total: it is passed over (`mail.md §12.1`).
fn nearest(ids: &[MessageId], mut known: Vec<Candidate>, wanted: &NewSeries) -> Option<Candidate> {
    let (from, to) = window(wanted.date);
    let fits = |candidate: &Candidate| {
        let same_time = (from..=to).contains(&candidate.date);
        candidate.total == wanted.total && (candidate.version == wanted.version || same_time)
    };
    known.retain(fits);
    let position = |candidate: &Candidate| {
        ids.iter()
            .position(|id| Some(id) == candidate.msgid.as_ref())
    };
    known.into_iter().min_by_key(position)
}

async fn join(
    d: &mut Delivery<'_>,
    mail: &Mail<'_>,
    candidate: Candidate,
    number: i64,
) -> Result<Place> {
    let own = std::slice::from_ref(&mail.message.id);
    store::series::insert_references(d.tx, mail.project.id, candidate.id, own).await?;
    Ok(Place {
        series: candidate.id,
        number,
        total: candidate.total,
        name: candidate.name,
        is_new: false,
    })
}

async fn begin(
    d: &mut Delivery<'_>,
    mail: &Mail<'_>,
    wanted: &NewSeries,
    number: i64,
) -> Result<Place> {
    let series = store::series::insert(d.tx, wanted).await?;
    store::series::insert_references(d.tx, mail.project.id, series, &thread(mail)).await?;
    Ok(Place {
        series,
        number,
        total: wanted.total,
        name: None,
        is_new: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ProjectId;

    fn wanted(version: i64, total: i64, minute: i64) -> NewSeries {
        let date = Timestamp(0).plus_minutes(minute);
        NewSeries {
            project: ProjectId(1),
            submitter: PersonId(1),
            date,
            version,
            total,
        }
    }

    fn known(msgid: &str, id: i64, version: i64, total: i64) -> Candidate {
        Candidate {
            msgid: Some(MessageId::new(msgid)),
            id: SeriesId(id),
            name: None,
            version,
            total,
            date: Timestamp(0),
            cover_id: None,
            taken: false,
        }
    }

    #[test]
    fn the_nearest_series_that_fits_is_taken() {
        let ids = ["<own>", "<near>", "<far>"].map(MessageId::new);
        let cases = [
            (
                vec![known("<far>", 1, 1, 2), known("<near>", 2, 1, 2)],
                wanted(1, 2, 0),
                Some(2),
            ),
            (
                vec![known("<far>", 1, 1, 2), known("<own>", 3, 1, 2)],
                wanted(1, 2, 0),
                Some(3),
            ),
            // A week later another revision does not join, within minutes it may.
            (
                vec![known("<near>", 2, 1, 2)],
                wanted(2, 2, 7 * 24 * 60),
                None,
            ),
            (vec![known("<near>", 2, 1, 2)], wanted(2, 2, 20), Some(2)),
            (vec![known("<near>", 2, 1, 2)], wanted(2, 2, 21), None),
            // Five patches in reply to a series of three are a series of their own.
            (vec![known("<near>", 2, 1, 3)], wanted(1, 5, 0), None),
        ];
        for (known, wanted, expected) in cases {
            let found = nearest(&ids, known.clone(), &wanted).map(|candidate| candidate.id.0);
            assert_eq!(found, expected, "{known:?} {wanted:?}");
        }
    }
}
