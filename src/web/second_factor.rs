//! A second factor (`web.md §13.2`): a device makes codes of a secret it shares with the account. Set up, asked for after
//! the password, ended. Codes for a lost device are shown once and kept as digests.

use maud::{Markup, PreEscaped, html};
use qrcodegen::{QrCode, QrCodeEcc};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    error::Result,
    field::{self, Faults, Field},
    form::Form,
    guard::{Pairs, View},
    layout, letter, password,
    profile::Section,
    session,
};
use crate::{
    auth::{self, totp},
    domain::{Timestamp, User, notice::Notice},
    notify::letter::Grave,
    store::{self, Tx, second_factor::Kept, throttle},
};

/// The cookie of a browser that gave the password and not yet the code.
const PENDING: &str = "login";
/// How many minutes it has for that.
const PENDING_MINUTES: i64 = 10;
/// The cookie with codes for a lost device that the next page shows, once.
const CODES: &str = "codes";
/// How many wrong codes an account may have within [`MINUTES`]: one of three in a million is right at any time.
const MOST_FAILURES: i64 = 10;
const MINUTES: i64 = 15;
const WRONG_CODE: &str = "This is not the code of now, or it was used before.";

/// Returns the routes of second factors.
pub fn routes() -> Vec<Route> {
    rocket::routes![page, set_up, renew, end, code_page, enter]
}

#[rocket::get("/user/second-factor")]
async fn page(view: View<'_>, mut db: Db<'_>) -> Result<Answer> {
    let user = &view.logged_in()?.caller.user;
    if !user.has_second_factor {
        drop(db);
        let secret = totp::new_secret().map_err(|_| Error::Unlucky)?;
        return Ok(Answer::Once(offer(&view, &secret, &Faults::default())));
    }
    let left = store::second_factor::codes_left(&mut db, user.id).await?;
    drop(db);
    let made = view.take(CODES);
    Ok(Answer::Once(standing(
        &view,
        left,
        made.as_deref(),
        &Faults::default(),
    )))
}

/// Sets it up, once the device has shown that it has the secret. The secret is in the form until then: it is worth
/// nothing before.
#[rocket::post("/user/second-factor", data = "<form>")]
async fn set_up(view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    drop(db);
    let session = view.logged_in()?;
    let user = &session.caller.user;
    if user.has_second_factor {
        return Ok(Answer::Done(view.links().user_page("second-factor/")));
    }
    let secret = totp::from_base32(form.text("secret")).filter(|secret| secret.len() == 20);
    let secret = secret.ok_or_else(Error::missing)?;
    let now = Timestamp::now();
    let mut faults = Faults::default();
    let step = totp::step(&secret, form.text("code"), 0, now);
    faults.check(
        step.is_some(),
        "code",
        "This is not the code of now. Is the clock of the device right?",
    );
    password::confirm(user, &form, "password", &mut faults).await?;
    let Some(last_step) = step.filter(|_| faults.is_empty()) else {
        return Ok(faults.answer(offer(&view, &secret, &faults)));
    };
    let mut tx = form.begin().await?;
    let (codes, hashes) = new_codes()?;
    let kept = Kept { secret, last_step };
    store::second_factor::set(&mut tx, user.id, &kept, &hashes, now).await?;
    // Others came in by the password alone.
    store::session::end_others(&mut tx, user.id, &session.key_hash).await?;
    let notice = Notice::done("The second factor is on.");
    session.tell(&mut tx, vec![notice], now).await?;
    letter::tell(&view, &mut tx, user, Grave::FactorBegun, now).await?;
    tx.commit().await?;
    view.send_mails();
    view.hand_on(CODES, &codes);
    Ok(Answer::Done(view.links().user_page("second-factor/")))
}

/// Makes codes for a lost device: as they are handed on, and as they are kept.
fn new_codes() -> Result<(String, Vec<Vec<u8>>)> {
    let codes = totp::new_recovery_codes().map_err(|_| Error::Unlucky)?;
    let hashes = codes.iter().map(|code| totp::recovery_hash(code)).collect();
    Ok((codes.join("."), hashes))
}

#[rocket::post("/user/second-factor/codes", data = "<form>")]
async fn renew(view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    drop(db);
    let user = &view.logged_in()?.caller.user;
    if let Some(answer) = refused(&view, user, &form).await? {
        return Ok(answer);
    }
    let (codes, hashes) = new_codes()?;
    let mut tx = form.begin().await?;
    store::second_factor::replace_codes(&mut tx, user.id, &hashes).await?;
    letter::tell(&view, &mut tx, user, Grave::Codes, Timestamp::now()).await?;
    tx.commit().await?;
    view.send_mails();
    view.hand_on(CODES, &codes);
    Ok(Answer::Done(view.links().user_page("second-factor/")))
}

