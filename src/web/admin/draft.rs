//! What a form holds: values by field, spelled as texts; read from a row or from what was sent, and written.

use maud::{Markup, html};

use super::{
    super::{
        error::Result,
        field::{self, Faults},
        form::Form,
        guard::View,
        parts,
    },
    model::{Edit, Field, Kind, Model},
};
use crate::{
    domain::{Timestamp, person, project::is_linkname},
    store::{
        self, Conn, Value,
        admin::{self, Cell, Cells},
        audit::Change,
    },
};

/// The values of a form's fields.
#[derive(Clone)]
pub struct Draft {
    fields: &'static [Field],
    texts: Vec<String>,
}

impl Draft {
    /// An empty form.
    pub fn empty(model: &'static Model) -> Draft {
        let fields = model.fields;
        Draft {
            fields,
            texts: fields
                .iter()
                .map(|field| field.initial.to_owned())
                .collect(),
        }
    }

    /// Takes a row: its id, then the columns of [`columns`].
    pub fn of(model: &'static Model, row: &Cells) -> Draft {
        let mut draft = Draft::empty(model);
        let mut at = 0;
        for (field, text) in draft.fields.iter().zip(&mut draft.texts) {
            if matches!(field.kind, Kind::Secret) {
                continue;
            }
            at += 1;
            *text = spelled(field, row.get(at));
        }
        draft
    }

    /// Takes what was sent. What cannot be edited stays as it is in `before`.
    pub async fn sent(
        conn: &mut Conn,
        model: &'static Model,
        before: Option<&Draft>,
        form: &Form<'_>,
        faults: &mut Faults,
    ) -> Result<Draft> {
        let mut draft = before.cloned().unwrap_or_else(|| Draft::empty(model));
        for (at, field) in model.fields.iter().enumerate() {
            if is_editable(field, before.is_none()) {
                draft.texts[at] = taken(conn, field, form, faults).await?;
            }
        }
        Ok(draft)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// Returns the text of a field; empty for none.
    pub fn get(&self, name: &str) -> &str {
        self.place(name).map_or("", |at| self.texts[at].as_str())
    }

    /// Returns a field as a number.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name).parse().ok()
    }

    /// Says whether a field is ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        self.get(name) == "1"
    }

    /// Puts a text into a field.
    pub fn set(&mut self, name: &str, text: &str) {
        if let Some(at) = self.place(name) {
            self.texts[at] = text.to_owned();
        }
    }

    /// Returns columns and values to be written: those that differ from `before`, all for none.
    pub fn values(&self, before: Option<&Draft>) -> Vec<(&'static str, Value)> {
        let changed = |at: &usize| before.is_none_or(|before| before.texts[*at] != self.texts[*at]);
        let kept = |at: &usize| {
            let field = &self.fields[*at];
            !matches!(field.kind, Kind::Secret) && field.edit != Edit::Never
        };
        let places = (0..self.fields.len()).filter(|at| changed(at) && kept(at));
        places
            .map(|at| {
                (
                    self.fields[at].name,
                    value(&self.fields[at], &self.texts[at]),
                )
            })
            .collect()
    }

    /// Returns a field and its value.
    pub fn value(&self, name: &'static str) -> (&'static str, Value) {
        match self.place(name) {
            Some(at) => (name, value(&self.fields[at], &self.texts[at])),
            None => (name, Value::Text(None)),
        }
    }

    /// Says whether a field differs.
    pub fn differs(&self, before: &Draft, name: &str) -> bool {
        self.get(name) != before.get(name)
    }

    /// Returns what differs, for the log.
    pub async fn changes(&self, conn: &mut Conn, before: Option<&Draft>) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        for (at, field) in self.fields.iter().enumerate() {
            let old = before.map_or("", |before| before.texts[at].as_str());
            let new = self.texts[at].as_str();
            if matches!(field.kind, Kind::Secret) {
                // That it was changed is told, not to what.
                if before.is_some() && old != new {
                    changes.push(Change::new(field.label, "", "another one"));
                }
                continue;
            }
            if old != new {
                let old = said(conn, field, old).await?;
                let new = said(conn, field, new).await?;
                changes.push(Change::new(field.label, old, new));
            }
        }
        Ok(changes)
    }

    /// Returns what tells this state of a thing from others: a form carries it, so that nobody overwrites what another
    /// has changed meanwhile.
    pub fn version(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut digest = Sha256::new();
        for text in &self.texts {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        }
        digest.finalize()[..12]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Draws the fields.
    pub async fn drawn(
        &self,
        conn: &mut Conn,
        view: &View<'_>,
        faults: &Faults,
        is_new: bool,
        is_open: bool,
    ) -> Result<Markup> {
        let mut parts = Vec::new();
        for (at, field) in self.fields.iter().enumerate() {
            if is_new && field.edit == Edit::Never {
                continue;
            }
            let text = &self.texts[at];
            parts.push(if is_open && is_editable(field, is_new) {
                control(conn, view, field, text, faults).await?
            } else if matches!(field.kind, Kind::Secret) {
                Markup::default()
            } else {
                let said = said(conn, field, text).await?;
                let at = matches!(field.kind, Kind::Moment).then(|| moment(text)).flatten();
                html! { div.entry.shown { span.label-of { (field.label) } output { @if let Some(at) = at { (parts::moment(at)) } @else { (said) } @if said.is_empty() { span.none { "-" } } } } }
            });
        }
        Ok(html! { @for part in parts { (part) } })
    }

    /// Draws the fields as hidden ones.
    pub fn hidden(&self, is_new: bool) -> Markup {
        html! {
            @for (at, field) in self.fields.iter().enumerate() {
                @if is_editable(field, is_new) && !matches!(field.kind, Kind::Secret) {
                    input type="hidden" name=(field.name) value=(self.texts[at]);
                }
            }
        }
    }
}

