//! Rows that wait for the end of a delivery, so that many are written in few statements.
//!
//! A new row has a provisional id below 0. Only at the end, when it is known how many rows there are, real ids
//! are taken, and every provisional one is replaced.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::future;

use super::{Outcome, ledger::Digest, revision::News};
use crate::{
    domain::{
        CommentId, CoverId, MessageId, PatchBody, PatchId, PersonId, ProjectId, Series, SeriesId,
        comment::Parent,
        event::{Category, Event},
        search::words::Texts,
        tag::Counter,
    },
    store::{
        self, Batch, Result, Tx,
        comment::NewComment,
        cover::NewCover,
        mail::{Became, NewMail},
        patch::NewPatch,
        revision::Said,
        search::{Kind, Source},
        sequence::{KINDS, Of},
        series::{Need, Reference, Unmet},
        tag,
    },
};

/// The rows of a delivery but for its people.
#[derive(Debug, Default)]
pub struct Pending {
    /// Cover letters.
    pub covers: Vec<NewCover>,
    /// How many series are new.
    pub new_series: usize,
    /// Series as they are left, new ones in the order of their begin.
    pub series: Vec<Series>,
    /// Stored series that got another name or a cover.
    pub changed_series: Vec<Series>,
    /// Patches.
    pub patches: Vec<NewPatch>,
    /// Their texts.
    pub bodies: Vec<(PatchId, PatchBody)>,
    /// Comments.
    pub comments: Vec<NewComment>,
    /// Message ids that lead to series, and how far they are from them.
    pub references: BTreeMap<(ProjectId, MessageId, SeriesId), i64>,
    /// Which series needs which.
    pub needs: Vec<Need>,
    /// Which series need mails that have not come.
    pub unmet: Vec<(ProjectId, Unmet)>,
    /// Mails that series needed, and that came.
    pub met: HashMap<ProjectId, Vec<MessageId>>,
    /// What mails say of revisions.
    pub said: Vec<Said>,
    /// Tags found.
    pub tags: tag::Counts,
    /// What happened.
    pub events: Vec<Event>,
    /// What replies wait for.
    pub waits: BTreeMap<(ProjectId, Digest), Vec<MessageId>>,
    /// Replies that wait no longer.
    pub hung: HashMap<ProjectId, Vec<Digest>>,
    /// What stored replies became after all.
    pub late: HashMap<(ProjectId, Digest), Became>,
    /// Stored comments that hang on something else now.
    pub rehung: BTreeMap<CommentId, Parent>,
    /// Patches whose tags are counted anew.
    pub recounted: BTreeSet<PatchId>,
    /// Received mails, by what they are kept under.
    pub mails: Vec<NewMail>,
    /// Where in `mails` which bytes are.
    pub kept: HashMap<(Option<ProjectId>, Digest), usize>,
}

/// Names and addresses of people by their ids.
pub type Names = HashMap<PersonId, (String, String)>;

/// The words of new mails that have been cut ahead, by what they are.
pub type Cut<'a> = HashMap<(Kind, i64), &'a Texts>;

/// The words of so many mails are worth a statement of their own.
const MANY: usize = 16;

/// The id of the `count`th new row.
fn provisional(count: usize) -> i64 {
    -1 - count as i64
}

impl Pending {
    /// Returns the id of the next patch.
    pub fn next_patch(&self) -> PatchId {
        PatchId(provisional(self.patches.len()))
    }

    /// Returns the id of the next cover.
    pub fn next_cover(&self) -> CoverId {
        CoverId(provisional(self.covers.len()))
    }

    /// Returns the id of the next comment.
    pub fn next_comment(&self) -> CommentId {
        CommentId(provisional(self.comments.len()))
    }

    /// Returns the id of a series that begins now.
    pub fn begin_series(&mut self) -> SeriesId {
        self.new_series += 1;
        SeriesId(provisional(self.new_series - 1))
    }

    /// Returns a mail that waits to be kept.
    pub fn mail(&mut self, project: ProjectId, digest: &Digest) -> Option<&mut NewMail> {
        let place = self.kept.get(&(Some(project), digest.clone()))?;
        self.mails.get_mut(*place)
    }

    /// Returns the mails of a project that have this id and wait to be kept.
    pub fn mails_of(
        &self,
        project: ProjectId,
        msgid: &MessageId,
    ) -> impl Iterator<Item = &NewMail> {
        let mails = self.mails.iter();
        mails.filter(move |mail| mail.project == Some(project) && mail.msgid == *msgid)
    }

