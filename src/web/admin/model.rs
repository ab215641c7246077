//! What describes a kind of things to the console: columns, filters, fields, what goes with a delete, what else can be
//! done. `list.rs`, `form.rs`, `delete.rs` and `history.rs` show whatever is described so; only described things exist.
//!
//! To add one: a file for the noun with a `pub static MODEL`, and a line in [`ALL`].

use std::pin::Pin;

use maud::Markup;

use super::{
    super::{error::Result, field::Faults, form::Form, guard::View},
    access::Access,
    draft::Draft,
    work::Work,
};
use crate::{
    domain::permission::Deed,
    ingest,
    store::{
        Conn, Db,
        admin::{Lookup, Table},
    },
};

/// Every kind of things, in the order of the menu.
pub static ALL: [&Model; 31] = [
    &super::project::MODEL,
    &super::state::MODEL,
    &super::tag::MODEL,
    &super::webhook::MODEL,
    &super::user::MODEL,
    &super::group::MODEL,
    &super::token::MODEL,
    &super::session::MODEL,
    &super::site::MODEL,
    &super::person::MODEL,
    &super::optout::MODEL,
    &super::confirmation::MODEL,
    &super::patch::MODEL,
    &super::cover::MODEL,
    &super::comment::OF_PATCHES,
    &super::comment::OF_COVERS,
    &super::series::MODEL,
    &super::reference::MODEL,
    &super::relation::MODEL,
    &super::bundle::MODEL,
    &super::check::MODEL,
    &super::event::MODEL,
    &super::notification::MODEL,
    &super::mail::MODEL,
    &super::quarantine::MODEL,
    &super::outbox::MODEL,
    &super::webhook::DELIVERIES,
    &super::job::MODEL,
    &super::audit::MODEL,
    &super::alias::OF_PEOPLE,
    &super::alias::OF_PROJECTS,
];

/// Where a kind of things stands in the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What a site is set up with.
    Setup,
    /// Accounts and people.
    People,
    /// What came by mail, and what was said of it.
    Content,
    /// What goes on inside.
    System,
}

impl Part {
    /// All parts, in the order of the menu.
    pub const ALL: [Part; 4] = [Part::Setup, Part::People, Part::Content, Part::System];

    /// Returns its title.
    pub fn title(self) -> &'static str {
        match self {
            Part::Setup => "Set-up",
            Part::People => "People",
            Part::Content => "Content",
            Part::System => "System",
        }
    }
}

/// A kind of things.
pub struct Model {
    /// The first part of its address.
    pub app: &'static str,
    /// The second part.
    pub name: &'static str,
    /// What one is called.
    pub one: &'static str,
    /// What several are called.
    pub many: &'static str,
    /// Where it stands in the menu.
    pub part: Part,
    /// Its rows.
    pub table: &'static Table,
    /// The columns of its list; the first one leads to the object.
    pub columns: &'static [Column],
    /// What its list can be filtered by.
    pub filters: &'static [Filter],
    /// The fields of its form.
    pub fields: &'static [Field],
    /// Which fields are unique together, and what to say if they are not.
    pub unique: &'static [Unique],
    /// What goes with a delete.
    pub losses: &'static [Loss],
    /// What the console offers at all, whoever asks.
    pub deeds: &'static [Deed],
    /// What else can be done.
    pub actions: &'static [Action],
    /// Whether every change asks for the password if that was entered long ago.
    pub is_grave: bool,
    /// What is told above the list.
    pub about: &'static str,
    /// What is special about it.
    pub noun: &'static dyn Noun,
}

/// What most kinds of things have in common.
pub const PLAIN: Model = Model {
    app: "patchwork",
    name: "",
    one: "",
    many: "",
    part: Part::Content,
    table: &Table {
        base: "",
        kind: crate::store::admin::Key::Number,
        key: "t.id",
        label: "",
        columns: "",
        joins: "",
        only: "",
        words: &[],
        order: "t.id",
    },
    columns: &[],
    filters: &[],
    fields: &[],
    unique: &[],
    losses: &[],
    deeds: &Deed::ALL,
    actions: &[],
    is_grave: false,
    about: "",
    noun: &Common,
};

