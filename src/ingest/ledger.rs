//! What a project knows of the mails of a delivery: as the database has it, and as they have changed it since.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use crate::{
    domain::{CoverId, MessageId, PatchId, Series, SeriesId, comment::Parent},
    store::{
        series::{Claim, Numbered, Unmet},
        thread::Known,
    },
};

/// The SHA-256 of a mail's bytes.
pub type Digest = Vec<u8>;

/// For how many of its ancestors a reply waits.
const MAX_AWAITED: usize = 16;

/// A series, as this delivery leaves it.
#[derive(Clone, Debug)]
pub struct Open {
    /// The series; its id is provisional, below 0, when it is new.
    pub series: Series,
    /// Its numbered patches.
    pub members: BTreeMap<i64, PatchId>,
    /// What patch 1 is called.
    pub first: Option<String>,
    /// Mails that this delivery announced for it.
    pub announced: Vec<MessageId>,
    /// Whether a mail of this delivery changed something in it.
    pub is_changed: bool,
}

impl Open {
    /// Takes a series without its patches.
    pub fn new(series: Series) -> Self {
        Open {
            series,
            members: BTreeMap::new(),
            first: None,
            announced: Vec::new(),
            is_changed: false,
        }
    }

    /// Orders series by time; of those of one time the one begun last is the greatest.
    pub fn age(&self) -> (crate::domain::Timestamp, bool, i64) {
        (
            self.series.date,
            self.series.id.0 < 0,
            self.series.id.0.abs(),
        )
    }
}

/// How many mails of its thread a patch announces for its series, itself among them: covers and neighbours are near.
const MAX_ANNOUNCED: usize = 33;

/// For how many series a mail is announced at most. Whoever answers one mail with more of them gets no help from it.
const MAX_CLAIMS: usize = 16;

/// What a project knows.
#[derive(Debug, Default)]
pub struct Ledger {
    asked: HashSet<MessageId>,
    arriving: HashSet<MessageId>,
    known: HashMap<MessageId, Vec<Known>>,
    /// The series to which mails lead, and how far they are from them; the nearest first.
    claims: HashMap<MessageId, Vec<(i64, SeriesId)>>,
    series: BTreeMap<SeriesId, Open>,
    /// Replies in the order in which they came; one that waits no longer may still stand here.
    awaited: HashMap<MessageId, VecDeque<Digest>>,
    /// For which mails each reply waits.
    waits: HashMap<Digest, HashSet<MessageId>>,
    unmet: HashMap<MessageId, Vec<Unmet>>,
    /// Mails that came and that replies may have been waiting for; the last one is asked first.
    arrived: Vec<MessageId>,
}

/// Puts ids into a set and returns those that were not in it.
fn new_in<'a>(
    set: &mut HashSet<MessageId>,
    ids: impl Iterator<Item = &'a MessageId>,
) -> Vec<MessageId> {
    ids.filter(|id| set.insert((*id).clone()))
        .cloned()
        .collect()
}