    /// Hangs a comment on something else. Says whether it is a new one.
    pub fn rehang(&mut self, id: CommentId, parent: Parent) -> bool {
        let Some(comment) = self.comments.iter_mut().find(|comment| comment.id == id) else {
            self.rehung.insert(id, parent);
            return false;
        };
        comment.parent = parent;
        let (patch, cover) = parent.split();
        let events = self.events.iter_mut();
        for event in events.filter(|event| event.comment == Some(id)) {
            event.category = Category::of_reply_to(parent);
            (event.patch, event.cover) = (patch, cover);
        }
        true
    }

    /// Returns the new comments, by the digests of their mails, that hang on `parent` and refer to a message id.
    pub fn comments_that_name(
        &self,
        project: ProjectId,
        parent: Parent,
        msgid: &MessageId,
    ) -> Vec<Digest> {
        let comments = self
            .comments
            .iter()
            .filter(|comment| comment.parent == parent && comment.headers.contains(msgid.as_str()));
        let ids: Vec<CommentId> = comments.map(|comment| comment.id).collect();
        let is_one = |became: Became| matches!(became, Became::Comment(id) if ids.contains(&id));
        let new = self
            .mails
            .iter()
            .filter(|mail| mail.project == Some(project));
        let new = new.map(|mail| (&mail.packed.digest, mail.became));
        let late = self.late.iter().filter(|((of, _), _)| *of == project);
        let late = late.map(|((_, digest), became)| (digest, *became));
        let named = new.chain(late).filter(|(_, became)| is_one(*became));
        named.map(|(digest, _)| digest.clone()).collect()
    }

    /// Returns how many ids of each kind are needed.
    pub fn wanted(&self, people: usize) -> [usize; KINDS] {
        let mut wanted = [0; KINDS];
        wanted[Of::People as usize] = people;
        wanted[Of::Covers as usize] = self.covers.len();
        wanted[Of::Series as usize] = self.new_series;
        wanted[Of::Patches as usize] = self.patches.len();
        wanted[Of::Comments as usize] = self.comments.len();
        wanted
    }

    /// Returns what may tie series together.
    pub fn news(&self, ids: &Ids) -> News {
        let begun = self.series.iter().map(|series| ids.series(series.id));
        let changed = self.changed_series.iter().map(|series| series.id);
        let said = self.said.iter().map(|said| ids.series(said.series));
        let mut news = News {
            begun: begun.collect(),
            known: changed.chain(said).collect(),
            ..News::default()
        };
        let patches = self.patches.iter().map(|new| (new.project, &new.msgid));
        let covers = self.covers.iter().map(|new| (new.project, &new.msgid));
        for (project, msgid) in patches.chain(covers) {
            news.mails.entry(project).or_default().push(msgid.clone());
        }
        news
    }

    /// Returns the series of these projects that got something new, which may replace an older one.
    pub fn renewed(&self, ids: &Ids, projects: &BTreeSet<ProjectId>) -> BTreeSet<SeriesId> {
        let places = self
            .patches
            .iter()
            .filter_map(|new| Some((new.project, new.place?.0)));
        let changed = self
            .changed_series
            .iter()
            .map(|one| (one.project_id, one.id));
        let said = self.said.iter().map(|said| (said.project, said.series));
        let all = places.chain(changed).chain(said);
        let wanted = all.filter(|(project, _)| projects.contains(project));
        wanted.map(|(_, id)| ids.series(id)).collect()
    }

    /// Writes all rows. The people are written already. The words are indexed, or all of them are left to a later time.
    pub async fn write(
        mut self,
        conn: &mut Tx,
        ids: &Ids,
        people: &Names,
        texts: &Cut<'_>,
        tags: &Counter,
        is_indexed_later: bool,
    ) -> Result<()> {
        self.settle(ids);
        self.lock(conn).await?;
        let mut batch = Batch::default();
        let mut last = Batch::default();
        let sources = self.sources(people, texts);
        match sources.len() {
            _ if is_indexed_later => store::search::postpone(&mut batch, &sources),
            MANY.. => last = store::search::write(conn, sources).await?,
            _ => {
                let docs = sources.iter().map(Source::doc).collect();
                store::search::insert(&mut batch, conn.kind(), docs);
            }
        }
        let is_rehung = !self.rehung.is_empty();
        for (project, msgids) in self.met {
            store::series::delete_unmet(conn, project, &msgids).await?;
        }
        for (project, digests) in self.hung {
            store::awaited::delete(conn, project, digests).await?;
        }
        let rest = async {
            store::cover::insert(&mut batch, self.covers);
            store::series::insert(&mut batch, self.series);
            store::patch::insert(&mut batch, self.patches);
            store::patch::insert_bodies(&mut batch, self.bodies);
            store::series::insert_references(&mut batch, &references(self.references, ids));
            store::series::insert_unmet(&mut batch, &self.unmet);
            store::revision::insert(&mut batch, &self.said);
            store::comment::insert(&mut batch, self.comments);
            store::tag::add(&mut batch, &self.tags);
            store::event::insert(&mut batch, &self.events);
            store::awaited::insert(&mut batch, &self.waits);
            store::mail::insert(&mut batch, &self.mails);
        };
        let (written, ()) = future::join(last.write(conn), rest).await;
        written?;
        batch.write(conn).await?;
        for series in &self.changed_series {
            store::series::update(conn, series).await?;
        }
        for need in self.needs {
            store::series::insert_dependency(conn, need).await?;
        }
        for (comment, parent) in self.rehung {
            store::comment::rehang(conn, comment, parent).await?;
        }
        for ((project, digest), became) in self.late {
            store::mail::set_outcome(conn, project, &digest, became).await?;
        }
        let recounted: Vec<PatchId> = self.recounted.iter().map(|id| ids.patch(*id)).collect();
        if is_rehung && !is_indexed_later {
            store::search::settle_now(conn).await?;
        }
        if recounted.is_empty() {
            return Ok(());
        }
        store::tag::recount(conn, tags, &recounted).await
    }

