//! A delivery under way: its transaction, its rules, what is known, and the rows that wait for its end.
//!
//! Mails are judged against the [`Ledger`] of their project and leave rows in [`Pending`]; the database is asked
//! before the first of them and written to after the last, so an archive costs few statements.

use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use super::{
    Options, Outcome, Why, evidence,
    ledger::{Digest, Ledger, Open},
    pending::{Ids, Pending},
    people::People,
    revision,
    rulebook::Rulebook,
};
use crate::{
    domain::{
        CommentId, MessageId, PatchId, PersonId, Project, ProjectId, Series, SeriesId, Timestamp,
        comment::Parent, event::Event, search::words::Texts,
    },
    mail::{Author, Dependency, Heading, Message},
    store::{
        self, Result, Tx,
        mail::{Became, NewMail, Packed},
    },
};

/// A mail with all that its project makes of it.
pub struct Mail<'a> {
    /// The message.
    pub message: &'a Message,
    /// The project of its list.
    pub project: Rc<Project>,
    /// Who wrote it.
    pub author: Author,
    /// What its subject says.
    pub heading: Heading,
}

impl Mail<'_> {
    /// Returns every message id whose meaning this mail asks for: its own, those it answers, those it depends on.
    fn ids(&self) -> impl Iterator<Item = &MessageId> {
        let needed = self
            .message
            .dependencies
            .iter()
            .filter_map(Dependency::message_id);
        std::iter::once(&self.message.id)
            .chain(&self.message.references)
            .chain(needed)
    }
}

fn unpacked(packed: &Packed) -> Option<Vec<u8>> {
    readable(store::mail::unpack(&packed.packed, packed.size))
}

/// A kept mail that is damaged is as good as none: it must not keep others from being delivered.
fn readable<T>(raw: Result<T>) -> Option<T> {
    raw.inspect_err(|error| tracing::error!("{error}")).ok()
}

/// A delivery under way.
pub struct Delivery<'a> {
    /// The transaction.
    pub tx: &'a mut Tx,
    /// What mails are judged by.
    pub rulebook: &'a mut Rulebook,
    /// What the site decides.
    pub options: &'a Options,
    /// When it happens.
    pub now: Timestamp,
    /// The rows that wait for the end.
    pub pending: Pending,
    ledgers: HashMap<ProjectId, Ledger>,
    people: People,
    /// Projects that want what is replaced to become superseded.
    supersedes: BTreeSet<ProjectId>,
    /// Mails whose id is known, which may say something else.
    suspects: Vec<(ProjectId, MessageId, Packed)>,
    /// Stored comments, by the digests of their mails, that hang on something else now, and their headers.
    moved: HashMap<Digest, (Parent, String)>,
    /// What hangs on patches and covers by the database's account, with headers.
    stored: HashMap<Parent, Vec<(Digest, String)>>,
}

impl<'a> Delivery<'a> {
    /// Begins a delivery.
    pub fn new(
        tx: &'a mut Tx,
        rulebook: &'a mut Rulebook,
        options: &'a Options,
        now: Timestamp,
    ) -> Self {
        Delivery {
            tx,
            rulebook,
            options,
            now,
            pending: Pending::default(),
            ledgers: HashMap::new(),
            people: People::default(),
            supersedes: BTreeSet::new(),
            suspects: Vec::new(),
            moved: HashMap::new(),
            stored: HashMap::new(),
        }
    }

