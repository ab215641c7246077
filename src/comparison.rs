//! Revisions compared, as every face shows them: what is compared once is kept for a while.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use rocket::tokio::{sync::Semaphore, task};
use sha2::{Digest, Sha256};

use crate::{
    domain::{Project, SeriesId},
    mail::{
        commit::{Commit, commit},
        range_diff::{self, Bound, Called, Comparison, Limits, Patch},
    },
    store::{self, Conn, patch::Detail, series::Sent},
};

/// So many bytes of comparisons are kept.
const MOST_BYTES: usize = 32 << 20;

/// So many are made at the same time: each may keep a processor busy for seconds.
static TURNS: Semaphore = Semaphore::const_new(2);

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

type Key = [u8; 32];

/// The comparisons asked for last.
#[derive(Default)]
struct Cache {
    kept: HashMap<Key, (Arc<Comparison>, u64)>,
    bytes: usize,
    clock: u64,
}

impl Cache {
    fn get(&mut self, key: &Key) -> Option<Arc<Comparison>> {
        self.clock += 1;
        let (found, used) = self.kept.get_mut(key)?;
        *used = self.clock;
        Some(found.clone())
    }

    fn keep(&mut self, key: Key, comparison: Arc<Comparison>, most: usize) {
        let weight = comparison.weight();
        if weight > most / 4 {
            return;
        }
        self.clock += 1;
        if let Some((before, _)) = self.kept.insert(key, (comparison, self.clock)) {
            self.bytes -= before.weight();
        }
        self.bytes += weight;
        while self.bytes > most {
            let oldest = self.kept.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(key, _)| *key) else {
                return;
            };
            if let Some((gone, _)) = self.kept.remove(&oldest) {
                self.bytes -= gone.weight();
            }
        }
    }
}

/// What is to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Two series: who is whose revision is found out.
    Series,
    /// Two patches, whatever they have in common.
    Patches,
}

/// A series to be compared, with its patches.
pub struct Side {
    /// The series.
    pub sent: Sent,
    /// Its patches, in order.
    pub patches: Arc<Vec<Detail>>,
}

/// Returns two series to be compared; none unless both are there, and of one project.
///
/// # Errors
/// When the database is away or refuses.
pub async fn sides(conn: &mut Conn, ids: [SeriesId; 2]) -> store::Result<Option<[Side; 2]>> {
    let old = store::series::by_id(conn, ids[0]).await?;
    let new = store::series::by_id(conn, ids[1]).await?;
    let Some((old, new)) = old
        .zip(new)
        .filter(|(old, new)| old.series.project_id == new.series.project_id)
    else {
        return Ok(None);
    };
    Ok(Some([side(conn, old).await?, side(conn, new).await?]))
}

async fn side(conn: &mut Conn, sent: Sent) -> store::Result<Side> {
    let patches = store::patch::details_of_series(conn, sent.series.id, None).await?;
    Ok(Side {
        sent,
        patches: Arc::new(patches),
    })
}

/// Compares patches, or remembers what came of it; none if that cannot be done.
pub async fn of(
    project: &Project,
    kind: Kind,
    old: Arc<Vec<Detail>>,
    new: Arc<Vec<Detail>>,
) -> Option<Arc<Comparison>> {
    let key = key(project, kind, [&old, &new]);
    if let Some(found) = cache(|cache| cache.get(&key)) {
        return Some(found);
    }
    let _turn = TURNS.acquire().await.ok()?;
    // Somebody else may have asked for the same while this one waited.
    if let Some(found) = cache(|cache| cache.get(&key)) {
        return Some(found);
    }
    let list = project.list_email.clone();
    let work = move || made(kind, &list, [&old, &new]);
    let found = Arc::new(task::spawn_blocking(work).await.ok()?);
    // What ran out of time may be whole the next time: the machine was busy, perhaps.
    if !found.bounds.contains(&Bound::Time) {
        cache(|cache| cache.keep(key, found.clone(), MOST_BYTES));
    }
    Some(found)
}

fn cache<T>(work: impl FnOnce(&mut Cache) -> T) -> T {
    work(&mut CACHE.lock().unwrap_or_else(PoisonError::into_inner))
}

fn made(kind: Kind, list: &str, sides: [&Vec<Detail>; 2]) -> Comparison {
    let [old, new] = sides.map(|side| {
        let patch = |detail| Patch {
            commit: commit_of(detail, list),
            diff: detail_diff(detail),
        };
        side.iter().map(patch).collect::<Vec<_>>()
    });
    match (kind, old.as_slice(), new.as_slice()) {
        (Kind::Patches, [old], [new]) => range_diff::between(old, new, &Limits::default()),
        _ => range_diff::compare(&old, &new, &Limits::default()),
    }
}

fn commit_of(detail: &Detail, list: &str) -> Commit {
    let content = detail.body.content.as_deref().unwrap_or_default();
    commit(&detail.body.headers, content, list)
}

fn detail_diff(detail: &Detail) -> &str {
    detail.body.diff.as_deref().unwrap_or_default()
}

/// Returns what stands for all that the comparison depends on.
fn key(project: &Project, kind: Kind, sides: [&Vec<Detail>; 2]) -> Key {
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update(text.len().to_le_bytes());
        digest.update(text);
    };
    add(&format!("{kind:?}"));
    add(&project.list_email);
    for side in sides {
        add(&side.len().to_string());
        for detail in side {
            add(&detail.patch.id.to_string());
            add(&detail.body.headers);
            add(detail.body.content.as_deref().unwrap_or_default());
            add(detail_diff(detail));
        }
    }
    digest.finalize().into()
}

/// Returns a comparison as text; patches are called by their numbers.
pub fn text(comparison: &Comparison, project: &Project, old: &[Detail], new: &[Detail]) -> String {
    let [old, new] = [old, new].map(|side| -> Vec<Called> {
        let one = |detail| -> Called {
            let subject = commit_of(detail, &project.list_email).subject;
            (detail.patch.id.to_string(), subject)
        };
        side.iter().map(one).collect()
    });
    range_diff::told(comparison, &old, &new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::range_diff::{Inter, Outer, Pair, Verdict};

    #[test]
    fn what_was_asked_for_last_is_kept() {
        let of_length = |length: usize| {
            Arc::new(Comparison {
                pairs: vec![Pair {
                    old: None,
                    new: Some(0),
                    verdict: Verdict::Changed,
                    lines: vec![Inter {
                        outer: Outer::New,
                        text: "x".repeat(length),
                    }],
                }],
                bounds: Vec::new(),
            })
        };
        let mut cache = Cache::default();
        for at in 0..10 {
            cache.keep([at; 32], of_length(1000), 5000);
            assert!(cache.get(&[0; 32]).is_some());
            assert!(cache.bytes <= 5000);
        }
        assert!(cache.get(&[1; 32]).is_none());
        assert!(cache.get(&[9; 32]).is_some());
        cache.keep([50; 32], of_length(3000), 5000);
        assert!(cache.get(&[50; 32]).is_none(), "too large");
        cache.keep([9; 32], of_length(10), 5000);
        let weights = cache.kept.values().map(|(kept, _)| kept.weight());
        assert_eq!(cache.bytes, weights.sum::<usize>());
    }
}