impl Model {
    /// Returns the one at an address.
    pub fn at(app: &str, name: &str) -> Option<&'static Model> {
        // Compatibility: older sites had tokens under two names.
        let name = match (app, name) {
            ("authtoken", "tokenproxy") => "token",
            (_, name) => name,
        };
        let found = ALL
            .iter()
            .find(|model| (model.app, model.name) == (app, name));
        found.copied()
    }

    /// Returns its address below `/admin/`.
    pub fn path(&self) -> String {
        format!("{}/{}/", self.app, self.name)
    }

    /// Returns the name under which the log of administration knows it.
    pub fn logged_as(&self) -> String {
        format!("{}.{}", self.app, self.name)
    }

    /// Says whether the console offers something at all.
    pub fn offers(&self, deed: Deed) -> bool {
        self.deeds.contains(&deed)
    }

    /// Returns what it is called after a number.
    pub fn counted(&self, count: usize) -> String {
        let name = if count == 1 { self.one } else { self.many };
        format!("{count} {}", name.to_lowercase())
    }
}

/// How a value is shown in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// As it is.
    Text,
    /// Aligned to the right.
    Number,
    /// A sign for yes.
    Yes,
    /// To the minute.
    Moment,
    /// In the type of code.
    Code,
    /// The word for a number: what stands at its place.
    Word(&'static [&'static str]),
}

/// A column of a list.
pub struct Column {
    /// Its head.
    pub head: &'static str,
    /// How it is shown.
    pub show: Show,
    /// What it is sorted by, as an expression of the table alone; empty if it cannot be.
    pub sort: &'static str,
}

impl Column {
    /// A column of texts.
    pub const fn text(head: &'static str, sort: &'static str) -> Column {
        Column::new(head, Show::Text, sort)
    }

    /// A column.
    pub const fn new(head: &'static str, show: Show, sort: &'static str) -> Column {
        Column { head, show, sort }
    }
}

/// What a list can be filtered by.
pub struct Filter {
    /// Its key in addresses.
    pub key: &'static str,
    /// Its label.
    pub label: &'static str,
    /// How it works.
    pub by: By,
}

/// How a filter works.
pub enum By {
    /// Yes or no: what stands before the value.
    Yes(&'static str),
    /// One of a few: word in addresses, label, condition.
    Choice(&'static [(&'static str, &'static str, &'static str)]),
    /// A row of another table: what stands before its id, what closes it.
    Row(&'static Lookup, &'static str, &'static str),
    /// Exactly this text, ignoring case: what stands before, what closes it.
    Text(&'static str, &'static str),
    /// A year, month or day: `t.date`.
    Date(&'static str, &'static str),
}

/// A field of a form.
pub struct Field {
    /// Its name, and that of the column.
    pub name: &'static str,
    /// What stands above it.
    pub label: &'static str,
    /// What helps to fill it in.
    pub hint: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether it must be filled in.
    pub required: bool,
    /// Whether the column has nothing where the field is empty.
    pub nullable: bool,
    /// Where it can be edited.
    pub edit: Edit,
    /// What is in it to begin with.
    pub initial: &'static str,
}

/// Where a field can be edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Always.
    Always,
    /// Only while the thing is made.
    Once,
    /// Never: it is shown.
    Never,
}

/// What a field takes.
pub enum Kind {
    /// A line with at most so many characters.
    Line(usize),
    /// An address of a page.
    Url(usize),
    /// A mail address.
    Email(usize),
    /// Letters, digits, `-` and `_`.
    Slug(usize),
    /// A number within bounds.
    Number(i64, i64),
    /// Yes or no.
    Tick,
    /// One of a few: what is kept, and its label.
    Choice(&'static [(&'static str, &'static str)]),
    /// A number that stands for one of a few: the place is the number.
    Word(&'static [&'static str]),
    /// Unset, no or yes.
    Maybe,
    /// A row of another table.
    Row(&'static Lookup),
    /// A moment.
    Moment,
    /// A new password, never shown; written by the noun.
    Secret,
}

/// A line that must be filled in.
pub const LINE: Field = Field {
    name: "",
    label: "",
    hint: "",
    kind: Kind::Line(255),
    required: true,
    nullable: false,
    edit: Edit::Always,
    initial: "",
};

/// Something that is only shown.
pub const SHOWN: Field = Field {
    edit: Edit::Never,
    required: false,
    ..LINE
};

/// Something to tick.
pub const TICK: Field = Field {
    kind: Kind::Tick,
    required: false,
    ..LINE
};

/// Fields that are unique together.
pub struct Unique {
    /// Their names; the first one gets the message.
    pub fields: &'static [&'static str],
    /// What to say.
    pub fault: &'static str,
}