    /// Learns what the database knows of all that these mails ask for. Nobody else writes to their projects from
    /// now until the commit.
    pub async fn learn<'m>(&mut self, mails: &[&Mail<'m>]) -> Result<()> {
        let superseding = mails.iter().filter(|mail| mail.project.supersede);
        self.supersedes
            .extend(superseding.map(|mail| mail.project.id));
        let mut projects: Vec<ProjectId> = mails.iter().map(|mail| mail.project.id).collect();
        // Two deliveries that meet in several projects take them in the same order.
        projects.sort_unstable();
        projects.dedup();
        for project in projects {
            if !self.ledgers.contains_key(&project) {
                store::project::lock(self.tx, project).await?;
            }
            let of_it = || mails.iter().filter(|mail| mail.project.id == project);
            let ledger = self.ledgers.entry(project).or_default();
            let unasked = ledger.unasked(of_it().flat_map(|mail| mail.ids()));
            let arriving = ledger.unexpected(of_it().map(|mail| &mail.message.id));
            self.look_up(project, &unasked).await?;
            self.look_up_arriving(project, &arriving).await?;
        }
        let emails = mails.iter().map(|mail| mail.author.email.as_str());
        self.people.learn(self.tx, emails).await
    }

    async fn look_up(&mut self, project: ProjectId, ids: &[MessageId]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let known = store::thread::known(self.tx, project, ids).await?;
        let claims = store::series::by_references(self.tx, project, ids).await?;
        let ledger = self.ledger(project);
        ledger.add_known(known);
        let new = ledger.add_claims(claims);
        self.learn_members(project, &new).await
    }

    /// Learns who has been waiting for mails that come now.
    async fn look_up_arriving(&mut self, project: ProjectId, ids: &[MessageId]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let waiting = store::awaited::by_message_ids(self.tx, project, ids).await?;
        let ledger = self.ledger(project);
        ledger.add_awaited(waiting.replies);
        ledger.add_unmet(waiting.series);
        Ok(())
    }

    async fn learn_members(&mut self, project: ProjectId, series: &[SeriesId]) -> Result<()> {
        if series.is_empty() {
            return Ok(());
        }
        let members = store::series::members(self.tx, series).await?;
        self.ledger(project).add_members(members);
        Ok(())
    }

    /// Learns of stored series that were found in another way than by a message id.
    pub async fn learn_series(&mut self, project: ProjectId, series: Vec<Series>) -> Result<()> {
        let new = self.ledger(project).add_series(series);
        self.learn_members(project, &new).await
    }

    /// Returns what a project knows.
    pub fn ledger(&mut self, project: ProjectId) -> &mut Ledger {
        self.ledgers.entry(project).or_default()
    }

    /// Returns the person a mail is from.
    pub fn submitter(&mut self, author: &Author) -> PersonId {
        self.people.submitter(author)
    }

    /// Returns the person with this address, if there is one so far.
    pub fn known_submitter(&self, email: &str) -> Option<PersonId> {
        self.people.known(email)
    }

    /// Tells what happened.
    pub fn tell(&mut self, events: impl IntoIterator<Item = Event>) {
        self.pending.events.extend(events);
    }

    /// Counts the tags in a text for a patch.
    pub fn count_tags(&mut self, project: &Project, patch: PatchId, text: &str) {
        if !project.use_tags {
            return;
        }
        for (tag, count) in self.rulebook.tags().count(text) {
            *self.pending.tags.entry((patch, tag)).or_default() += count;
        }
    }

    /// Begins a series and returns its id.
    pub fn begin_series(&mut self, mut series: Series) -> SeriesId {
        series.id = self.pending.begin_series();
        let (id, project) = (series.id, series.project_id);
        self.ledger(project).begin(series);
        id
    }

    /// Announces mails for a series: the first is part of it, each next one is a step farther.
    pub fn announce(&mut self, project: ProjectId, series: SeriesId, msgids: &[MessageId]) {
        for (msgid, distance) in self.ledger(project).announce(series, msgids) {
            let references = &mut self.pending.references;
            references.insert((project, msgid, series), distance);
        }
    }

    /// Lets a reply wait for mails it answers.
    pub fn wait<'m>(
        &mut self,
        project: ProjectId,
        ids: impl Iterator<Item = &'m MessageId>,
        digest: &Digest,
    ) {
        let new = self.ledger(project).wait(ids, digest);
        if !new.is_empty() {
            let key = (project, digest.clone());
            self.pending.waits.entry(key).or_default().extend(new);
        }
    }

    /// Lets a reply wait no longer.
    pub fn end_wait(&mut self, project: ProjectId, digest: &Digest) {
        self.ledger(project).end_wait(digest);
        self.pending.waits.remove(&(project, digest.clone()));
        let hung = self.pending.hung.entry(project).or_default();
        hung.push(digest.clone());
    }

    /// Returns a reply that came before, and the comment it is, if any; none when it is something else.
    pub async fn reply(
        &mut self,
        project: ProjectId,
        digest: &Digest,
    ) -> Result<Option<(Vec<u8>, Option<CommentId>)>> {
        let waits = Why::UnknownParent.word();
        if let Some(mail) = self.pending.mail(project, digest) {
            let comment = match mail.became {
                Became::Comment(id) => Some(id),
                Became::Nothing(why) if why == waits => None,
                _ => return Ok(None),
            };
            return Ok(unpacked(&mail.packed).map(|raw| (raw, comment)));
        }
        let Some(reply) = store::mail::reply(self.tx, project, digest).await? else {
            return Ok(None);
        };
        let comment = match self.pending.late.get(&(project, digest.clone())) {
            Some(Became::Comment(id)) => Some(*id),
            None if reply.comment_id.is_some() || reply.outcome == waits => reply.comment_id,
            Some(_) | None => return Ok(None),
        };
        Ok(readable(reply.raw()).map(|raw| (raw, comment)))
    }

    /// Records what a reply became after all.
    pub fn became(&mut self, project: ProjectId, digest: &Digest, became: Became) {
        match self.pending.mail(project, digest) {
            Some(mail) => mail.became = became,
            None => {
                self.pending.late.insert((project, digest.clone()), became);
            }
        }
    }

    /// Hangs a comment on something else.
    pub fn rehang(
        &mut self,
        mail: &Mail<'_>,
        id: CommentId,
        digest: &Digest,
        (from, to): (Parent, Parent),
    ) {
        self.ledger(mail.project.id).rehang(&mail.message.id, to);
        if !self.pending.rehang(id, to) {
            let headers = mail.message.headers.clone();
            self.moved.insert(digest.clone(), (to, headers));
        }
        if mail.project.use_tags {
            let patches = [from, to].into_iter().filter_map(|parent| parent.split().0);
            self.pending.recounted.extend(patches);
        }
    }

    /// Returns the comments, by the digests of their mails, that hang on `parent` now and refer to a message id.
    pub async fn comments_that_name(
        &mut self,
        project: ProjectId,
        parent: Parent,
        msgid: &MessageId,
    ) -> Result<Vec<Digest>> {
        let mut digests = self.pending.comments_that_name(project, parent, msgid);
        let names = |headers: &String| headers.contains(msgid.as_str());
        let moved = self.moved.iter();
        let moved = moved.filter(|(_, (to, headers))| *to == parent && names(headers));
        digests.extend(moved.map(|(digest, _)| digest.clone()));
        if parent.is_stored() {
            if !self.stored.contains_key(&parent) {
                let comments = store::comment::mails_of(self.tx, parent).await?;
                self.stored.insert(parent, comments);
            }
            let stored = self.stored.get(&parent).into_iter().flatten();
            let unmoved = stored.filter(|(digest, _)| !self.moved.contains_key(digest));
            let named = unmoved.filter(|(_, headers)| names(headers));
            digests.extend(named.map(|(digest, _)| digest.clone()));
        }
        Ok(digests)
    }

    /// Remembers a mail whose id is known: it is kept if it says something else than what is kept under that id.
    pub fn suspect(&mut self, project: ProjectId, msgid: &MessageId, packed: &Packed) {
        if !self
            .pending
            .kept
            .contains_key(&(Some(project), packed.digest.clone()))
        {
            self.suspects.push((project, msgid.clone(), packed.clone()));
        }
    }

    /// Keeps those of the suspects that are evidence.
    async fn weigh(&mut self) -> Result<()> {
        let mut suspects = std::mem::take(&mut self.suspects);
        if suspects.is_empty() {
            return Ok(());
        }
        let digests = suspects.iter().map(|(_, _, packed)| packed.digest.clone());
        let kept = store::mail::kept(self.tx, digests.collect()).await?;
        suspects.retain(|(project, _, packed)| {
            let is_same = |(digest, of): &(Digest, Option<ProjectId>)| {
                *of == Some(*project) && *digest == packed.digest
            };
            !kept.iter().any(is_same)
        });
        for (project, msgid, packed) in suspects {
            let Some(raw) = unpacked(&packed) else {
                continue;
            };
            if !self.is_said(project, &msgid, &raw).await? {
                self.keep(
                    Some(project),
                    Some(&msgid),
                    Became::Nothing(evidence::WORD),
                    &packed,
                );
            }
        }
        Ok(())
    }

    /// Says whether a mail is kept that says the same under the same id.
    async fn is_said(&mut self, project: ProjectId, msgid: &MessageId, raw: &[u8]) -> Result<bool> {
        let mut waiting = self.pending.mails_of(project, msgid);
        let is_same = |kept: Vec<u8>| evidence::is_same(&kept, raw);
        if waiting.any(|mail| unpacked(&mail.packed).is_some_and(is_same)) {
            return Ok(true);
        }
        // One at a time: each may be as large as a mail can be.
        for id in store::evidence::kept(self.tx, project, msgid).await? {
            let kept = readable(store::mail::raw(self.tx, id).await);
            if kept.flatten().is_some_and(is_same) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps the bytes of a mail.
    pub fn keep(
        &mut self,
        project: Option<ProjectId>,
        msgid: Option<&MessageId>,
        became: Became,
        packed: &Packed,
    ) {
        let key = (project, packed.digest.clone());
        if let Some(place) = self.pending.kept.get(&key) {
            if !matches!(became, Became::Nothing(_)) {
                self.pending.mails[*place].became = became;
            }
            return;
        }
        self.pending.kept.insert(key, self.pending.mails.len());
        self.pending.mails.push(NewMail {
            project,
            msgid: msgid.cloned().unwrap_or_else(|| MessageId::new("")),
            received: self.now,
            became,
            packed: packed.clone(),
        });
    }

    /// Writes all that has been waiting. Returns the ids under which it is stored. The words of mails that became something may have
    /// been cut ahead.
    pub async fn finish<'t>(
        mut self,
        texts: impl Iterator<Item = (&'t Outcome, Option<&'t Texts>)>,
    ) -> Result<Ids> {
        self.weigh().await?;
        self.close_ledgers();
        let wanted = self.pending.wanted(self.people.count_new());
        let mut ids = Ids::new(store::sequence::take(self.tx, wanted).await?);
        let names: Vec<_> = self.people.names().collect();
        self.people.write(self.tx, ids.people()).await?;
        let names = names.into_iter();
        let names = names.map(|(id, name)| (ids.person(id), name)).collect();
        let texts = texts.filter_map(|(outcome, texts)| Some((ids.numbered(outcome)?, texts?)));
        let texts = texts.collect();
        let tags = self.rulebook.tags();
        let news = self.pending.news(&ids);
        let renewed = self.pending.renewed(&ids, &self.supersedes);
        let is_later = self.options.search_later;
        self.pending
            .write(self.tx, &ids, &names, &texts, tags, is_later)
            .await?;
        revision::settle(self.tx, news, self.now).await?;
        if !renewed.is_empty() {
            revision::supersede(self.tx, &renewed, self.now).await?;
        }
        Ok(ids)
    }

    fn close_ledgers(&mut self) {
        let mut new: Vec<Series> = Vec::new();
        for ledger in self.ledgers.values() {
            let is_new = |open: &&Open| open.series.id.0 < 0;
            new.extend(
                ledger
                    .all_series()
                    .filter(is_new)
                    .map(|open| open.series.clone()),
            );
            let changed = ledger
                .all_series()
                .filter(|open| !is_new(open) && open.is_changed);
            self.pending
                .changed_series
                .extend(changed.map(|open| open.series.clone()));
        }
        new.sort_by_key(|series| -series.id.0);
        self.pending.series = new;
    }
}