    /// Locks the patches with which it is noted that a comment asks for action.
    async fn lock(&self, tx: &mut Tx) -> Result<()> {
        let asking = self.comments.iter();
        let asking = asking.filter(|comment| comment.addressed == Some(false));
        let parents = asking
            .map(|comment| comment.parent)
            .chain(self.rehung.values().copied());
        let patches: Vec<PatchId> = parents.filter_map(|parent| parent.split().0).collect();
        let moved: Vec<CommentId> = self.rehung.keys().copied().collect();
        match patches.is_empty() && moved.is_empty() {
            true => Ok(()),
            false => store::comment::lock_parents(tx, &patches, &moved).await,
        }
    }

    /// Returns what is indexed of the new mails. Their ids are real.
    fn sources<'a>(&'a self, people: &'a Names, texts: &Cut<'a>) -> Vec<Source<'a>> {
        let texts = |kind: Kind, id: i64| texts.get(&(kind, id)).copied();
        let author = |id: PersonId| {
            let known = people.get(&id);
            known.map_or(["", ""], |(name, email)| [name.as_str(), email.as_str()])
        };
        let bodies: HashMap<PatchId, &PatchBody> =
            self.bodies.iter().map(|(id, body)| (*id, body)).collect();
        let patches = self.patches.iter().map(|patch| {
            let body = bodies.get(&patch.id);
            let text = |of: fn(&PatchBody) -> Option<&str>| body.and_then(|body| of(body));
            Source {
                project: patch.project,
                parent: Parent::Patch(patch.id),
                comment: None,
                date: patch.date,
                submitter: patch.submitter,
                author: author(patch.submitter),
                subject: &patch.name,
                message: text(|body| body.content.as_deref()).unwrap_or_default(),
                diff: text(|body| body.diff.as_deref()).unwrap_or_default(),
                texts: texts(Kind::Patch, patch.id.0),
            }
        });
        let covers = self.covers.iter().map(|cover| Source {
            project: cover.project,
            parent: Parent::Cover(cover.id),
            comment: None,
            date: cover.date,
            submitter: cover.submitter,
            author: author(cover.submitter),
            subject: &cover.name,
            message: &cover.content,
            diff: "",
            texts: texts(Kind::Cover, cover.id.0),
        });
        let projects = self.projects_of_comments();
        let comments = self.comments.iter().filter_map(|comment| {
            Some(Source {
                project: *projects.get(&comment.id)?,
                parent: comment.parent,
                comment: Some(comment.id),
                date: comment.date,
                submitter: comment.submitter,
                author: author(comment.submitter),
                subject: "",
                message: &comment.content,
                diff: "",
                texts: texts(Kind::Comment, comment.id.0),
            })
        });
        patches.chain(covers).chain(comments).collect()
    }

    /// Returns the projects of new comments: those of their mails.
    fn projects_of_comments(&self) -> HashMap<CommentId, ProjectId> {
        let new = self.mails.iter();
        let new = new.filter_map(|mail| Some((mail.became, mail.project?)));
        let late = self.late.iter();
        let late = late.map(|((project, _), became)| (*became, *project));
        let comments = new
            .chain(late)
            .filter_map(|(became, project)| match became {
                Became::Comment(id) => Some((id, project)),
                _ => None,
            });
        comments.collect()
    }

    /// Replaces every provisional id.
    fn settle(&mut self, ids: &Ids) {
        for cover in &mut self.covers {
            cover.id = ids.cover(cover.id);
            cover.submitter = ids.person(cover.submitter);
        }
        for series in self.series.iter_mut().chain(&mut self.changed_series) {
            series.id = ids.series(series.id);
            series.submitter_id = ids.person(series.submitter_id);
            series.cover_id = series.cover_id.map(|id| ids.cover(id));
        }
        for patch in &mut self.patches {
            patch.id = ids.patch(patch.id);
            patch.submitter = ids.person(patch.submitter);
            patch.place = patch.place.map(|(id, number)| (ids.series(id), number));
        }
        for comment in &mut self.comments {
            comment.id = ids.comment(comment.id);
            comment.submitter = ids.person(comment.submitter);
            comment.parent = ids.parent(comment.parent);
        }
        self.settle_what_refers(ids);
    }

    fn settle_what_refers(&mut self, ids: &Ids) {
        for (patch, _) in &mut self.bodies {
            *patch = ids.patch(*patch);
        }
        for need in &mut self.needs {
            (need.from, need.to) = (ids.series(need.from), ids.series(need.to));
        }
        for (_, unmet) in &mut self.unmet {
            unmet.series_id = ids.series(unmet.series_id);
        }
        for said in &mut self.said {
            said.series = ids.series(said.series);
        }
        for parent in self.rehung.values_mut() {
            *parent = ids.parent(*parent);
        }
        let tags = std::mem::take(&mut self.tags);
        let settled = tags
            .into_iter()
            .map(|((patch, tag), count)| ((ids.patch(patch), tag), count));
        self.tags = settled.collect();
        for event in &mut self.events {
            event.patch = event.patch.map(|id| ids.patch(id));
            event.series = event.series.map(|id| ids.series(id));
            event.cover = event.cover.map(|id| ids.cover(id));
            event.comment = event.comment.map(|id| ids.comment(id));
        }
        for became in self.late.values_mut() {
            *became = ids.became(*became);
        }
        for mail in &mut self.mails {
            mail.became = ids.became(mail.became);
        }
    }
}

