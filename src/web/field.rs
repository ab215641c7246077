//! Fields of forms: a label above, what is wrong below, both tied to the field (`web.md §1.5`).

use maud::{Markup, html};

use super::{answer::Answer, error::too_often, guard::View};

/// What is wrong with a form, by field. The empty name means the form as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    found: Vec<(&'static str, String)>,
    /// In so many seconds it may be tried again, if it was tried too often.
    wait: Option<i64>,
}

impl Faults {
    /// Notes what is wrong with a field.
    pub fn add(&mut self, field: &'static str, what: impl Into<String>) {
        self.found.push((field, what.into()));
    }

    /// Notes what is wrong with a field unless it is right.
    pub fn check(&mut self, is_right: bool, field: &'static str, what: &str) {
        if !is_right {
            self.add(field, what);
        }
    }

    /// Notes that a field was tried too often, and may be tried again after so many seconds.
    pub fn too_often(&mut self, field: &'static str, seconds: i64) {
        self.add(field, too_often(seconds));
        self.wait = Some(seconds);
    }

    /// Says whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Says whether something was tried too often.
    pub fn is_too_often(&self) -> bool {
        self.wait.is_some()
    }

    /// Returns the form, drawn once more with what is wrong and what was entered, as an answer.
    pub fn answer(&self, form: Markup) -> Answer {
        match self.wait {
            Some(seconds) => Answer::Later(form, seconds),
            None => Answer::Invalid(form),
        }
    }

    /// Returns what is wrong with a field.
    pub fn of(&self, field: &str) -> Vec<&str> {
        let found = self.found.iter().filter(|(name, _)| *name == field);
        found.map(|(_, what)| what.as_str()).collect()
    }
}

/// A field of a form.
pub struct Field<'a> {
    /// Its name.
    pub name: &'static str,
    /// What stands above it.
    pub label: &'a str,
    /// The type of the input: `text`, `email`, `password`, `number`, `url`.
    pub kind: &'static str,
    /// What is in it.
    pub value: &'a str,
    /// What helps to fill it in; may be empty.
    pub hint: &'a str,
    /// For password managers: `username`, `current-password`; may be empty.
    pub autocomplete: &'static str,
    /// Whether it must be filled in.
    pub required: bool,
    /// The id of a list of proposals; may be empty.
    pub list: &'static str,
}

impl<'a> Field<'a> {
    /// A line of text that must be filled in.
    pub fn new(name: &'static str, label: &'a str, value: &'a str) -> Field<'a> {
        Field {
            name,
            label,
            kind: "text",
            value,
            hint: "",
            autocomplete: "",
            required: true,
            list: "",
        }
    }

    /// A password; what was entered is never sent back.
    pub fn password(name: &'static str, label: &'a str, autocomplete: &'static str) -> Field<'a> {
        Field {
            kind: "password",
            autocomplete,
            ..Field::new(name, label, "")
        }
    }

    /// Draws it, with what is wrong with it.
    pub fn drawn(&self, faults: &Faults) -> Markup {
        let wrong = faults.of(self.name);
        let (error, hint) = (
            format!("{}-error", self.name),
            format!("{}-hint", self.name),
        );
        // What is wrong may be just what the hint says.
        let hinted = !self.hint.is_empty() && !wrong.contains(&self.hint);
        let mut described = Vec::new();
        if !wrong.is_empty() {
            described.push(error.as_str());
        }
        if hinted {
            described.push(hint.as_str());
        }
        let described = described.join(" ");
        html! {
            div.entry {
                label for={ "id_" (self.name) } { (self.label) @if !self.required { span.muted { " (optional)" } } }
                input id={ "id_" (self.name) } type=(self.kind) name=(self.name)
                    value=[(self.kind != "password").then_some(self.value)]
                    list=[(!self.list.is_empty()).then_some(self.list)]
                    autocomplete=[(!self.autocomplete.is_empty()).then_some(self.autocomplete)]
                    autocapitalize=[(self.kind != "text" || self.autocomplete == "username").then_some("none")]
                    required[self.required] aria-invalid=[(!wrong.is_empty()).then_some("true")]
                    aria-describedby=[(!described.is_empty()).then_some(described.as_str())];
                @if hinted { p.hint id=(hint) { (self.hint) } }
                @if !wrong.is_empty() { p.wrong id=(error) { (wrong.join(" ")) } }
            }
        }
    }
}

/// Draws a box to tick.
pub fn tick(name: &str, label: &str, is_ticked: bool) -> Markup {
    html! {
        label.tick { input type="checkbox" name=(name) value="True" checked[is_ticked]; " " (label) }
    }
}

/// Draws what is wrong with a form as a whole.
pub fn problems(faults: &Faults) -> Markup {
    let wrong = faults.of("");
    html! {
        @if !wrong.is_empty() {
            div.problems role="alert" { @for what in wrong { p { (what) } } }
        }
    }
}

/// Draws a form that does one thing: a button, and what it sends besides.
pub fn button(view: &View, action: &str, label: &str, fields: &[(&str, &str)]) -> Markup {
    html! {
        form.inline method="post" action=(action) {
            (view.csrf())
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button type="submit" { (label) }
        }
    }
}
