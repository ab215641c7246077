//! A delivery under way: its transaction, its rules, and the rows nobody reads before the commit.

use std::collections::{BTreeMap, HashMap};

use super::{Options, rulebook::Rulebook};
use crate::{
    domain::{
        MessageId, PatchBody, PatchId, PersonId, Project, ProjectId, Timestamp, comment::Parent,
        event::Event,
    },
    mail::{Author, Heading, Message, trailer},
    store::{
        self, Result, Tx,
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
    project: Option<ProjectId>,
    /// Every message id that the mails of this delivery have or answer.
    ids: Vec<MessageId>,
    /// What each project entered so far knows of them.
    known: HashMap<ProjectId, HashMap<MessageId, Vec<Known>>>,
    people: HashMap<String, (PersonId, Option<String>)>,
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
            people: HashMap::new(),
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
    pub async fn enter_project(&mut self, project: &Project) -> Result<()> {
        self.project = Some(project.id);
        if !self.known.contains_key(&project.id) {
            store::project::lock(self.tx, project.id).await?;
            let mut known: HashMap<MessageId, Vec<Known>> = HashMap::new();
            for one in store::thread::known(self.tx, project.id, &self.ids).await? {
                known.entry(one.msgid.clone()).or_default().push(one);
            }
            self.known.insert(project.id, known);
        }
        Ok(())
    }

    /// Returns what the project of the mail in hand knows under this message id.
    pub fn known(&self, msgid: &MessageId) -> &[Known] {
        let project = self.project.and_then(|project| self.known.get(&project));
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
            .project
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
    }

    /// Returns the project of the mail in hand.
    pub fn project_id(&self) -> Option<ProjectId> {
        self.project
    }

    /// Returns the person a mail is from.
    pub async fn submitter(&mut self, author: &Author) -> Result<PersonId> {
        let key = author.email.to_lowercase();
        let name = author.name.clone().filter(|name| !name.is_empty());
        if let Some((id, known)) = self.people.get(&key)
            && (name.is_none() || name == *known)
        {
            return Ok(*id);
        }
        let id =
            store::person::find_or_insert(self.tx, author.name.as_deref(), &author.email).await?;
        self.people.insert(key, (id, name));
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
        store::mail::insert(self.tx, &std::mem::take(&mut self.mails)).await
    }
}
