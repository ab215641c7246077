//! A delivery under way: its transaction, its rules, and the rows nobody reads before the commit.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use super::{Options, rulebook::Rulebook};
use crate::{
    domain::{
        MessageId, PatchBody, PatchId, PersonId, Project, ProjectId, Timestamp, comment::Parent,
        event::Event,
    },
    mail::{Author, Heading, Message, trailer},
    store::{
        self, Result, Tx,
        awaited::Wait,
        mail::{Became, NewMail, Packed},
        tag,
        thread::Known,
    },
};

/// A mail with all that its project makes of it.
pub struct Mail<'a> {
    /// The message.
    pub message: &'a Message,
    /// The project of its list.
    pub project: &'a Project,
    /// Who wrote it.
    pub author: Author,
    /// What its subject says.
    pub heading: Heading,
}

/// For how many of its ancestors a reply waits: the nearest are enough to hang it on.
const MAX_AWAITED: usize = 16;

/// How many bytes of rows may wait for the commit.
const MAX_WAITING: usize = 4 << 20;

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
    project: Option<Rc<Project>>,
    /// Every message id that the mails of this delivery have or answer.
    ids: Vec<MessageId>,
    /// What each project entered so far knows of them.
    known: HashMap<ProjectId, HashMap<MessageId, Vec<Known>>>,
    /// Replies that wait for one of these ids, by digest.
    awaited: HashMap<(ProjectId, MessageId), Vec<Vec<u8>>>,
    waits: Vec<Wait>,
    /// Ids of mails that came and that replies had been waiting for.
    arrived: Vec<MessageId>,
    /// Who has which address; like the databases, only ASCII letters ignore case everywhere.
    people: HashMap<String, PersonId>,
    names: HashMap<PersonId, Option<String>>,
    events: Vec<Event>,
    bodies: Vec<(PatchId, PatchBody)>,
    mails: Vec<NewMail>,
    tags: tag::Counts,
    waiting: usize,
}

impl<'a> Delivery<'a> {
    /// Begins a delivery.
    pub fn new(
        tx: &'a mut Tx,
        rulebook: &'a mut Rulebook,
        options: &'a Options,
        ids: Vec<MessageId>,
        now: Timestamp,
    ) -> Self {
        Delivery {
            tx,
            rulebook,
            options,
            now,
            project: None,
            ids,
            known: HashMap::new(),
            awaited: HashMap::new(),
            waits: Vec::new(),
            arrived: Vec::new(),
            people: HashMap::new(),
            names: HashMap::new(),
            events: Vec::new(),
            bodies: Vec::new(),
            mails: Vec::new(),
            tags: BTreeMap::new(),
            waiting: 0,
        }
    }

    /// Turns to a mail whose project is not known yet.
    pub fn leave_project(&mut self) {
        self.project = None;
    }

    /// Turns to a mail of this project; nobody else writes to it until the commit.
    pub async fn enter_project(&mut self, project: &Rc<Project>) -> Result<()> {
        self.project = Some(project.clone());
        if !self.known.contains_key(&project.id) {
            store::project::lock(self.tx, project.id).await?;
            self.known.insert(project.id, HashMap::new());
            let ids = std::mem::take(&mut self.ids);
            self.look_up(project.id, &ids).await?;
            self.ids = ids;
        }
        Ok(())
    }

    /// Learns what a project knows of these mails, and which replies wait for them.
    pub async fn look_up(&mut self, project: ProjectId, ids: &[MessageId]) -> Result<()> {
        let found = store::thread::known(self.tx, project, ids).await?;
        let known = self.known.entry(project).or_default();
        for id in ids {
            known.remove(id);
        }
        for one in found {
            known.entry(one.msgid.clone()).or_default().push(one);
        }
        for (msgid, digest) in store::awaited::by_message_ids(self.tx, project, ids).await? {
            let waiting = self.awaited.entry((project, msgid)).or_default();
            if !waiting.contains(&digest) {
                waiting.push(digest);
            }
        }
        Ok(())
    }

    /// Lets the reply in hand wait for the mails it answers.
    pub fn wait(&mut self, message: &Message, packed: &Packed) {
        let Some(project) = self.project_id() else {
            return;
        };
        let others = message.references.iter().filter(|id| **id != message.id);
        for msgid in others.take(MAX_AWAITED) {
            let waiting = self.awaited.entry((project, msgid.clone())).or_default();
            if !waiting.contains(&packed.digest) {
                waiting.push(packed.digest.clone());
                self.waits.push(Wait {
                    project,
                    msgid: msgid.clone(),
                    digest: packed.digest.clone(),
                });
            }
        }
    }