/// What happens to other rows when one is deleted.
pub struct Loss {
    /// What they are called.
    pub what: &'static str,
    /// What happens to them.
    pub fate: Fate,
    /// How many there are: the id follows.
    pub count: &'static str,
}

/// What happens to rows when what they belong to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They are deleted.
    Go,
    /// They stay, and lose what they refer to.
    Stay(&'static str),
    /// As long as they are there, nothing can be deleted.
    Block,
}

/// Something that can be done with things.
pub struct Action {
    /// Its name in forms.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// What one has to be allowed to.
    pub deed: Deed,
    /// Where it is offered.
    pub on: On,
    /// What it needs to know.
    pub fields: &'static [Field],
}

/// Where an action is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// For rows chosen in the list.
    Rows,
    /// For the thing whose form is shown, and for rows chosen in the list.
    Each,
    /// For the thing whose form is shown, in a part of the page that the noun draws.
    Own,
    /// For the list as a whole.
    All,
}

/// What came of an action.
pub enum Acted {
    /// It was done; this is told.
    Done(String),
    /// It was not done: this is why.
    Refused(String),
    /// It is not finished: a page tells more.
    Page(Markup),
    /// What has to have its own transactions, after this one has ended; returns what is told.
    After(Box<dyn FnOnce(Db, ingest::Options) -> Later + Send>),
}

/// Work that goes on after a transaction.
pub type Later = Pin<Box<dyn Future<Output = Result<String>> + Send>>;

/// What is special about a kind of things. What most have in common is done here.
#[rocket::async_trait]
pub trait Noun: Sync + Send {
    /// Says what is wrong with what was entered, beyond what the fields say themselves.
    async fn check(
        &self,
        _: &mut Work<'_>,
        _: &Draft,
        _: Option<&str>,
        _: &mut Faults,
    ) -> Result<()> {
        Ok(())
    }

    /// Makes one, and returns its id.
    async fn insert(&self, work: &mut Work<'_>, draft: &Draft) -> Result<String> {
        work.insert(draft, Vec::new()).await
    }

    /// Changes one, from `before` to what was entered.
    async fn update(
        &self,
        work: &mut Work<'_>,
        id: &str,
        draft: &Draft,
        before: &Draft,
    ) -> Result<()> {
        work.update(id, draft.values(Some(before))).await
    }

    /// Draws what else there is to see and to do below the form.
    async fn more(&self, _: &mut Conn, _: &View<'_>, _: &Access, _: &str) -> Result<Markup> {
        Ok(Markup::default())
    }

    /// Draws what else there is to see and to do above the list.
    async fn above(&self, _: &mut Conn, _: &View<'_>, _: &Access) -> Result<Markup> {
        Ok(Markup::default())
    }

    /// Does what an action is for.
    async fn act(&self, _: &mut Work<'_>, _: &str, _: &[String], _: &Form<'_>) -> Result<Acted> {
        Ok(Acted::Refused("There is no such action.".into()))
    }

    /// Says why things cannot be deleted, if so.
    async fn obstacle(&self, _: &mut Conn, _: &Access, _: &[String]) -> Result<Option<String>> {
        Ok(None)
    }

    /// Draws what else a delete has to know.
    async fn farewell(&self, _: &mut Conn, _: &[String]) -> Result<Markup> {
        Ok(Markup::default())
    }

    /// Deletes things. Says why not, if so.
    async fn delete(
        &self,
        work: &mut Work<'_>,
        ids: &[String],
        _: &Form<'_>,
    ) -> Result<Option<String>> {
        for id in ids {
            let label = work.label(id).await?;
            self.remove(work, id).await?;
            work.log(crate::store::audit::Action::Deleted, id, &label, &[])
                .await?;
        }
        Ok(None)
    }

    /// Takes one away, with all that has to be done besides.
    async fn remove(&self, work: &mut Work<'_>, id: &str) -> Result<()> {
        work.remove_row(id).await
    }

    /// Returns the address of the thing on the site, if it has one.
    async fn address(&self, _: &mut Conn, _: &View<'_>, _: &str) -> Result<Option<String>> {
        Ok(None)
    }
}

/// A kind of things with nothing special.
pub struct Common;

impl Noun for Common {}