impl Ledger {
    /// Returns those of these ids that have not been asked for; they count as asked from now on.
    pub fn unasked<'a>(&mut self, ids: impl Iterator<Item = &'a MessageId>) -> Vec<MessageId> {
        new_in(&mut self.asked, ids)
    }

    /// Returns those of these ids, of mails that come, of which it was not asked yet who waits for them.
    pub fn unexpected<'a>(&mut self, ids: impl Iterator<Item = &'a MessageId>) -> Vec<MessageId> {
        new_in(&mut self.arriving, ids)
    }

    /// Takes what the database knows of mails.
    pub fn add_known(&mut self, known: impl IntoIterator<Item = Known>) {
        for one in known {
            self.known.entry(one.msgid.clone()).or_default().push(one);
        }
    }

    /// Takes to which series mails lead. Returns the series seen for the first time.
    pub fn add_claims(&mut self, claims: impl IntoIterator<Item = Claim>) -> Vec<SeriesId> {
        let mut series = Vec::new();
        for claim in claims {
            self.claim(&claim.msgid, claim.series.id, claim.distance);
            series.push(claim.series);
        }
        self.add_series(series)
    }

    /// Records that a mail leads to a series. Says whether that is new, or nearer than before.
    fn claim(&mut self, msgid: &MessageId, series: SeriesId, distance: i64) -> bool {
        let claims = self.claims.entry(msgid.clone()).or_default();
        let known = claims.iter().position(|(_, id)| *id == series);
        if known.is_some_and(|place| claims[place].0 <= distance) {
            return false;
        }
        known.map(|place| claims.remove(place));
        claims.push((distance, series));
        // Of two equally near the elder series comes first; provisional ids fall.
        claims.sort_by_key(|(distance, id)| (*distance, id.0 < 0, id.0.abs()));
        true
    }

    /// Takes stored series. Returns those seen for the first time; they lack their patches.
    pub fn add_series(&mut self, series: impl IntoIterator<Item = Series>) -> Vec<SeriesId> {
        let mut new = Vec::new();
        for one in series {
            let id = one.id;
            self.series.entry(id).or_insert_with(|| {
                new.push(id);
                Open::new(one)
            });
        }
        new
    }

    /// Takes patches of stored series.
    pub fn add_members(&mut self, members: impl IntoIterator<Item = Numbered>) {
        for member in members {
            if let Some(open) = self.series.get_mut(&member.series_id) {
                open.members.insert(member.number, member.id);
                open.first = open.first.take().or(member.name);
            }
        }
    }

    /// Takes which replies wait for which mails.
    pub fn add_awaited(&mut self, awaited: impl IntoIterator<Item = (MessageId, Digest)>) {
        for (msgid, digest) in awaited {
            self.await_mail(msgid, digest);
        }
    }

    fn await_mail(&mut self, msgid: MessageId, digest: Digest) -> bool {
        let waits = self.waits.entry(digest.clone()).or_default();
        let is_new = waits.insert(msgid.clone());
        if is_new {
            self.awaited.entry(msgid).or_default().push_back(digest);
        }
        is_new
    }

    /// Returns what is known under this message id.
    pub fn known(&self, msgid: &MessageId) -> &[Known] {
        self.known.get(msgid).map_or(&[], Vec::as_slice)
    }

    /// Says whether a mail is known as this kind of thing, comments apart.
    pub fn knows_submission(&self, msgid: &MessageId, is_kind: impl Fn(Parent) -> bool) -> bool {
        let mut known = self.known(msgid).iter();
        known.any(|known| !known.is_comment && is_kind(known.parent))
    }

    /// Remembers what a mail became, for those that answer it.
    pub fn learn(&mut self, msgid: &MessageId, parent: Parent, is_comment: bool) {
        let known = Known {
            msgid: msgid.clone(),
            parent,
            is_comment,
        };
        // Newest first, as the database returns them.
        self.known
            .entry(msgid.clone())
            .or_default()
            .insert(0, known);
        self.arrived.push(msgid.clone());
    }

    /// Lets a reply wait for mails it answers. Returns for which.
    pub fn wait<'a>(
        &mut self,
        ids: impl Iterator<Item = &'a MessageId>,
        digest: &Digest,
    ) -> Vec<MessageId> {
        let mut new: Vec<MessageId> = ids.cloned().collect();
        // The nearest, and the root of the thread: that one is the patch or the cover.
        if new.len() > MAX_AWAITED {
            new.drain(MAX_AWAITED - 1..new.len() - 1);
        }
        new.retain(|msgid| self.await_mail(msgid.clone(), digest.clone()));
        new
    }

    /// Lets a reply wait no longer.
    pub fn end_wait(&mut self, digest: &Digest) {
        self.waits.remove(digest);
    }

    /// Returns the next reply for which a mail has come.
    pub fn next_found(&mut self) -> Option<Digest> {
        loop {
            let msgid = self.arrived.last()?;
            match self.awaited.get_mut(msgid).and_then(VecDeque::pop_front) {
                Some(digest) => {
                    let waits = self.waits.get_mut(&digest);
                    if waits.is_some_and(|waits| waits.remove(msgid)) {
                        return Some(digest);
                    }
                }
                None => {
                    self.arrived.pop();
                }
            }
        }
    }

    /// Hangs a comment we know on something else.
    pub fn rehang(&mut self, msgid: &MessageId, parent: Parent) {
        let known = self.known.get_mut(msgid).into_iter().flatten();
        for comment in known.filter(|known| known.is_comment) {
            comment.parent = parent;
        }
    }

    /// Returns the series to which a mail leads, the nearest first, and how far it is from each.
    pub fn claims(&self, msgid: &MessageId) -> impl Iterator<Item = (i64, &Open)> {
        let claims = self.claims.get(msgid).into_iter().flatten();
        claims.filter_map(|(distance, id)| Some((*distance, self.series.get(id)?)))
    }

    /// Announces mails for a series: the first is part of it, each next one is a step farther.
    /// Returns those that are new, or nearer than before.
    pub fn announce(&mut self, series: SeriesId, msgids: &[MessageId]) -> Vec<(MessageId, i64)> {
        let near = msgids.iter().take(MAX_ANNOUNCED).cloned();
        let mut new: Vec<(MessageId, i64)> = near.zip(0..).collect();
        new.retain(|(id, distance)| {
            let is_crowded = self.claims.get(id).is_some_and(|it| it.len() >= MAX_CLAIMS);
            (*distance == 0 || !is_crowded) && self.claim(id, series, *distance)
        });
        if let Some(open) = self.series.get_mut(&series) {
            open.announced.extend(new.iter().map(|(id, _)| id.clone()));
        }
        new
    }

    /// Takes which series need mails that have not come.
    pub fn add_unmet(&mut self, unmet: impl IntoIterator<Item = Unmet>) {
        for one in unmet {
            self.unmet.entry(one.msgid.clone()).or_default().push(one);
        }
    }

    /// Returns which series have been needing this mail; they need it no longer.
    pub fn take_unmet(&mut self, msgid: &MessageId) -> Vec<Unmet> {
        self.unmet.remove(msgid).unwrap_or_default()
    }

    /// Begins a series.
    pub fn begin(&mut self, series: Series) {
        self.series.insert(series.id, Open::new(series));
    }

    /// Returns a series.
    pub fn series(&mut self, id: SeriesId) -> Option<&mut Open> {
        self.series.get_mut(&id)
    }

    /// Returns every series of this delivery, stored ones first.
    pub fn all_series(&self) -> impl Iterator<Item = &Open> {
        self.series.values()
    }

    /// Returns the series of a patch that this delivery has put into one, or has met there.
    pub fn series_of_patch(&self, patch: PatchId) -> Option<SeriesId> {
        let mut all = self.all_series();
        all.find(|open| open.members.values().any(|id| *id == patch))
            .map(|open| open.series.id)
    }

    /// Returns the series that a cover opens, if this delivery has met it.
    pub fn series_of_cover(&self, cover: CoverId) -> Option<SeriesId> {
        let mut all = self.all_series();
        all.find(|open| open.series.cover_id == Some(cover))
            .map(|open| open.series.id)
    }
}
