//! Replies that came since the reader has last seen them. Only a button says that they were seen: pages are looked at by
//! machines, too.

use super::*;
use crate::{
    domain::{CommentId, person},
    store::dashboard::Reply,
    web::{odd, quote},
};

/// More replies are not shown at once.
const MOST: usize = 20;

/// The id of the form that says that they were seen.
const SEEN: &str = "seen";

/// Replies, the newest first, and from which on.
pub(super) struct Replies {
    shown: Vec<Reply>,
    /// Before which the next ones stand, if there are more.
    next: Option<CommentId>,
    is_first: bool,
}

impl Replies {
    pub(super) async fn load(db: &mut Db<'_>, user: UserId, pairs: &Pairs) -> Result<Replies> {
        let before = pairs.last("replies").and_then(|id| id.parse().ok());
        let before = before.map(CommentId);
        let limit = MOST as i64 + 1;
        let mut shown = store::dashboard::replies(db, user, before, limit).await?;
        let is_more = shown.len() > MOST;
        shown.truncate(MOST);
        Ok(Replies {
            next: shown.last().filter(|_| is_more).map(|reply| reply.id),
            is_first: before.is_none(),
            shown,
        })
    }

    /// Returns the newest reply of all, if it is shown.
    fn newest(&self) -> Option<&Reply> {
        self.shown.first().filter(|_| self.is_first)
    }

    /// Draws the form of the button in the section, which stands in a form itself.
    pub(super) fn form(&self, view: &View) -> Markup {
        html! {
            @if let Some(newest) = self.newest() {
                form id=(SEEN) method="post" action=(view.links().user_page("replies-seen/")) {
                    (view.csrf())
                    input type="hidden" name="newest" value=(newest.id);
                }
            }
        }
    }

    pub(super) fn drawn(&self, view: &View) -> Markup {
        html! {
            section #replies {
                h2 { "New replies" span.n { (self.shown.len()) @if self.next.is_some() { "+" } } }
                @if self.shown.is_empty() { p.muted { "You have seen every reply." } }
                @else {
                    p.muted { "To what you sent, have on the desk or took part in, the newest first." }
                    ul.news { @for reply in &self.shown { (one(view, reply)) } }
                    div.more-news {
                        @if self.newest().is_some() { button type="submit" form=(SEEN) { "Mark all as seen" } }
                        @if let Some(next) = self.next {
                            a href={ (everything(view)) "&replies=" (next) "#replies" } { "Older ones" }
                        }
                        @if !self.is_first { a href={ (everything(view)) "#replies" } { "The newest" } }
                    }
                }
            }
        }
    }
}

fn one(view: &View, reply: &Reply) -> Markup {
    let links = view.links();
    let page = match reply.is_to_cover {
        true => links.cover(&reply.linkname, &reply.msgid),
        false => links.patch(&reply.linkname, &reply.msgid),
    };
    let name = parts::named(&reply.name);
    let author = person::shown(reply.submitter_name.as_deref(), &reply.submitter_email);
    html! {
        li {
            a href={ (page) "#" (reply.id) } { (parts::cut(&name).0) }
            " " span.muted { (odd::shown(author)) ", " (parts::day(reply.date)) }
            @if let Some(line) = quote::opening(&reply.content) { " " p { (odd::shown(parts::cut(line).0)) } }
        }
    }
}

/// Keeps that the reader has seen the replies up to the newest that the page showed.
#[rocket::post("/user/replies-seen", data = "<form>")]
pub(super) async fn seen(view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let session = view.logged_in()?;
    drop(db);
    let mut tx = form.begin().await?;
    if let Ok(newest) = form.text("newest").parse() {
        let user = session.caller.user.id;
        store::dashboard::see(&mut tx, user, CommentId(newest)).await?;
    }
    tx.commit().await?;
    Ok(Answer::Done(everything(&view)))
}
