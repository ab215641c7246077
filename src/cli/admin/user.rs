//! `patchwork admin user`: accounts.

use anyhow::bail;
use clap::{ArgAction, Subcommand};
use serde_json::json;

use super::{Desk, differing, yes};
use crate::{
    cli::account::{self, Account},
    domain::{self, person},
    store::{
        self,
        admin::member,
        audit::{Action, Change},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Make an account; nothing happens if it is there with this address
    ///
    /// The password is asked for twice; without a terminal it comes from PATCHWORK_PASSWORD.
    Add {
        /// The login name
        username: String,
        /// The address of the account
        #[arg(long, value_name = "ADDRESS")]
        email: String,
        /// Let the user do everything
        #[arg(long)]
        superuser: bool,
    },
    /// Change an account: only what is named
    Set {
        /// The login name
        username: String,
        /// Another address
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Another first name
        #[arg(long)]
        first_name: Option<String>,
        /// Another last name
        #[arg(long)]
        last_name: Option<String>,
        /// Whether it may log in
        #[arg(long, value_name = "true|false", action = ArgAction::Set)]
        active: Option<bool>,
        /// Whether it may enter the admin console
        #[arg(long, value_name = "true|false", action = ArgAction::Set)]
        staff: Option<bool>,
        /// Whether it may do everything there
        #[arg(long, value_name = "true|false", action = ArgAction::Set)]
        superuser: Option<bool>,
    },
    /// Let an account log in no more; its sessions end
    Deactivate {
        /// The login name
        username: String,
    },
    /// List all accounts
    List,
}

impl User {
    pub(super) async fn run(self, desk: &mut Desk<'_>) -> anyhow::Result<()> {
        match self {
            User::Add {
                username,
                email,
                superuser,
            } => add(desk, &username, &email, superuser).await,
            User::Set {
                username,
                email,
                first_name,
                last_name,
                active,
                staff,
                superuser,
            } => {
                let before = desk.user(&username).await?;
                let mut after = before.clone();
                after.email = email.unwrap_or(after.email);
                after.first_name = first_name.unwrap_or(after.first_name);
                after.last_name = last_name.unwrap_or(after.last_name);
                after.is_active = active.unwrap_or(after.is_active);
                after.is_staff = staff.unwrap_or(after.is_staff);
                after.is_superuser = superuser.unwrap_or(after.is_superuser);
                set(desk, &before, &after).await
            }
            User::Deactivate { username } => {
                let before = desk.user(&username).await?;
                let after = domain::User {
                    is_active: false,
                    ..before.clone()
                };
                set(desk, &before, &after).await
            }
            User::List => {
                for user in store::user::everybody(&mut desk.tx).await? {
                    let mut line = format!("{:<20} {:<32}", user.username, user.email);
                    for (word, is_so) in [
                        ("superuser", user.is_superuser),
                        ("staff", user.is_staff),
                        ("inactive", !user.is_active),
                    ] {
                        if is_so {
                            line.push_str(&format!(" {word}"));
                        }
                    }
                    desk.list(line.trim_end().to_owned(), object(&user));
                }
                Ok(())
            }
        }
    }
}

fn object(user: &domain::User) -> serde_json::Value {
    json!({
        "id": user.id.0,
        "username": user.username,
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "active": user.is_active,
        "staff": user.is_staff,
        "superuser": user.is_superuser,
    })
}

async fn add(
    desk: &mut Desk<'_>,
    username: &str,
    email: &str,
    is_superuser: bool,
) -> anyhow::Result<()> {
    let account = Account::new(username, email, is_superuser)?;
    if let Some(known) = store::user::by_username(&mut desk.tx, username).await? {
        if known.email == email && known.is_superuser == is_superuser {
            desk.tell(
                format!("The user {username} is there already."),
                object(&known),
            );
            return Ok(());
        }
        bail!(
            "there is a user '{username}', and it is another one; `patchwork admin user set` changes it"
        );
    }
    let password = account::password(&["PATCHWORK_PASSWORD"], true)?;
    account
        .insert(&mut desk.tx, desk.settings, &password, desk.now)
        .await?;
    let user = desk.user(username).await?;
    desk.log(Action::Added, ("auth.user", user.id, username), &[])
        .await?;
    desk.tell(format!("Made the user {username}."), object(&user));
    Ok(())
}

async fn set(
    desk: &mut Desk<'_>,
    before: &domain::User,
    after: &domain::User,
) -> anyhow::Result<()> {
    if before.email != after.email
        && (!person::is_email(&after.email) || after.email.chars().count() > 254)
    {
        bail!("'{}' is no mail address", after.email);
    }
    if after.first_name.chars().count() > 150 || after.last_name.chars().count() > 150 {
        bail!("a name has 150 characters at most");
    }
    let rules = |user: &domain::User| user.is_active && user.is_staff && user.is_superuser;
    if rules(before)
        && !rules(after)
        && member::other_superusers(&mut desk.tx, before.id).await? == 0
    {
        bail!(
            "{} is the last superuser who can log in; make another one first",
            before.username
        );
    }
    let changes = differing(vec![
        Change::new("Mail address", before.email.as_str(), after.email.as_str()),
        Change::new(
            "First name",
            before.first_name.as_str(),
            after.first_name.as_str(),
        ),
        Change::new(
            "Last name",
            before.last_name.as_str(),
            after.last_name.as_str(),
        ),
        Change::new("May log in", yes(before.is_active), yes(after.is_active)),
        Change::new("Staff", yes(before.is_staff), yes(after.is_staff)),
        Change::new(
            "Superuser",
            yes(before.is_superuser),
            yes(after.is_superuser),
        ),
    ]);
    let name = after.username.as_str();
    if changes.is_empty() {
        desk.tell(
            format!("The user {name} is as wanted already."),
            object(after),
        );
        return Ok(());
    }
    store::user::replace(&mut desk.tx, after).await?;
    if before.is_active && !after.is_active {
        store::session::end_others(&mut desk.tx, after.id, &[]).await?;
    }
    desk.log(Action::Changed, ("auth.user", after.id, name), &changes)
        .await?;
    desk.tell(format!("Changed the user {name}."), object(after));
    Ok(())
}
