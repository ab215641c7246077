//! Making accounts, as `createuser`, `createsuperuser` and `demo` do it.

use std::{
    env,
    io::{self, BufRead, IsTerminal, Write},
};

use anyhow::{Context, bail};

use crate::{
    auth::{self, MIN_PASSWORD},
    config::Settings,
    domain::{ProjectId, Timestamp, UserId, person, user},
    store::{self, Conn, user::NewUser},
};

/// An account, checked.
pub(super) struct Account {
    username: String,
    email: String,
    is_superuser: bool,
}

impl Account {
    /// Checks name and address.
    pub(super) fn new(username: &str, email: &str, is_superuser: bool) -> anyhow::Result<Self> {
        if !user::is_username(username) {
            bail!(
                "the user name '{username}' may hold letters, digits and @.+-_ only, 150 at most"
            );
        }
        if !person::is_email(email) || email.chars().count() > 254 {
            bail!("'{email}' is no mail address");
        }
        Ok(Account {
            username: username.to_owned(),
            email: email.to_owned(),
            is_superuser,
        })
    }

    /// Puts the account into the database; people seen with its address become its own.
    pub(super) async fn insert(
        &self,
        conn: &mut Conn,
        settings: &Settings,
        password: &str,
        now: Timestamp,
    ) -> anyhow::Result<UserId> {
        let hash = auth::hash_password(password)?;
        let new = NewUser {
            username: &self.username,
            email: &self.email,
            first_name: "",
            last_name: "",
            password: &hash,
            is_superuser: self.is_superuser,
            date_joined: now,
            items_per_page: i64::from(settings.web.items_per_page),
        };
        let id = match store::user::insert(conn, &new).await {
            Ok(id) => id,
            Err(error) if error.is_duplicate() => {
                bail!("the user name '{}' is taken", self.username)
            }
            Err(error) => return Err(error.into()),
        };
        store::user::adopt_person(conn, id, &self.email).await?;
        Ok(id)
    }
}

/// Returns the ids of projects by their linknames.
pub(super) async fn projects(
    conn: &mut Conn,
    linknames: &[String],
) -> anyhow::Result<Vec<ProjectId>> {
    let mut ids = Vec::new();
    for linkname in linknames {
        match store::project::by_linkname(conn, linkname).await? {
            Some(project) => ids.push(project.id),
            None => bail!("there is no project '{linkname}'"),
        }
    }
    Ok(ids)
}

/// Returns a password: asked twice on a terminal, else from one of the variables.
pub(super) fn password(variables: &[&str], may_ask: bool) -> anyhow::Result<String> {
    let given = variables.iter().find_map(|name| env::var(name).ok());
    let password = match given {
        Some(password) => password,
        None if may_ask && io::stdin().is_terminal() => asked()?,
        None => bail!(
            "no password: set the environment variable {}, or run this on a terminal",
            variables[0]
        ),
    };
    checked(password)
}

/// Returns a password: from one of the variables, else asked twice on a terminal, else the first line of
/// standard input.
pub(super) fn password_or_line(variables: &[&str]) -> anyhow::Result<String> {
    let is_given = variables.iter().any(|name| env::var_os(name).is_some());
    if is_given || io::stdin().is_terminal() {
        return password(variables, true);
    }
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read a password")?;
    match line.trim_end_matches(['\r', '\n']) {
        "" => bail!(
            "no password: set the environment variable {}, write it to standard input, or run this on a terminal",
            variables[0]
        ),
        password => checked(password.to_owned()),
    }
}

fn checked(password: String) -> anyhow::Result<String> {
    if password.chars().count() < MIN_PASSWORD {
        bail!("the password is too short: {MIN_PASSWORD} characters at least");
    }
    Ok(password)
}

fn asked() -> anyhow::Result<String> {
    let first = rpassword::prompt_password("Password: ").context("cannot read a password")?;
    let second = rpassword::prompt_password("Password (again): ")?;
    if first != second {
        bail!("the two passwords differ");
    }
    Ok(first)
}

/// Asks for a line on the terminal.
pub(super) fn ask(question: &str) -> anyhow::Result<String> {
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question}: ")?;
    terminal.flush()?;
    let mut line = String::new();
    if io::stdin().lock().read_line(&mut line)? == 0 {
        bail!("no answer");
    }
    Ok(line.trim().to_owned())
}