/// Returns the columns that [`Draft::of`] takes.
pub fn columns(model: &Model) -> Vec<&'static str> {
    let kept = model
        .fields
        .iter()
        .filter(|field| !matches!(field.kind, Kind::Secret));
    kept.map(|field| field.name).collect()
}

fn is_editable(field: &Field, is_new: bool) -> bool {
    match field.edit {
        Edit::Always => true,
        Edit::Once => is_new,
        Edit::Never => false,
    }
}

fn spelled(field: &Field, cell: &Cell) -> String {
    match (&field.kind, cell) {
        (_, Cell::Null) => String::new(),
        (Kind::Tick | Kind::Maybe, cell) => i64::from(cell.is_yes()).to_string(),
        (Kind::Moment, cell) => cell.time().map_or_else(String::new, |at| at.iso()),
        (_, cell) => cell.text(),
    }
}

fn value(field: &Field, text: &str) -> Value {
    let is_none = text.is_empty();
    match field.kind {
        Kind::Number(..) | Kind::Row(_) | Kind::Word(_) => Value::Int(text.parse().ok()),
        Kind::Tick => Value::from(text == "1"),
        Kind::Maybe => Value::Bool((!is_none).then_some(text == "1")),
        Kind::Moment => Value::Time(moment(text)),
        _ if is_none && field.nullable => Value::Text(None),
        _ => Value::from(text),
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(at.as_microsecond()))
}

/// Returns a value as people read it.
async fn said(conn: &mut Conn, field: &Field, text: &str) -> Result<String> {
    Ok(match &field.kind {
        Kind::Tick => if text == "1" { "yes" } else { "no" }.to_owned(),
        Kind::Maybe => match text {
            "" => String::new(),
            "1" => "yes".to_owned(),
            _ => "no".to_owned(),
        },
        Kind::Choice(choices) => {
            let found = choices.iter().find(|(kept, _)| *kept == text);
            found.map_or(text, |(_, label)| label).to_owned()
        }
        Kind::Word(words) => {
            let at = text.parse::<usize>().ok();
            at.and_then(|at| words.get(at))
                .map_or(text, |word| word)
                .to_owned()
        }
        Kind::Row(lookup) => match text.parse::<i64>() {
            Ok(id) => admin::shown(conn, lookup, id)
                .await?
                .unwrap_or_else(|| format!("#{id}")),
            Err(_) => text.to_owned(),
        },
        _ => text.to_owned(),
    })
}