fn references(
    references: BTreeMap<(ProjectId, MessageId, SeriesId), i64>,
    ids: &Ids,
) -> Vec<Reference> {
    let settled = references
        .into_iter()
        .map(|((project, msgid, series), distance)| Reference {
            project,
            msgid,
            series: ids.series(series),
            distance,
        });
    settled.collect()
}

/// Real ids in place of provisional ones.
#[derive(Debug)]
pub struct Ids([Vec<i64>; KINDS]);

impl Ids {
    /// Takes the ids that were taken.
    pub fn new(taken: [Vec<i64>; KINDS]) -> Self {
        Ids(taken)
    }

    /// Returns the ids of the people, who may be known under others by now.
    pub fn people(&mut self) -> &mut [i64] {
        &mut self.0[Of::People as usize]
    }

    fn real(&self, of: Of, id: i64) -> i64 {
        let place = usize::try_from(-1 - id).ok();
        let taken = place.and_then(|place| self.0[of as usize].get(place));
        taken.copied().unwrap_or(id)
    }

    /// Returns the id of a person in place of a provisional one.
    pub fn person(&self, id: PersonId) -> PersonId {
        PersonId(self.real(Of::People, id.0))
    }

    fn cover(&self, id: CoverId) -> CoverId {
        CoverId(self.real(Of::Covers, id.0))
    }

    fn series(&self, id: SeriesId) -> SeriesId {
        SeriesId(self.real(Of::Series, id.0))
    }

    fn patch(&self, id: PatchId) -> PatchId {
        PatchId(self.real(Of::Patches, id.0))
    }

    fn comment(&self, id: CommentId) -> CommentId {
        CommentId(self.real(Of::Comments, id.0))
    }

    fn parent(&self, parent: Parent) -> Parent {
        match parent {
            Parent::Patch(id) => Parent::Patch(self.patch(id)),
            Parent::Cover(id) => Parent::Cover(self.cover(id)),
        }
    }

    fn became(&self, became: Became) -> Became {
        match became {
            Became::Patch(id) => Became::Patch(self.patch(id)),
            Became::Cover(id) => Became::Cover(self.cover(id)),
            Became::Comment(id) => Became::Comment(self.comment(id)),
            Became::Nothing(why) => Became::Nothing(why),
        }
    }

    /// Returns what is new of a mail, with its real id.
    pub fn numbered(&self, outcome: &Outcome) -> Option<(Kind, i64)> {
        match outcome {
            Outcome::Patch(id) => Some((Kind::Patch, self.patch(*id).0)),
            Outcome::Cover(id) => Some((Kind::Cover, self.cover(*id).0)),
            Outcome::Comment(id) => Some((Kind::Comment, self.comment(*id).0)),
            _ => None,
        }
    }

    /// Returns what became of a mail, with real ids.
    pub fn outcome(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Patch(id) => Outcome::Patch(self.patch(id)),
            Outcome::Cover(id) => Outcome::Cover(self.cover(id)),
            Outcome::Comment(id) => Outcome::Comment(self.comment(id)),
            other => other,
        }
    }
}
