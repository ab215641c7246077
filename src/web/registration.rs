//! Getting an account (`web.md §13.1`): what is asked for, and the mail that proves the address. Whether an address has
//! an account already is told to that address only.

use maud::{Markup, html};
use rocket::Route;

use super::{
    Db, Error,
    answer::Answer,
    confirmation,
    error::Result,
    field::{self, Faults, Field},
    form::Form,
    guard::View,
    layout, letter,
};
use crate::{
    auth,
    domain::{
        Timestamp, UserId,
        confirmation::Kind,
        person,
        user::{MAX_CHOSEN, is_choosable},
    },
    notify,
    store::{self, Tx, user::NewUser},
};

/// The cookie with the address to which a mail is on its way.
const SENT: &str = "sent";

const TAKEN: &str = "This login name is taken.";

/// The most characters of an address at registration.
const MAX_EMAIL: usize = 100;

/// Returns the routes of registration.
pub fn routes() -> Vec<Route> {
    rocket::routes![register_page, register, sent]
}

/// What somebody enters.
#[derive(Default)]
struct Entered<'a> {
    first_name: &'a str,
    last_name: &'a str,
    username: &'a str,
    email: &'a str,
    password: &'a str,
}

impl<'a> Entered<'a> {
    fn of(form: &'a Form<'_>) -> Self {
        Entered {
            first_name: form.text("first_name"),
            last_name: form.text("last_name"),
            username: form.text("username"),
            email: form.text("email"),
            password: form.raw("password").unwrap_or_default(),
        }
    }

    /// Returns what is wrong with it, as far as that can be said without the database.
    fn faults(&self) -> Faults {
        let mut faults = Faults::default();
        for (name, text) in [
            ("first_name", self.first_name),
            ("last_name", self.last_name),
        ] {
            let fits = text.chars().count() <= MAX_CHOSEN && !text.contains(char::is_control);
            faults.check(fits, name, "Thirty characters at most.");
        }
        match self.username {
            "" => faults.add("username", "Choose a login name."),
            name => faults.check(
                is_choosable(name),
                "username",
                "Letters, digits and underscores only, thirty at most.",
            ),
        }
        check_address(&mut faults, "email", self.email, MAX_EMAIL);
        match self.password {
            "" => faults.add("password", "Choose a password."),
            password => {
                if let Some(why) = auth::weakness(password, &[self.username, self.email]) {
                    faults.add("password", why);
                }
            }
        }
        faults
    }
}

/// Notes what is wrong with the address in the field `email`.
pub fn check_address(faults: &mut Faults, field: &'static str, email: &str, most: usize) {
    let is_right = || person::is_email(email) && notify::is_deliverable(email);
    if email.is_empty() {
        faults.add(field, "Enter a mail address.");
    } else if email.chars().count() > most {
        faults.add(field, format!("{most} characters at most."));
    } else if !is_right() {
        faults.add(field, "This is no mail address.");
    }
}

fn open(view: &View) -> Result<()> {
    match view.options().registration {
        true => Ok(()),
        false => Err(Error::no_registration()),
    }
}

#[rocket::get("/register")]
fn register_page(view: View<'_>) -> Result<Answer> {
    open(&view)?;
    if view.session().is_some() {
        return Ok(Answer::Found(view.links().user()));
    }
    Ok(Answer::Page(page(
        &view,
        &Entered::default(),
        &Faults::default(),
    )))
}

#[rocket::post("/register", data = "<form>")]
async fn register(view: View<'_>, db: Db<'_>, form: Form<'_>) -> Result<Answer> {
    // The password takes a while; others may have the connection meanwhile.
    drop(db);
    open(&view)?;
    let entered = Entered::of(&form);
    let now = Timestamp::now();
    let mut faults = Faults::default();
    match judged(&view, &form, &entered, now).await {
        Err(Error::TooOften(seconds)) => {
            faults.too_often("", seconds);
            return Ok(faults.answer(page(&view, &entered, &faults)));
        }
        judged => faults = judged?,
    }
    if !faults.is_empty() {
        return Ok(Answer::Invalid(page(&view, &entered, &faults)));
    }
    // Also where it will not be needed: nobody can find out by the clock which addresses have accounts.
    let hash = auth::hashed(entered.password).await;
    let hash = hash.map_err(|_| Error::Unlucky)?;
    let mut tx = form.begin().await?;
    match write(&view, &mut tx, &entered, &hash, now).await {
        // Somebody took it this very moment.
        Err(Error::Store(error)) if error.is_duplicate() => {
            faults.add("username", TAKEN);
            return Ok(Answer::Invalid(page(&view, &entered, &faults)));
        }
        written => written?,
    }
    tx.commit().await?;
    view.send_mails();
    view.hand_on(SENT, entered.email);
    Ok(Answer::Done(format!("{}sent/", view.links().register())))
}