    /// Returns the next reply, by digest, whose wait is over.
    pub fn next_found(&mut self) -> Option<Vec<u8>> {
        loop {
            let key = (self.project_id()?, self.arrived.last()?.clone());
            match self
                .awaited
                .get_mut(&key)
                .filter(|waiting| !waiting.is_empty())
            {
                Some(waiting) => return Some(waiting.remove(0)),
                None => self.arrived.pop(),
            };
        }
    }

    /// Returns what the project of the mail in hand knows under this message id.
    pub fn known(&self, msgid: &MessageId) -> &[Known] {
        let project = self
            .project_id()
            .and_then(|project| self.known.get(&project));
        project
            .and_then(|known| known.get(msgid))
            .map_or(&[], Vec::as_slice)
    }

    /// Says whether the mail in hand is known as this kind of thing, comments apart.
    pub fn knows_submission(&self, msgid: &MessageId, is_kind: impl Fn(Parent) -> bool) -> bool {
        self.known(msgid)
            .iter()
            .any(|known| !known.is_comment && is_kind(known.parent))
    }

    /// Remembers what a mail became, for those that answer it.
    pub fn learn(&mut self, msgid: &MessageId, parent: Parent, is_comment: bool) {
        let Some(known) = self
            .project_id()
            .and_then(|project| self.known.get_mut(&project))
        else {
            return;
        };
        // Newest first, as the database returns them.
        known.entry(msgid.clone()).or_default().insert(
            0,
            Known {
                msgid: msgid.clone(),
                parent,
                is_comment,
            },
        );
        self.arrived.push(msgid.clone());
    }

    /// Returns the project of the mail in hand.
    pub fn project_id(&self) -> Option<ProjectId> {
        self.project.as_ref().map(|project| project.id)
    }

    /// Returns the project of the mail in hand.
    pub fn project(&self) -> Option<Rc<Project>> {
        self.project.clone()
    }

    /// Returns the person a mail is from.
    pub async fn submitter(&mut self, author: &Author) -> Result<PersonId> {
        let key = author.email.to_ascii_lowercase();
        let name = author.name.clone().filter(|name| !name.is_empty());
        if let Some(id) = self.people.get(&key)
            && (name.is_none() || self.names.get(id) == Some(&name))
        {
            return Ok(*id);
        }
        let id =
            store::person::find_or_insert(self.tx, author.name.as_deref(), &author.email).await?;
        self.people.insert(key, id);
        self.names.insert(id, name);
        Ok(id)
    }

    /// Tells what happened.
    pub fn tell(&mut self, events: impl IntoIterator<Item = Event>) {
        self.events.extend(events);
    }

    /// Stores the texts of a patch.
    pub fn body(&mut self, patch: PatchId, body: PatchBody) {
        self.waiting += body.headers.len() + body.diff.as_ref().map_or(0, String::len);
        self.bodies.push((patch, body));
    }

    /// Counts the tags in a text for a patch.
    pub fn count_tags(&mut self, project: &Project, patch: PatchId, text: &str) {
        if !project.use_tags {
            return;
        }
        for (tag, pattern) in self.rulebook.tags() {
            let count = trailer::count(pattern, text) as i64;
            if count > 0 {
                *self.tags.entry((patch, *tag)).or_default() += count;
            }
        }
    }

    /// Keeps the bytes of a mail.
    pub async fn keep(
        &mut self,
        project: Option<ProjectId>,
        msgid: Option<&MessageId>,
        became: Became,
        packed: &Packed,
    ) -> Result<()> {
        let new = matches!(
            became,
            Became::Patch(_) | Became::Cover(_) | Became::Comment(_)
        );
        // What became nothing has no other row by which to know it again.
        if !new && store::mail::is_kept(self.tx, project, &packed.digest).await? {
            return Ok(());
        }
        self.waiting += packed.packed.len();
        self.mails.push(NewMail {
            project,
            msgid: msgid.cloned().unwrap_or_else(|| MessageId::new("")),
            received: self.now,
            became,
            packed: packed.clone(),
        });
        if self.waiting > MAX_WAITING {
            self.finish().await
        } else {
            Ok(())
        }
    }

    /// Writes what has been waiting.
    pub async fn finish(&mut self) -> Result<()> {
        self.waiting = 0;
        store::patch::insert_bodies(self.tx, &std::mem::take(&mut self.bodies)).await?;
        store::tag::add(self.tx, &std::mem::take(&mut self.tags)).await?;
        store::event::insert(self.tx, &std::mem::take(&mut self.events)).await?;
        store::awaited::insert(self.tx, &std::mem::take(&mut self.waits)).await?;
        store::mail::insert(self.tx, &std::mem::take(&mut self.mails)).await
    }
}
