//! Which revision of a series follows which (`mail.md §12`), found when mails have been stored.
//!
//! What is before a series is a function of all that is stored (`domain::revision::earlier`); it is asked again for every series of
//! which something new is known, and for those that may follow one. So the order of arrival does not matter.

use std::collections::{BTreeMap, BTreeSet};

use super::delivery::{Delivery, Mail};
use crate::{
    domain::{
        MessageId, PatchId, ProjectId, Series, SeriesId, Timestamp,
        change::{Actor, PatchChange},
        revision::{self, Candidate, Facts, Sign, Unfit},
    },
    mail,
    store::{
        self, Result, Tx,
        revision::{Link, Related, Revision, Said},
    },
};

/// Remembers what a mail says of the revisions of its series; only the mail that opens one is asked.
pub fn record(d: &mut Delivery<'_>, mail: &Mail<'_>, series: SeriesId) {
    let number = mail.heading.place.map_or(1, |place| place.number);
    let minor = revision::minor(&mail.heading.name);
    if number > 1 && minor == 0 {
        return;
    }
    let is_later = mail.heading.version > 1 || minor > 0;
    let signs = mail::revision::signs(mail.message, is_later);
    let said = said(mail.project.id, series, signs);
    d.pending.said.extend(said);
}

fn said(
    project: ProjectId,
    series: SeriesId,
    signs: Vec<(Sign, String)>,
) -> impl Iterator<Item = Said> {
    signs.into_iter().map(move |(sign, value)| Said {
        project,
        series,
        sign,
        value,
    })
}

/// How many series are read again in a step.
const STEP: i64 = 200;

/// Reads again what the next series after `after` say of their revisions, and finds what is before each. Returns the last of them;
/// none when there are no more.
///
/// # Errors
/// When the database is away or refuses.
pub async fn relink(tx: &mut Tx, after: SeriesId, now: Timestamp) -> Result<Option<SeriesId>> {
    let series = store::revision::series_after(tx, after, STEP).await?;
    if series.is_empty() {
        return Ok(None);
    }
    let openings = store::revision::openings(tx, &series).await?;
    let signs = openings.iter().flat_map(|opening| {
        let opens = opening.number <= 1 || opening.minor > 0;
        let is_later = opening.version > 1 || opening.minor > 0;
        let content = opening.content.as_deref().unwrap_or_default();
        let signs = match opens {
            true => mail::revision::signs_of_stored(&opening.headers, content, is_later),
            false => Vec::new(),
        };
        said(opening.project_id, opening.series_id, signs)
    });
    let mut batch = store::Batch::default();
    store::revision::insert(&mut batch, &signs.collect::<Vec<_>>());
    store::revision::forget(tx, &series).await?;
    batch.write(tx).await?;
    let news = News {
        known: series.iter().copied().collect(),
        ..News::default()
    };
    settle(tx, news, now).await?;
    Ok(series.last().copied())
}

/// What a delivery learned that may tie series together.
#[derive(Debug, Default)]
pub struct News {
    /// Series that are new.
    pub begun: BTreeSet<SeriesId>,
    /// Series of which something new is known.
    pub known: BTreeSet<SeriesId>,
    /// Mails that came, by project.
    pub mails: BTreeMap<ProjectId, Vec<MessageId>>,
}

/// Finds what is before a series and what follows it, after somebody put something right.
///
/// # Errors
/// When the database is away or refuses.
pub async fn settle_one(tx: &mut Tx, series: SeriesId, now: Timestamp) -> Result<()> {
    let news = News {
        known: BTreeSet::from([series]),
        ..News::default()
    };
    settle(tx, news, now).await
}

/// Forgets what somebody said of the series before another, and finds it anew. Returns what was found.
///
/// # Errors
/// When the database is away or refuses.
pub async fn find(tx: &mut Tx, series: SeriesId, now: Timestamp) -> Result<Option<Link>> {
    store::revision::set(tx, series, None, now).await?;
    settle_one(tx, series, now).await?;
    let mut links = store::revision::links(tx, &[series]).await?;
    Ok(links.pop())
}

/// Stores what somebody says: which series is before another one, or that there is none. What follows either may find another one
/// before it now. Returns why it cannot be, if it cannot.
///
/// # Errors
/// When the database is away or refuses.
pub async fn follow(
    tx: &mut Tx,
    series: &Series,
    earlier: Option<SeriesId>,
    by: &Actor,
) -> Result<Option<Unfit>> {
    if let Some(earlier) = earlier
        && let Some(unfit) = store::revision::unfit(tx, series, earlier).await?
    {
        return Ok(Some(unfit));
    }
    store::revision::set_by_hand(tx, series.id, earlier, by.user, by.at).await?;
    settle_one(tx, series.id, by.at).await?;
    Ok(None)
}

