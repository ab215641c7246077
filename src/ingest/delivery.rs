//! A delivery under way: its transaction, its rules, what is known, and the rows that wait for its end.
//!
//! Mails are judged against the [`Ledger`] of their project and leave rows in [`Pending`]; the database is asked
//! before the first of them and written to after the last, so an archive costs few statements.

use std::{collections::HashMap, rc::Rc};

use super::{
    Options, Why,
    ledger::{Digest, Ledger, Open},
    pending::{Ids, Pending},
    people::People,
    rulebook::Rulebook,
};
use crate::{
    domain::{
        CommentId, MessageId, PatchId, PersonId, Project, ProjectId, Series, SeriesId, Timestamp,
        event::Event,
    },
    mail::{Author, Dependency, DependencyTarget as Target, Heading, Message},
    store::{
        self, Result, Tx,
        awaited::Wait,
        mail::{Became, NewMail, Packed},
        series::Reference,
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
        let needed = self.message.dependencies.iter().filter_map(needed);
        std::iter::once(&self.message.id)
            .chain(&self.message.references)
            .chain(needed)
    }
}

fn needed(dependency: &Dependency) -> Option<&MessageId> {
    match dependency {
        Dependency::MessageId(msgid) => Some(msgid),
        Dependency::Url(page) => match &page.target {
            Target::Patch(msgid) | Target::Cover(msgid) => Some(msgid),
            Target::PatchId(_) | Target::CoverId(_) | Target::Series(_) => None,
        },
    }
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
        }
    }

    /// Learns what the database knows of all that these mails ask for. Nobody else writes to their projects from
    /// now until the commit.
    pub async fn learn<'m>(&mut self, mails: &[&Mail<'m>]) -> Result<()> {
        let mut projects: Vec<ProjectId> = mails.iter().map(|mail| mail.project.id).collect();
        // Two deliveries that meet in several projects take them in the same order.
        projects.sort_unstable();
        projects.dedup();
        for project in projects {
            if !self.ledgers.contains_key(&project) {
                store::project::lock(self.tx, project).await?;
            }
            let of_it = mails.iter().filter(|mail| mail.project.id == project);
            let ids = of_it.flat_map(|mail| mail.ids());
            let unasked = self.ledgers.entry(project).or_default().unasked(ids);
            self.look_up(project, &unasked).await?;
        }
        let emails = mails.iter().map(|mail| mail.author.email.as_str());
        self.people.learn(self.tx, emails).await
    }

    async fn look_up(&mut self, project: ProjectId, ids: &[MessageId]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let known = store::thread::known(self.tx, project, ids).await?;
        let owners = store::series::by_references(self.tx, project, ids).await?;
        let awaited = store::awaited::by_message_ids(self.tx, project, ids).await?;
        let ledger = self.ledgers.entry(project).or_default();
        ledger.add_known(known);
        ledger.add_awaited(awaited);
        let new = ledger.add_owners(owners);
        self.learn_members(project, &new).await
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

    /// Announces mails for a series.
    pub fn announce(&mut self, project: ProjectId, series: SeriesId, msgids: &[MessageId]) {
        let new = self.ledger(project).announce(series, msgids);
        let references = new.into_iter().map(|msgid| Reference {
            project,
            msgid,
            series,
        });
        self.pending.references.extend(references);
    }

    /// Lets a reply wait for the mails it answers.
    pub fn wait(&mut self, mail: &Mail<'_>, packed: &Packed) {
        let project = mail.project.id;
        let references = &mail.message.references;
        let others = references.iter().filter(|id| **id != mail.message.id);
        let new = self.ledger(project).wait(others, &packed.digest);
        let waits = new.into_iter().map(|msgid| Wait {
            project,
            msgid,
            digest: packed.digest.clone(),
        });
        self.pending.waits.extend(waits);
    }

    /// Returns the bytes of a reply that has been waiting, if it has nothing to show so far.
    pub async fn waiting(
        &mut self,
        project: ProjectId,
        digest: &Digest,
    ) -> Result<Option<Vec<u8>>> {
        let why = Why::UnknownParent.word();
        match self.pending.kept.get(&(Some(project), digest.clone())) {
            Some(place) => {
                let mail = &self.pending.mails[*place];
                let is_waiting = mail.became == Became::Nothing(why);
                let packed = is_waiting.then_some(&mail.packed);
                packed
                    .map(|packed| store::mail::unpack(&packed.packed, packed.size))
                    .transpose()
            }
            None => store::mail::waiting(self.tx, project, digest, why).await,
        }
    }

    /// Ends the wait of a reply, whatever it becomes.
    pub fn end_wait(&mut self, project: ProjectId, digest: &Digest) {
        let hung = self.pending.hung.entry(project).or_default();
        hung.push(digest.clone());
    }

    /// Records that a reply became a comment after all.
    pub fn became_comment(&mut self, project: ProjectId, digest: Digest, comment: CommentId) {
        match self.pending.kept.get(&(Some(project), digest.clone())) {
            Some(place) => self.pending.mails[*place].became = Became::Comment(comment),
            None => self.pending.late.push((project, digest, comment)),
        }
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

    /// Writes all that has been waiting. Returns the ids under which it is stored.
    pub async fn finish(mut self) -> Result<Ids> {
        self.close_ledgers();
        let wanted = self.pending.wanted(self.people.count_new());
        let mut ids = Ids::new(store::sequence::take(self.tx, wanted).await?);
        self.people.write(self.tx, ids.people()).await?;
        self.pending.write(self.tx, &ids).await?;
        Ok(ids)
    }

    fn close_ledgers(&mut self) {
        let mut new: Vec<Series> = Vec::new();
        for (project, ledger) in &self.ledgers {
            // A reply that waited and was found in the same delivery leaves no trace of its wait.
            self.pending
                .waits
                .retain(|wait| wait.project != *project || !ledger.is_hung(&wait.digest));
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