/// Reads one field of what was sent.
async fn taken(
    conn: &mut Conn,
    field: &'static Field,
    form: &Form<'_>,
    faults: &mut Faults,
) -> Result<String> {
    let given = form.text(field.name);
    let name = field.name;
    if let Kind::Tick = field.kind {
        return Ok(i64::from(form.is_ticked(name)).to_string());
    }
    if let Kind::Secret = field.kind {
        return Ok(form.raw(name).unwrap_or_default().to_owned());
    }
    if given.is_empty() {
        faults.check(!field.required, name, "This must be filled in.");
        return Ok(String::new());
    }
    let most = |count: usize| (given.chars().count() > count).then_some(count);
    let too_long = |count: usize| format!("At most {count} characters fit.");
    match &field.kind {
        Kind::Line(count) | Kind::Url(count) | Kind::Email(count) | Kind::Slug(count) => {
            if let Some(count) = most(*count) {
                faults.add(name, too_long(count));
            }
            let has_control = given.contains(char::is_control);
            faults.check(!has_control, name, "This has to be a single line.");
        }
        _ => {}
    }
    match &field.kind {
        Kind::Url(_) => faults.check(
            is_url(given),
            name,
            "This has to look like https://host/path.",
        ),
        Kind::Email(_) => faults.check(person::is_email(given), name, "This is no mail address."),
        Kind::Slug(_) => faults.check(
            is_linkname(given),
            name,
            "Only letters, digits, '-' and '_' are taken.",
        ),
        Kind::Number(from, to) => {
            let number = given.parse::<i64>();
            let fits = number.is_ok_and(|number| (*from..=*to).contains(&number));
            if !fits {
                faults.add(
                    name,
                    format!("This has to be a number from {from} to {to}."),
                );
            }
        }
        Kind::Choice(choices) => {
            let is_one = choices.iter().any(|(kept, _)| *kept == given);
            faults.check(is_one, name, "Choose one of the list.");
        }
        Kind::Word(words) => {
            let is_one = given.parse::<usize>().is_ok_and(|at| at < words.len());
            faults.check(is_one, name, "Choose one of the list.");
        }
        Kind::Maybe => faults.check(matches!(given, "0" | "1"), name, "Choose one of the list."),
        Kind::Moment => faults.check(
            moment(given).is_some(),
            name,
            "Write a moment in UTC like 2024-03-05T06:07:08Z.",
        ),
        Kind::Row(lookup) => match admin::find(conn, lookup, given).await? {
            Some(id) => return Ok(id.to_string()),
            None => faults.add(name, "There is none of that number or name."),
        },
        _ => {}
    }
    Ok(given.to_owned())
}

fn is_url(text: &str) -> bool {
    let rest = text.split_once("://");
    let is_web = |scheme: &str| matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https");
    !text.contains(char::is_whitespace)
        && rest.is_some_and(|(scheme, rest)| is_web(scheme) && !rest.is_empty())
}