/// Finds what is before each series of which something new is known.
pub async fn settle(tx: &mut Tx, news: News, now: Timestamp) -> Result<()> {
    let mut known = news.known;
    for (project, msgids) in &news.mails {
        known.extend(store::revision::naming(tx, *project, msgids).await?);
    }
    let known: Vec<SeriesId> = known.difference(&news.begun).copied().collect();
    let asked: Vec<SeriesId> = news.begun.iter().chain(&known).copied().collect();
    let mut related = store::revision::related(tx, &asked).await?;
    // Those that may follow one of them have to choose again, too.
    let linked = match known.is_empty() {
        true => Vec::new(),
        false => store::revision::links_to(tx, &known).await?,
    };
    let is_tied = |one: &Related| matches!(one, Related::Other(..));
    if linked.is_empty() && !related.iter().any(is_tied) {
        return Ok(());
    }
    let followers: BTreeSet<SeriesId> = related
        .iter()
        .filter_map(|one| match one {
            Related::Other(_, candidate) => Some(candidate.facts.id),
            Related::Itself(_) => None,
        })
        .chain(linked.iter().map(|link| link.series))
        .filter(|id| !asked.contains(id))
        .collect();
    let followers: Vec<SeriesId> = followers.into_iter().collect();
    related.extend(store::revision::related(tx, &followers).await?);
    choose(tx, related, now).await
}

/// Chooses for each series the one before, and stores what is new.
async fn choose(tx: &mut Tx, related: Vec<Related>, now: Timestamp) -> Result<()> {
    let mut all: BTreeMap<SeriesId, (Option<Facts>, Vec<Candidate>)> = BTreeMap::new();
    for one in related {
        match one {
            Related::Itself(facts) => {
                let id = facts.id;
                all.entry(id).or_default().0 = Some(facts);
            }
            Related::Other(of, candidate) => all.entry(of).or_default().1.push(candidate),
        }
    }
    let ids: Vec<SeriesId> = all.keys().copied().collect();
    let stored = store::revision::links(tx, &ids).await?;
    for (id, (own, mut others)) in all {
        let Some(own) = own else { continue };
        let mut found = revision::earlier(&own, &others);
        let link = stored.iter().find(|link| link.series == id);
        let is_same = link.map(|link| (link.earlier, link.reason, link.claimed))
            == found
                .as_ref()
                .map(|found| (Some(found.id), found.reason, found.claimed));
        if is_same || link.is_some_and(|link| link.reason.is_by_hand()) {
            continue;
        }
        // What somebody linked by hand may lead from the one found back to this one: then it is the next best.
        while let Some(earlier) = &found
            && store::revision::follows(tx, earlier.id, id).await?
        {
            others.retain(|other| other.facts.id != earlier.id);
            found = revision::earlier(&own, &others);
        }
        if found.is_some() || link.is_some() {
            store::revision::set(tx, id, found.as_ref(), now).await?;
        }
    }
    Ok(())
}

/// Makes the open patches superseded that a complete newer revision of the same sender replaces, where the project wants that.
/// `series` are those that got something new, newer ones or older ones.
pub async fn supersede(tx: &mut Tx, series: &BTreeSet<SeriesId>, now: Timestamp) -> Result<()> {
    let states = store::state::vocabulary(tx).await?.states;
    let Some(state) = states.iter().find(|state| state.slug == SUPERSEDED) else {
        return Ok(());
    };
    let mut patches: BTreeSet<PatchId> = BTreeSet::new();
    for id in series {
        let chain = store::revision::chain(tx, *id).await?;
        let older = replaced(&chain);
        patches.extend(store::revision::open_patches(tx, &older, None).await?);
        for mend in chain.iter().filter(|it| it.is_mend() && !it.claimed) {
            let mended: Vec<SeriesId> = mend.earlier_id.into_iter().collect();
            patches.extend(store::revision::open_patches(tx, &mended, Some(mend.id)).await?);
        }
    }
    let change = PatchChange {
        state: Some(state.id),
        ..PatchChange::default()
    };
    let by = Actor {
        user: None,
        at: now,
    };
    let patches: Vec<PatchId> = patches.into_iter().collect();
    if !patches.is_empty() {
        store::patch::change::apply(tx, &patches, &change, &by).await?;
    }
    Ok(())
}

/// The state of what a newer revision replaces.
const SUPERSEDED: &str = "superseded";

/// Returns the revisions that stand before a complete one. One patch sent again replaces no series of many.
fn replaced(chain: &[Revision]) -> Vec<SeriesId> {
    let of = |id: SeriesId| chain.iter().find(|one| one.id == id);
    let replaces = |one: &Revision, before: &Revision| {
        !one.claimed && !one.is_mend() && (one.total > 1 || before.total <= 1)
    };
    let mut older = BTreeSet::new();
    for whole in chain.iter().filter(|one| one.received >= one.total) {
        let mut at = whole;
        while let Some(before) = at.earlier_id.and_then(of)
            && replaces(at, before)
            && older.insert(before.id)
        {
            at = before;
        }
    }
    older.into_iter().collect()
}
