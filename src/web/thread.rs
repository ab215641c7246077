//! What the pages of patches and covers share: finding them by message id, the message, the replies, the series.

use maud::{Markup, html};

use super::{
    Db, Error,
    answer::Answer,
    comment,
    error::{Missing, Result},
    guard::View,
    id::{Action, Asked},
    parts,
    reply::{self, Letter},
    text,
};
use crate::{
    domain::{CoverId, MessageId, PatchId, SeriesId, comment::Comment, project::Project, series},
    store::{
        series::Member,
        state::Vocabulary,
        submission::{self, Kind},
    },
};

/// Returns where an id leads that is not of the kind its address says (`web.md §1.2`).
pub async fn elsewhere(
    db: &mut Db<'_>,
    view: &View<'_>,
    project: &Project,
    asked: &Asked,
) -> Result<Answer> {
    let places = submission::by_message_id(db, &asked.ids()).await?;
    let here: Vec<_> = places
        .iter()
        .filter(|place| place.linkname == project.linkname)
        .cloned()
        .collect();
    if let Some((action, place)) = asked.choose(here, |place| &place.asked) {
        let action = match place.kind {
            // A cover has no diff, so its page has to do.
            Kind::Cover if action == Action::Raw => "",
            Kind::Patch | Kind::Cover => action.path(),
            Kind::PatchComment(_) | Kind::CoverComment(_) => "",
        };
        return Ok(Answer::Found(comment::address(view, &place, action)));
    }
    let id = asked.likely();
    let mut ways: Vec<(String, String)> = places
        .iter()
        .map(|place| {
            (
                format!("It is in project {}", place.project),
                comment::address(view, place, ""),
            )
        })
        .collect();
    if let Some(archive) = project.archive_url(id) {
        ways.push(("Look in the list's archive".into(), archive));
    }
    ways.push((
        format!("All patches of {}", project.name),
        view.links().list(&project.linkname),
    ));
    let text = match places.is_empty() {
        true => format!(
            "No mail with the message id {} has been received for {}.",
            id.bare(),
            project.name
        ),
        false => format!("The mail {} belongs to another project.", id.bare()),
    };
    Err(Error::Missing(Some(Missing {
        text,
        ways,
        no_project: false,
    })))
}

/// Draws the message of a patch or a cover, its headers folded.
pub fn message(project: &Project, title: &str, content: &str, headers: &str) -> Markup {
    html! {
        section.message #message {
            header { h2 { (title) } }
            @if content.trim().is_empty() { p.muted { "No text." } } @else { (text::message(content, project)) }
            details.headers {
                summary { "All headers" }
                (text::plain(headers))
            }
        }
    }
}

/// Draws the replies, numbered, each with the anchor that old links have.
pub fn replies(
    view: &View,
    letter: &Letter,
    comments: &[Comment],
    mark: &mut dyn FnMut(&Comment) -> Mark,
) -> Markup {
    html! {
        section.replies #replies {
            header { h2 { "Replies" span.n { (comments.len()) } } }
            @if comments.is_empty() { p.muted { "No replies yet." } }
            @for (at, comment) in comments.iter().enumerate() {
                (reply(view, letter, comment, at + 1, mark(comment)))
            }
        }
    }
}

/// Whether the reader may say that what a comment asks for is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Not at all.
    No,
    /// Or that it is not.
    Yes,
    /// Or that it never asked for anything.
    AndClear,
}

/// The buttons that mark a comment.
fn marks(view: &View, comment: &Comment, mark: Mark) -> Markup {
    let address = view.links().comment(comment.id);
    let button = |label, value| {
        html! {
            form.inline method="post" action=(address) hx-post=(address) {
                (view.csrf())
                input type="hidden" name="addressed" value=(value);
                button type="submit" { (label) }
            }
        }
    };
    html! {
        @if mark != Mark::No {
            @match comment.addressed {
                Some(false) => (button("Mark addressed", "true")),
                Some(true) => (button("Mark unaddressed", "false")),
                None => (button("Mark action required", "false")),
            }
            @if mark == Mark::AndClear && comment.addressed.is_some() { (button("Clear mark", "")) }
        }
    }
}