/// Draws one field to be edited.
pub async fn control(
    conn: &mut Conn,
    view: &View<'_>,
    field: &'static Field,
    text: &str,
    faults: &Faults,
) -> Result<Markup> {
    let plain = |kind: &'static str| {
        let line = field::Field {
            kind,
            hint: field.hint,
            required: field.required,
            ..field::Field::new(field.name, field.label, text)
        };
        line.drawn(faults)
    };
    let pairs = |choices: &[(&str, &str)]| -> Vec<(String, String)> {
        let owned = choices.iter();
        owned
            .map(|(kept, label)| ((*kept).to_owned(), (*label).to_owned()))
            .collect()
    };
    Ok(match &field.kind {
        Kind::Line(_) | Kind::Slug(_) | Kind::Moment => plain("text"),
        Kind::Url(_) => plain("url"),
        Kind::Email(_) => plain("email"),
        Kind::Number(..) => plain("number"),
        Kind::Secret => field::Field {
            hint: field.hint,
            required: field.required,
            ..field::Field::password(field.name, field.label, "new-password")
        }
        .drawn(faults),
        Kind::Tick => html! {
            div.entry {
                label.tick {
                    input id={ "id_" (field.name) } type="checkbox" name=(field.name) value="True" checked[text == "1"]
                        aria-invalid=[is_wrong(field, faults)] aria-describedby=[described(field, faults)];
                    " " (field.label)
                }
                (notes(field, faults))
            }
        },
        Kind::Choice(choices) => select(field, text, pairs(choices), faults),
        Kind::Word(words) => {
            let numbered = words.iter().enumerate();
            let choices = numbered.map(|(at, word)| (at.to_string(), (*word).to_owned()));
            select(field, text, choices.collect(), faults)
        }
        Kind::Maybe => select(field, text, pairs(&[("1", "yes"), ("0", "no")]), faults),
        Kind::Row(lookup) => row(conn, view, field, lookup, text, faults).await?,
    })
}

async fn row(
    conn: &mut Conn,
    _: &View<'_>,
    field: &'static Field,
    lookup: &admin::Lookup,
    text: &str,
    faults: &Faults,
) -> Result<Markup> {
    if let Some(choices) = admin::options(conn, lookup).await? {
        let mut choices: Vec<(String, String)> = choices
            .into_iter()
            .map(|(id, name)| (id.to_string(), name))
            .collect();
        // What is chosen stays to be chosen, even if nobody would be offered it any more.
        if let Ok(id) = text.parse::<i64>()
            && choices.iter().all(|(kept, _)| kept != text)
            && let Some(name) = admin::shown(conn, lookup, id).await?
        {
            choices.push((text.to_owned(), name));
        }
        return Ok(select(field, text, choices, faults));
    }
    let name = match text.parse::<i64>() {
        Ok(id) => store::admin::shown(conn, lookup, id).await?,
        Err(_) => None,
    };
    Ok(framed(
        field,
        faults,
        html! {
            input id={ "id_" (field.name) } type="text" name=(field.name) value=(text) required[field.required]
                autocapitalize="none" aria-invalid=[is_wrong(field, faults)] aria-describedby=[described(field, faults)];
            @if let Some(name) = name { p.now { (name) } }
        },
    ))
}

fn select(field: &Field, text: &str, choices: Vec<(String, String)>, faults: &Faults) -> Markup {
    framed(
        field,
        faults,
        html! {
            select id={ "id_" (field.name) } name=(field.name) required[field.required]
                aria-invalid=[is_wrong(field, faults)] aria-describedby=[described(field, faults)] {
                @if !field.required || text.is_empty() { option value="" { "-" } }
                @for (kept, label) in choices { option value=(kept) selected[kept == text] { (label) } }
            }
        },
    )
}

fn framed(field: &Field, faults: &Faults, control: Markup) -> Markup {
    html! {
        div.entry {
            label for={ "id_" (field.name) } { (field.label) @if !field.required { span.muted { " (optional)" } } }
            (control)
            (notes(field, faults))
        }
    }
}

fn notes(field: &Field, faults: &Faults) -> Markup {
    let wrong = faults.of(field.name);
    html! {
        @if !field.hint.is_empty() { p.hint id={ (field.name) "-hint" } { (field.hint) } }
        @if !wrong.is_empty() { p.wrong id={ (field.name) "-error" } { (wrong.join(" ")) } }
    }
}

fn is_wrong(field: &Field, faults: &Faults) -> Option<&'static str> {
    (!faults.of(field.name).is_empty()).then_some("true")
}

fn described(field: &Field, faults: &Faults) -> Option<String> {
    let mut ids = Vec::new();
    if !faults.of(field.name).is_empty() {
        ids.push(format!("{}-error", field.name));
    }
    if !field.hint.is_empty() {
        ids.push(format!("{}-hint", field.name));
    }
    (!ids.is_empty()).then(|| ids.join(" "))
}
