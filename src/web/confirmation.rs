//! Links that were mailed (`web.md §14`): opening one shows what it is for, and a button does it. Programs that look at
//! mails open links, too.

use maud::{Markup, html};
use rocket::Route;

use super::{Db, Error, answer::Answer, error::Result, form::Form, guard::View, layout, letter};
use crate::{
    auth,
    domain::{
        Timestamp, User, UserId,
        confirmation::{Kind, is_key},
    },
    notify,
    store::{
        self, Conn, Tx,
        confirmation::{Kept, NewConfirmation},
    },
};

/// The cookie that tells the page of a link that its button was pressed just now.
const CONFIRMED: &str = "confirmed";

/// Returns the routes of confirmations.
pub fn routes() -> Vec<Route> {
    rocket::routes![confirm_page, confirm]
}

/// Makes a confirmation, and returns the key that is to be mailed.
pub async fn ask(
    tx: &mut Tx,
    kind: Kind,
    email: &str,
    user: Option<UserId>,
    date: Timestamp,
) -> Result<String> {
    let key = auth::new_mail_key().map_err(|_| Error::Unlucky)?;
    let new = NewConfirmation {
        kind,
        email,
        user,
        key_digest: &auth::mail_key_digest(&key),
        date,
    };
    store::confirmation::insert(tx, &new).await?;
    Ok(key)
}

/// Returns how long links live, in words.
pub fn days(days: i64) -> String {
    match days {
        1 => "a day".to_owned(),
        days => format!("{days} days"),
    }
}

/// How it is with a link.
enum Standing {
    /// Its button can be pressed.
    Open,
    /// It was pressed.
    Used,
    /// It is too old.
    Expired,
    /// What it is for cannot be done.
    Refused(&'static str),
}

/// A link, and how it is with it.
struct Link {
    kept: Kept,
    kind: Kind,
    /// The login name of the account it is for.
    username: String,
    standing: Standing,
}

/// Reads what is behind a key.
///
/// # Errors
/// When there is no such link, or it is for somebody else, or for somebody who has to log in.
async fn read(view: &View<'_>, conn: &mut Conn, key: &str, now: Timestamp) -> Result<Link> {
    if !is_key(key) {
        return Err(Error::missing());
    }
    let kept = store::confirmation::by_digest(conn, &auth::mail_key_digest(key)).await?;
    let kept = kept.ok_or_else(Error::missing)?;
    let kind = Kind::from_word(&kept.kind).filter(|kind| *kind != Kind::Reset);
    let kind = kind.ok_or_else(Error::missing)?;
    let standing = if !kept.active {
        Standing::Used
    } else if kind.has_expired(kept.date, view.options().confirmation_days, now) {
        Standing::Expired
    } else {
        if matches!(kind, Kind::Address | Kind::Primary)
            && Some(view.logged_in()?.caller.user.id) != kept.user
        {
            return Err(Error::Forbidden(
                "This link is for another account: log in as the one that asked for it, and open the link again.",
            ));
        }
        match refusal(conn, kind, &kept).await? {
            Some(why) => Standing::Refused(why),
            None => Standing::Open,
        }
    };
    let username = match kept.user {
        Some(user) => store::user::by_id(conn, user)
            .await?
            .map_or_else(String::new, |user| user.username),
        None => String::new(),
    };
    Ok(Link {
        kept,
        kind,
        username,
        standing,
    })
}

/// Returns why what a link is for cannot be done, if so.
async fn refusal(conn: &mut Conn, kind: Kind, kept: &Kept) -> Result<Option<&'static str>> {
    if matches!(kind, Kind::OptOut | Kind::OptIn) {
        return Ok(None);
    }
    let holder = store::user::holder(conn, &kept.email).await?;
    let is_others = holder.is_some_and(|holder| Some(holder.id) != kept.user);
    Ok(is_others.then_some(OTHERS))
}

const OTHERS: &str = "This address belongs to another account by now. Take it away there first, or ask the \
    administrators of this site.";

#[rocket::get("/confirm/<key>")]
async fn confirm_page(key: &str, view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let link = read(&view, &mut db, key, Timestamp::now()).await?;
    drop(db);
    let is_just_done = view.handed_on(CONFIRMED).as_deref() == Some(key);
    if is_just_done {
        view.take(CONFIRMED);
    }
    Ok(Answer::Once(page(&view, key, &link, is_just_done)))
}

#[rocket::post("/confirm/<key>", data = "<form>")]
async fn confirm(key: &str, view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    drop(db);
    let now = Timestamp::now();
    let mut tx = form.begin().await?;
    let mut link = read(&view, &mut tx, key, now).await?;
    match link.standing {
        Standing::Used | Standing::Expired => {
            return Ok(Answer::Page(page(&view, key, &link, false)));
        }
        Standing::Refused(_) => return Ok(Answer::Invalid(page(&view, key, &link, false))),
        Standing::Open => {}
    }
    if !store::confirmation::use_up(&mut tx, link.kept.id).await? {
        link.standing = Standing::Used;
        return Ok(Answer::Page(page(&view, key, &link, false)));
    }
    if !carry_out(&view, &mut tx, &link, now).await? {
        link.standing = Standing::Refused(OTHERS);
        return Ok(Answer::Invalid(page(&view, key, &link, false)));
    }
    tx.commit().await?;
    view.send_mails();
    view.hand_on(CONFIRMED, key);
    Ok(Answer::Done(view.links().confirm(key)))
}