fn reply(view: &View, letter: &Letter, comment: &Comment, number: usize, mark: Mark) -> Markup {
    html! {
        article.reply id=(comment.id) aria-label={ "Reply " (number) } {
            (reply_head(view, letter, comment, number, mark))
            (text::message(comment.content.as_deref().unwrap_or_default(), letter.project))
        }
    }
}

/// The line above a reply: part of the page, and alone the answer to its buttons.
fn reply_head(
    view: &View,
    letter: &Letter,
    comment: &Comment,
    number: usize,
    mark: Mark,
) -> Markup {
    let project = letter.project;
    // Only who can press a button needs to know what it changes.
    let target = (mark != Mark::No).then_some("this");
    html! {
            header id={ "by-" (comment.id) } hx-target=[target] hx-swap=[target.map(|_| "outerHTML")] {
                p.by {
                    (parts::submitter(view, project, comment.submitter_id, comment.submitter_name.as_deref(), &comment.submitter_email))
                    " · " (parts::moment(comment.date))
                    (addressed(comment.addressed))
                }
                div.tools {
                    (marks(view, comment, mark))
                    a href=(view.links().comment(comment.id)) title="Permanent link" { "#" (number) }
                    a href={ (view.links().comment(comment.id)) "mail/" } { "mail" }
                    a href=(reply::to_comment(letter, comment)) title="Answer by mail" { "reply" }
                }
            }
    }
}

/// Draws anew what marking a comment changes, if that is what the answer is put in place of.
pub fn marked(
    view: &View,
    letter: &Letter,
    comments: &[Comment],
    target: &str,
    mark: &mut dyn FnMut(&Comment) -> Mark,
) -> Option<Markup> {
    let id = target.strip_prefix("by-")?;
    let at = comments
        .iter()
        .position(|comment| comment.id.to_string() == id)?;
    let comment = &comments[at];
    Some(html! {
        (reply_head(view, letter, comment, at + 1, mark(comment)))
        (count(view, comments))
    })
}

/// The link to the replies, with how many there are and how many ask for action.
pub fn count(view: &View, comments: &[Comment]) -> Markup {
    let open = comments
        .iter()
        .filter(|comment| comment.addressed == Some(false));
    let open = open.count();
    html! {
        a #reply-count href="#replies" data-key="3" hx-swap-oob=[view.fragment.map(|_| "true")] {
            "Replies " (comments.len()) @if open > 0 { " (" (open) " open)" }
        }
    }
}

fn addressed(addressed: Option<bool>) -> Markup {
    match addressed {
        None => html! {},
        Some(false) => html! { " " span.label.todo { "action required" } },
        Some(true) => html! { " " span.label { "addressed" } },
    }
}

/// A patch's or cover's place in its series.
pub struct Place<'a> {
    /// The series.
    pub id: SeriesId,
    /// Its name, if it has one.
    pub name: Option<&'a str>,
    /// Its revision.
    pub version: i64,
    /// Its cover and patches, in order.
    pub members: &'a [Member],
    /// The one that is shown.
    pub current: &'a MessageId,
}

impl Place<'_> {
    fn at(&self) -> Option<usize> {
        self.members
            .iter()
            .position(|member| member.msgid == *self.current)
    }

    fn name(&self) -> String {
        series::shown(self.name, self.id)
    }
}

fn member_address(view: &View, project: &Project, member: &Member) -> String {
    match member.patch_id {
        Some(_) => view.links().patch(&project.linkname, &member.msgid),
        None => view.links().cover(&project.linkname, &member.msgid),
    }
}