/// Returns what is wrong with a registration. It counts, whatever comes of it, and does so before anything is said.
///
/// # Errors
/// When it was tried too often of late.
async fn judged(
    view: &View<'_>,
    form: &Form<'_>,
    entered: &Entered<'_>,
    now: Timestamp,
) -> Result<Faults> {
    let mut tx = form.begin().await?;
    let counted = letter::count_registration(view, &mut tx, now).await;
    tx.commit().await?;
    counted?;
    let mut faults = entered.faults();
    if !faults.is_empty() {
        return Ok(faults);
    }
    let mut tx = form.begin().await?;
    store::user::withdraw(&mut tx, entered.username, entered.email).await?;
    if store::user::is_taken(&mut tx, entered.username).await? {
        faults.add("username", TAKEN);
        return Ok(faults);
    }
    letter::count(view, &mut tx, entered.email, now).await?;
    tx.commit().await?;
    Ok(faults)
}

/// Makes the account and writes to its address, or only writes to an address that has one.
async fn write(
    view: &View<'_>,
    tx: &mut Tx,
    entered: &Entered<'_>,
    hash: &str,
    now: Timestamp,
) -> Result<()> {
    let site = letter::site(view, tx).await?;
    let letter = match store::user::holder(tx, entered.email).await? {
        Some(user) => {
            let reset = format!("{site}/user/password-reset/");
            notify::letter::already(&site, &user.username, &reset)
        }
        None => {
            let user = insert(view, tx, entered, hash, now).await?;
            return confirm(view, tx, (user, entered.username, entered.email), now).await;
        }
    };
    letter::send(view, tx, entered.email, &letter, now).await
}

/// Mails the link that makes an account active: its id, its name, its address.
pub(super) async fn confirm(
    view: &View<'_>,
    tx: &mut Tx,
    (user, username, email): (UserId, &str, &str),
    now: Timestamp,
) -> Result<()> {
    let site = letter::site(view, tx).await?;
    let key = confirmation::ask(tx, Kind::Registration, email, Some(user), now).await?;
    let (link, days) = (
        format!("{site}/confirm/{key}/"),
        view.options().confirmation_days,
    );
    let letter = notify::letter::registration(&site, username, &link, days);
    letter::send(view, tx, email, &letter, now).await
}

async fn insert(
    view: &View<'_>,
    tx: &mut Tx,
    entered: &Entered<'_>,
    hash: &str,
    now: Timestamp,
) -> Result<UserId> {
    let new = NewUser {
        username: entered.username,
        email: entered.email,
        first_name: entered.first_name,
        last_name: entered.last_name,
        password: hash,
        is_superuser: false,
        date_joined: now,
        items_per_page: view.options().items_per_page,
    };
    Ok(store::user::register(tx, &new).await?)
}

fn page(view: &View, entered: &Entered, faults: &Faults) -> Markup {
    let optional = |name, label, value, autocomplete| Field {
        required: false,
        autocomplete,
        ..Field::new(name, label, value)
    };
    let fields = [
        Field {
            autocomplete: "username",
            hint: "What you log in with and others see: letters, digits and underscores.",
            ..Field::new("username", "Login name", entered.username)
        },
        Field {
            kind: "email",
            autocomplete: "email",
            hint: "A link is mailed to it. Patches sent from this address will be listed as yours.",
            ..Field::new("email", "Mail address", entered.email)
        },
        Field {
            hint: "Eight characters at least.",
            ..Field::password("password", "Password", "new-password")
        },
        optional("first_name", "First name", entered.first_name, "given-name"),
        optional("last_name", "Last name", entered.last_name, "family-name"),
    ];
    let links = view.links();
    layout::bare(
        view,
        "Register",
        html! {
            div.narrow {
                h1 { "Register" }
                p { "Reading needs no account. With one you have your patches listed, keep bundles, and may be made the maintainer of a project." }
                (field::problems(faults))
                form.entries method="post" action=(links.register()) {
                    (view.csrf())
                    @for field in &fields { (field.drawn(faults)) }
                    button.primary type="submit" { "Register" }
                }
                p { "Registered before? " a href=(links.login(None)) { "Log in" } "." }
            }
        },
    )
}

#[rocket::get("/register/sent")]
fn sent(view: View<'_>) -> Answer {
    let Some(address) = view.take(SENT).filter(|text| person::is_email(text)) else {
        return Answer::Found(view.links().register());
    };
    let days = view.options().confirmation_days;
    Answer::Once(layout::bare(
        &view,
        "Mail sent",
        html! {
            div.narrow {
                h1 { "A mail is on its way" }
                p { "It goes to " strong { (address) } ". Open the link in it within " (confirmation::days(days)) " to make your account active." }
                p { "If nothing comes within some minutes, look among unwanted mail, or " a href=(view.links().register()) { "register once more" } "." }
                p { a.button href=(view.links().home()) { "All projects" } }
            }
        },
    ))
}