#[rocket::post("/user/second-factor/end", data = "<form>")]
async fn end(view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    drop(db);
    let session = view.logged_in()?;
    let user = &session.caller.user;
    if let Some(answer) = refused(&view, user, &form).await? {
        return Ok(answer);
    }
    let mut tx = form.begin().await?;
    store::second_factor::end(&mut tx, user.id).await?;
    let notice = Notice::done("The second factor is off: your password is enough to log in.");
    let now = Timestamp::now();
    session.tell(&mut tx, vec![notice], now).await?;
    letter::tell(&view, &mut tx, user, Grave::FactorEnded, now).await?;
    tx.commit().await?;
    view.send_mails();
    Ok(Answer::Done(
        view.links().user_page(Section::Account.path()),
    ))
}

/// Returns the answer to who may not change the second factor: there is none, or password or code are wrong. A session and
/// the password are what the second factor is to be safe from.
async fn refused(view: &View<'_>, user: &User, form: &Form<'_>) -> Result<Option<Answer>> {
    if !user.has_second_factor {
        return Ok(Some(Answer::Done(view.links().user_page("second-factor/"))));
    }
    let mut faults = Faults::default();
    password::confirm(user, form, "password", &mut faults).await?;
    if faults.is_empty() && is_let_in(user, form, Timestamp::now(), &mut faults).await? {
        return Ok(None);
    }
    let mut tx = form.begin().await?;
    let left = store::second_factor::codes_left(&mut tx, user.id).await?;
    Ok(Some(faults.answer(standing(view, left, None, &faults))))
}

/// Looks at the code that a form has, and uses it up. It is counted before it is looked at: who tries many at once gains
/// nothing. What is wrong with it, or that there were too many wrong ones of late, is a fault of the field.
async fn is_let_in(
    user: &User,
    form: &Form<'_>,
    now: Timestamp,
    faults: &mut Faults,
) -> Result<bool> {
    let counter = format!("code of {}", user.id);
    let mut tx = form.begin().await?;
    let tries = throttle::count(&mut tx, &counter, MINUTES, now).await?;
    tx.commit().await?;
    if tries.count > MOST_FAILURES {
        faults.too_often("code", tries.seconds_left);
        return Ok(false);
    }
    let mut tx = form.begin().await?;
    if !is_right(&mut tx, user, form.text("code"), now).await? {
        faults.add("code", WRONG_CODE);
        return Ok(false);
    }
    throttle::forget(&mut tx, &counter).await?;
    tx.commit().await?;
    Ok(true)
}

/// Has a browser that gave the password be asked for the code, and returns where. It is not logged in before.
pub async fn ask(
    view: &View<'_>,
    tx: &mut Tx,
    user: &User,
    next: &str,
    now: Timestamp,
) -> Result<String> {
    let key = auth::session::new_key().map_err(|_| Error::Unlucky)?;
    let expires = now.plus_minutes(PENDING_MINUTES);
    store::second_factor::begin_login(tx, &auth::token_hash(&key), user.id, expires).await?;
    view.hand_on(PENDING, &key);
    Ok(format!(
        "{}?{}",
        view.links().user_page("login/code/"),
        form_urlencoded::Serializer::new(String::new())
            .append_pair("next", next)
            .finish()
    ))
}

#[rocket::get("/user/login/code")]
fn code_page(view: View<'_>, pairs: Pairs) -> Answer {
    let next = session::next(&view, pairs.last("next"));
    if view.handed_on(PENDING).is_none() {
        return Answer::Found(view.links().login(Some(&next)));
    }
    Answer::Once(entry(&view, &next, &Faults::default()))
}

#[rocket::post("/user/login/code", data = "<form>")]
async fn enter(view: View<'_>, mut db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    let now = Timestamp::now();
    let next = session::next(&view, form.get("next"));
    let key_hash = auth::token_hash(&view.handed_on(PENDING).unwrap_or_default());
    let user = store::second_factor::waiting(&mut db, &key_hash, now).await?;
    drop(db);
    let Some(user) = user else {
        view.take(PENDING);
        return Ok(Answer::Done(view.links().login(Some(&next))));
    };
    let mut faults = Faults::default();
    if !is_let_in(&user, &form, now, &mut faults).await? {
        return Ok(faults.answer(entry(&view, &next, &faults)));
    }
    let mut tx = form.begin().await?;
    store::second_factor::end_login(&mut tx, &key_hash).await?;
    let key = session::begin(&view, &mut tx, &user, now).await?;
    tx.commit().await?;
    view.take(PENDING);
    view.begin_session(&key);
    view.begin_display(&user.display);
    Ok(Answer::Done(next))
}