/// Draws the way from the project to this page, and to the neighbours in the series.
pub fn crumbs(view: &View, project: &Project, place: Option<&Place>, here: &str) -> Markup {
    html! {
        div.crumbs {
            nav aria-label="Breadcrumb" {
                ol {
                    li { a href=(view.links().list(&project.linkname)) data-key="u" { (project.name) } }
                    @if let Some(place) = place {
                        li.grow {
                            a href=(view.links().series(&project.linkname, place.id)) { (place.name()) }
                            @if place.version > 1 { " " span.version { "v" (place.version) } }
                        }
                    }
                    li aria-current="page" { (here) }
                }
            }
            @if let Some(place) = place {
                @if let Some(at) = place.at() {
                    nav.neighbours aria-label="Series" {
                        @if let Some(before) = at.checked_sub(1).and_then(|at| place.members.get(at)) {
                            a rel="prev" data-key="[" href=(member_address(view, project, before)) title=(before.name) { "‹ Previous" }
                        }
                        @if let Some(after) = place.members.get(at + 1) {
                            a rel="next" data-key="]" href=(member_address(view, project, after)) title=(after.name) { "Next ›" }
                        }
                    }
                }
            }
        }
    }
}

/// Draws the table of contents of the series, this page not linked.
pub fn contents(view: &View, project: &Project, vocabulary: &Vocabulary, place: &Place) -> Markup {
    html! {
        details.members open[place.members.len() <= 12] {
            summary { "Series" span.n { (place.members.iter().filter(|member| member.patch_id.is_some()).count()) } }
            p { a href=(view.links().series(&project.linkname, place.id)) { (place.name()) } }
            ol {
                @for member in place.members {
                    li {
                        span.no { @match member.number { Some(number) => (number), None => "–" } }
                        @if member.msgid == *place.current {
                            strong aria-current="true" { (parts::named(parts::title(&member.name))) }
                        } @else {
                            a href=(member_address(view, project, member)) { (parts::named(parts::title(&member.name))) }
                        }
                        @if let Some(state) = member.state_id.and_then(|id| vocabulary.state(id)) {
                            span.vh { ", " } small { (state.name) }
                        }
                    }
                }
            }
        }
    }
}

/// Draws lines for copying into a terminal.
pub fn commands(view: &View, mbox: &str, msgid: &MessageId) -> Markup {
    let shazam = format!("b4 shazam {}", quoted(msgid.bare()));
    html! {
        (apply_command(view, mbox))
        div.command { code { (shazam) } (parts::copy(&shazam, "the b4 command")) }
    }
}

/// Draws the line that applies a mailbox.
pub fn apply_command(view: &View, mbox: &str) -> Markup {
    let apply = format!("curl -s {} | git am", quoted(&view.absolute(mbox)));
    html! {
        div.command { code { (apply) } (parts::copy(&apply, "the git am command")) }
    }
}

/// Returns a text as one word of a shell.
pub fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    match text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Draws a message id with its archive and a way to copy it.
pub fn message_id(project: &Project, msgid: &MessageId) -> Markup {
    html! {
        dt { "Message id" }
        dd.msgid {
            code { (msgid.bare()) } (parts::copy_by_key(msgid.bare(), "the message id", "y"))
            @if let Some(url) = project.archive_url(msgid) { div { (parts::outside(&url, "in the archive")) } }
        }
    }
}

/// The number of a patch or cover, for copying.
#[derive(Clone, Copy)]
pub enum Number {
    /// A patch's.
    Patch(PatchId),
    /// A cover's.
    Cover(CoverId),
}

/// Draws the number with its short address.
pub fn number(view: &View, number: Number) -> Markup {
    let (id, address) = match number {
        Number::Patch(id) => (id.0, view.links().patch_number(id)),
        Number::Cover(id) => (id.0, view.links().cover_number(id)),
    };
    html! {
        dt { "Id" }
        dd { a href=(address) { (id) } (parts::copy(&id.to_string(), "the id")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_safe_to_paste() {
        assert_eq!(quoted("a+b@c.d"), "a+b@c.d");
        assert_eq!(quoted("a;rm -rf@c'd"), r"'a;rm -rf@c'\''d'");
    }
}
