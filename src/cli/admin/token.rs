//! `patchwork admin token`: what `patchwork token` does, with entries in the log.

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::json;

use super::Desk;
use crate::{
    cli::token::May,
    domain::permission::Scope,
    store::{
        self,
        audit::{Action, Change},
        token::Kept,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token and print it; it cannot be shown again
    New(New),
    /// Revoke a token
    Revoke {
        /// Whose it is
        user: String,
        /// Its number, as the list has it
        number: i64,
    },
    /// List the tokens of a user
    List {
        /// Whose tokens
        user: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct New {
    /// Whose token
    user: String,
    /// What its owner calls it
    #[arg(long, default_value = "")]
    name: String,
    /// What it may do
    #[arg(long, value_enum, default_value = "write")]
    scope: May,
    /// After how many days it stops to work [default: never]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=36_500))]
    expires: Option<i64>,
}

impl Token {
    pub(super) async fn run(self, desk: &mut Desk<'_>) -> anyhow::Result<()> {
        match self {
            Token::New(new) => make(desk, new).await,
            Token::Revoke { user, number } => revoke(desk, &user, number).await,
            Token::List { user } => {
                let user = desk.user(&user).await?;
                for token in store::token::of(&mut desk.tx, user.id).await? {
                    desk.list(crate::cli::token::line(&token), object(&token));
                }
                Ok(())
            }
        }
    }
}

fn object(token: &Kept) -> serde_json::Value {
    json!({
        "id": token.id,
        "name": token.name,
        "scope": token.scope,
        "created": token.created.iso(),
        "expires": token.expires.map(|at| at.iso()),
    })
}

async fn make(desk: &mut Desk<'_>, new: New) -> anyhow::Result<()> {
    let user = desk.user(&new.user).await?;
    let token = crate::cli::token::Token {
        user: new.user,
        name: new.name.clone(),
        scope: Some(new.scope),
        expires: new.expires,
        regenerate: false,
        list: false,
        revoke: None,
    };
    let key = token.make(&mut desk.tx, user.id, None).await?;
    let change = Change::new(
        "Tokens",
        "",
        format!("{} {}", Scope::from(new.scope).word(), new.name),
    );
    let thing = ("auth.user", user.id, user.username.as_str());
    desk.log(Action::Changed, thing, &[change]).await?;
    let object = json!({"user": user.username, "name": new.name, "token": key});
    desk.list(key, object);
    Ok(())
}

async fn revoke(desk: &mut Desk<'_>, user: &str, number: i64) -> anyhow::Result<()> {
    let user = desk.user(user).await?;
    if !store::token::delete(&mut desk.tx, user.id, number).await? {
        bail!("{} has no token {number}", user.username);
    }
    let change = Change::new("Tokens", format!("#{number}"), "");
    let thing = ("auth.user", user.id, user.username.as_str());
    desk.log(Action::Changed, thing, &[change]).await?;
    desk.tell(
        format!("Token {number} works no more."),
        json!({"id": number, "revoked": true}),
    );
    Ok(())
}