/// Uses a code up, of the device or for its loss, and says whether it was one.
async fn is_right(tx: &mut Tx, user: &User, given: &str, now: Timestamp) -> Result<bool> {
    let Some(kept) = store::second_factor::of(tx, user.id).await? else {
        return Ok(false);
    };
    if let Some(step) = totp::step(&kept.secret, given, kept.last_step, now) {
        return Ok(store::second_factor::use_step(tx, user.id, step).await?);
    }
    let hash = totp::recovery_hash(given);
    Ok(store::second_factor::use_code(tx, user.id, &hash).await?)
}

fn code_field() -> Field<'static> {
    Field {
        hint: "Six digits that your device shows, or one of the codes for its loss.",
        autocomplete: "one-time-code",
        ..Field::new("code", "Code", "")
    }
}

fn entry(view: &View, next: &str, faults: &Faults) -> Markup {
    let links = view.links();
    let main = html! {
        div.narrow {
            h1 { "Log in: second factor" }
            form.entries method="post" action=(links.user_page("login/code/")) {
                (view.csrf())
                input type="hidden" name="next" value=(next);
                (code_field().drawn(faults))
                button.primary type="submit" { "Log in" }
            }
            p.muted { "Neither device nor codes? The administrators of this site can end the second factor of an account." }
            p { a href=(links.login(None)) { "Log in as somebody else" } }
        }
    };
    layout::bare(view, "Second factor", main)
}

/// The way to set it up.
fn offer(view: &View, secret: &[u8], faults: &Faults) -> Markup {
    let digits = totp::base32(secret);
    let link = device_link(view, &digits);
    let code = Field {
        hint: "What the device shows once it has the secret.",
        autocomplete: "one-time-code",
        ..Field::new("code", "Code", "")
    };
    let main = html! {
        div.narrow {
            h1 { "Set up a second factor" }
            p { "You need an app or a password manager that makes one-time codes (TOTP). Have it read the square, " a href=(PreEscaped(link.replace('&', "&amp;"))) { "open it with this link" } ", or type the secret:" }
            (square(&link))
            p { code.secret { (totp::grouped(&digits).replace('-', " ")) } }
            form.entries method="post" action=(view.links().user_page("second-factor/")) {
                (view.csrf())
                (password::whose(view))
                input type="hidden" name="secret" value=(digits);
                (code.drawn(faults))
                (Field::password("password", "Your password", "current-password").drawn(faults))
                button.primary type="submit" { "Turn it on" }
            }
            p.muted { "Other browsers you are logged in with will have to log in again. Scripts that use your password have to use a token from then on." }
            p { a href=(view.links().user_page(Section::Account.path())) { "Back to the account" } }
        }
    };
    layout::bare(view, "Second factor", main)
}

/// Returns what devices read: whose secret it is, of which site.
fn device_link(view: &View, digits: &str) -> String {
    let encoded = |text: &str| -> String {
        form_urlencoded::byte_serialize(text.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    let site = encoded(&view.options().site_name);
    let user = encoded(view.user().map_or("", |user| user.username.as_str()));
    format!("otpauth://totp/{site}:{user}?secret={digits}&issuer={site}")
}

/// Draws a text as a square that devices read; dark on light whatever the page's colours.
fn square(text: &str) -> Markup {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else {
        return Markup::default();
    };
    let size = code.size();
    let mut path = String::new();
    for (y, x) in (0..size).flat_map(|y| (0..size).map(move |x| (y, x))) {
        if code.get_module(x, y) {
            path.push_str(&format!("M{},{}h1v1h-1z", x + 4, y + 4));
        }
    }
    let side = size + 8;
    html! {
        svg.square viewBox={ "0 0 " (side) " " (side) } width="200" height="200" role="img" aria-label="The secret as a square" shape-rendering="crispEdges" {
            rect width="100%" height="100%" fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    }
}

/// It is on: codes for a lost device, and the way to end it. `made` are codes that were made just now.
fn standing(view: &View, left: i64, made: Option<&str>, faults: &Faults) -> Markup {
    let links = view.links();
    let main = html! {
        div.narrow {
            h1 { "Second factor" }
            p { "After the password you are asked for a code of your device." }
            h2 { "Codes for a lost device" }
            @if let Some(made) = made {
                div.notice role="status" {
                    p { "Each lets you in once instead of the device. They are shown this once: print them, or keep them where the device is not." }
                    ul.codes { @for code in made.split('.') { li { code { (code) } } } }
                }
            }
            p { (left) " of ten are left." }
            (field::problems(faults))
            form.entries method="post" action=(links.user_page("second-factor/codes/")) {
                (view.csrf())
                (password::whose(view))
                (Field::password("password", "Your password", "current-password").drawn(faults))
                (code_field().drawn(faults))
                button type="submit" { "Make new codes" }
                " "
                button.danger type="submit" formaction=(links.user_page("second-factor/end/")) { "End the second factor" }
            }
            p { a href=(links.user_page(Section::Account.path())) { "Back to the account" } }
        }
    };
    layout::bare(view, "Second factor", main)
}