/// Does what a link is for, and says whether that was possible.
async fn carry_out(view: &View<'_>, tx: &mut Tx, link: &Link, now: Timestamp) -> Result<bool> {
    let email = &link.kept.email;
    match link.kind {
        Kind::OptOut => store::optout::insert(tx, email).await?,
        Kind::OptIn => drop(store::optout::delete(tx, email).await?),
        Kind::Registration | Kind::Address | Kind::Primary => {
            let Some(id) = link.kept.user else {
                return Ok(false);
            };
            let Some(user) = store::user::by_id(tx, id).await? else {
                return Ok(false);
            };
            if link.kind == Kind::Registration && !store::user::activate(tx, id).await? {
                return Ok(false);
            }
            if !store::person::link(tx, id, email, &user.shown()).await? {
                return Ok(false);
            }
            if link.kind == Kind::Primary {
                move_account(view, tx, &user, email, now).await?;
            }
            return Ok(true);
        }
        Kind::Reset => return Ok(false),
    }
    Ok(true)
}

/// Gives an account another address, and tells the one it had: it may not have been its owner who wanted that.
async fn move_account(
    view: &View<'_>,
    tx: &mut Tx,
    user: &User,
    email: &str,
    now: Timestamp,
) -> Result<()> {
    store::user::set_email(tx, user.id, email).await?;
    letter::inform(view, tx, user, notify::letter::moved, now).await
}

fn page(view: &View, key: &str, link: &Link, is_just_done: bool) -> Markup {
    let (title, main) = match link.standing {
        Standing::Open => (titled(link.kind), question(view, key, link)),
        Standing::Used => {
            let title = if is_just_done {
                "Done"
            } else {
                "Already processed"
            };
            (title, outcome(view, link, is_just_done))
        }
        Standing::Expired => ("This link has expired", again(view, link.kind)),
        Standing::Refused(why) => (titled(link.kind), html! { p role="alert" { (why) } }),
    };
    layout::bare(view, title, html! { div.narrow { h1 { (title) } (main) } })
}

fn titled(kind: Kind) -> &'static str {
    match kind {
        Kind::Registration => "Confirm your account",
        Kind::OptOut => "Stop mails",
        Kind::OptIn => "Allow mails",
        Kind::Address | Kind::Primary | Kind::Reset => "Confirm your mail address",
    }
}

/// What the button will do.
fn question(view: &View, key: &str, link: &Link) -> Markup {
    let email = html! { strong { (link.kept.email) } };
    let (what, button) = match link.kind {
        Kind::Registration => (
            html! { "The account " strong { (link.username) } " becomes active, and patches sent from " (email) " are listed as its own." },
            "Make the account active",
        ),
        Kind::OptOut => (
            html! { "No more notifications go to " (email) ". Mails about an account of yours, such as a new password, still do." },
            "Stop mails",
        ),
        Kind::OptIn => (
            html! { "Notifications about patches sent from " (email) " may go there again." },
            "Allow mails",
        ),
        Kind::Primary => (
            html! { (email) " becomes the address of your account " strong { (link.username) } ": mails about the account go there, and no longer to the address it has now, which is told so." },
            "Use this address",
        ),
        Kind::Address | Kind::Reset => (
            html! { (email) " becomes one of the addresses of your account " strong { (link.username) } ": patches sent from it are listed as yours, and you may change their states." },
            "Add this address",
        ),
    };
    html! {
        p { (what) }
        form method="post" action=(view.links().confirm(key)) {
            (view.csrf())
            button.primary type="submit" { (button) }
        }
        p.muted { "If you did not ask for this, close the page: nothing changes." }
    }
}

/// What the button has done.
fn outcome(view: &View, link: &Link, is_just_done: bool) -> Markup {
    let links = view.links();
    let email = &link.kept.email;
    // Whoever finds the link later learns no more than that.
    if !is_just_done {
        return html! {
            p { "This link was used before; there is nothing left to do." }
            p { a.button href=(links.home()) { "All projects" } }
        };
    }
    let (what, way, label) = match link.kind {
        Kind::Registration => (
            format!("The account {} is active.", link.username),
            links.login(None),
            "Log in",
        ),
        Kind::OptOut => (
            format!("No more notifications go to {email}."),
            links.mail(),
            "Mail settings",
        ),
        Kind::OptIn => (
            format!("Notifications may go to {email} again."),
            links.mail(),
            "Mail settings",
        ),
        Kind::Primary => (
            format!("{email} is the address of your account."),
            links.user_page("addresses/"),
            "Addresses",
        ),
        Kind::Address | Kind::Reset => (
            format!("{email} is one of your addresses."),
            links.user_page("addresses/"),
            "Addresses",
        ),
    };
    html! {
        p role="status" { (what) }
        p { a.button href=(way) { (label) } }
    }
}

/// How to get a new link.
fn again(view: &View, kind: Kind) -> Markup {
    let links = view.links();
    let (what, way, label) = match kind {
        Kind::Registration => (
            "The account was not made active in time. Register once more.",
            links.register(),
            "Register",
        ),
        Kind::OptOut | Kind::OptIn => (
            "Nothing has changed. Ask for a new link in the mail settings.",
            links.mail(),
            "Mail settings",
        ),
        Kind::Primary => (
            "The account keeps the address it had. Ask for a new link in your profile.",
            links.user_page("addresses/"),
            "Addresses",
        ),
        Kind::Address | Kind::Reset => (
            "The address was not added. Ask for a new link in your profile.",
            links.user_page("addresses/"),
            "Addresses",
        ),
    };
    html! {
        p { (what) }
        p { a.button href=(way) { (label) } }
    }
}
