//! `patchwork admin state`: where patches can stand.

use anyhow::bail;
use clap::{ArgAction, Subcommand};
use serde_json::json;

use super::{Desk, differing, sound, yes};
use crate::{
    domain::{
        StateId,
        change::Actor,
        state::{self, State as Word},
    },
    store::{
        self,
        admin::mend,
        audit::{Action, Change},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum State {
    /// Add a state
    Add {
        /// The name people see
        name: String,
        /// The name scripts use [default: made of the name]
        #[arg(long)]
        slug: Option<String>,
        /// The place in menus; new patches get the state at 0 [default: the last]
        #[arg(long, value_parser = clap::value_parser!(i64).range(0..=32767))]
        ordering: Option<i64>,
        /// Whether somebody has to act
        #[arg(long, value_name = "true|false", default_value_t = true, action = ArgAction::Set)]
        action_required: bool,
    },
    /// Change a state: only what is named
    Set {
        /// Its name or slug
        state: String,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        /// Another slug; scripts have to follow
        #[arg(long)]
        slug: Option<String>,
        /// Another place in menus
        #[arg(long, value_parser = clap::value_parser!(i64).range(0..=32767))]
        ordering: Option<i64>,
        /// Whether somebody has to act
        #[arg(long, value_name = "true|false", action = ArgAction::Set)]
        action_required: Option<bool>,
    },
    /// Remove a state
    Remove {
        /// Its name or slug
        state: String,
        /// The state its patches get
        #[arg(long, value_name = "STATE")]
        replace_by: Option<String>,
    },
    /// List all states in the order of menus
    List,
}

impl State {
    pub(super) async fn run(self, desk: &mut Desk<'_>) -> anyhow::Result<()> {
        let states = store::state::all(&mut desk.tx).await?;
        match self {
            State::Add {
                name,
                slug,
                ordering,
                action_required,
            } => {
                let last = states.iter().map(|state| state.ordering).max();
                let known = states.iter().find(|state| state.name == name);
                let wanted = Word {
                    id: StateId(0),
                    slug: slug.unwrap_or_else(|| match known {
                        Some(known) => known.slug.clone(),
                        None => state::slug(&name),
                    }),
                    name,
                    ordering: ordering
                        .or(known.map(|known| known.ordering))
                        .unwrap_or(last.map_or(0, |last| last + 1)),
                    action_required,
                };
                add(desk, &states, wanted).await
            }
            State::Set {
                state,
                name,
                slug,
                ordering,
                action_required,
            } => {
                let before = find(&states, &state)?;
                let after = Word {
                    id: before.id,
                    name: name.unwrap_or_else(|| before.name.clone()),
                    slug: slug.unwrap_or_else(|| before.slug.clone()),
                    ordering: ordering.unwrap_or(before.ordering),
                    action_required: action_required.unwrap_or(before.action_required),
                };
                set(desk, &states, before, &after).await
            }
            State::Remove { state, replace_by } => {
                remove(desk, &states, &state, replace_by.as_deref()).await
            }
            State::List => {
                for state in &states {
                    desk.list(
                        format!("{:>5} {:<24} {}", state.ordering, state.slug, state.name),
                        object(state),
                    );
                }
                Ok(())
            }
        }
    }
}

fn object(state: &Word) -> serde_json::Value {
    json!({"id": state.id.0, "name": state.name, "slug": state.slug, "ordering": state.ordering, "action_required": state.action_required})
}

fn find<'a>(states: &'a [Word], word: &str) -> anyhow::Result<&'a Word> {
    match states.iter().find(|state| state.is_called(word)) {
        Some(state) => Ok(state),
        None => bail!("there is no state '{word}'"),
    }
}

async fn add(desk: &mut Desk<'_>, states: &[Word], mut wanted: Word) -> anyhow::Result<()> {
    if let Some(known) = states.iter().find(|state| state.name == wanted.name) {
        wanted.id = known.id;
        if *known == wanted {
            desk.tell(
                format!("The state {} is there already.", wanted.name),
                object(&wanted),
            );
            return Ok(());
        }
        bail!(
            "there is a state '{}', and it is another one; `patchwork admin state set` changes it",
            wanted.name
        );
    }
    sound(&state::faults(&wanted, states))?;
    wanted.id = store::state::insert(&mut desk.tx, &wanted).await?;
    let thing = ("patchwork.state", wanted.id, wanted.name.as_str());
    desk.log(Action::Added, thing, &[]).await?;
    desk.tell(format!("Made the state {}.", wanted.name), object(&wanted));
    Ok(())
}

async fn set(
    desk: &mut Desk<'_>,
    states: &[Word],
    before: &Word,
    after: &Word,
) -> anyhow::Result<()> {
    sound(&state::faults(after, states))?;
    let changes = differing(vec![
        Change::new("Name", before.name.as_str(), after.name.as_str()),
        Change::new("Slug", before.slug.as_str(), after.slug.as_str()),
        Change::new(
            "Ordering",
            before.ordering.to_string(),
            after.ordering.to_string(),
        ),
        Change::new(
            "Action required",
            yes(before.action_required),
            yes(after.action_required),
        ),
    ]);
    if changes.is_empty() {
        desk.tell(
            format!("The state {} is as it was.", after.name),
            object(after),
        );
        return Ok(());
    }
    store::state::update(&mut desk.tx, after).await?;
    let thing = ("patchwork.state", after.id, after.name.as_str());
    desk.log(Action::Changed, thing, &changes).await?;
    desk.tell(format!("Changed the state {}.", after.name), object(after));
    Ok(())
}

async fn remove(
    desk: &mut Desk<'_>,
    states: &[Word],
    word: &str,
    into: Option<&str>,
) -> anyhow::Result<()> {
    let state = find(states, word)?;
    let into = match into {
        Some(into) => Some(find(states, into)?),
        None => None,
    };
    if state.ordering == 0 {
        bail!(
            "new patches get the state '{}': give another one the ordering 0 first",
            state.name
        );
    }
    let is_used = mend::is_state_used(&mut desk.tx, state.id).await?;
    let into = match into {
        Some(into) if into.id == state.id => bail!("a state cannot replace itself"),
        Some(into) => into,
        None if is_used => bail!(
            "the state '{}' is used: say with --replace-by which one its patches get",
            state.name
        ),
        None => state,
    };
    let by = Actor {
        user: None,
        at: desk.now,
    };
    let count = match into.id == state.id {
        true => {
            store::state::delete(&mut desk.tx, state.id).await?;
            0
        }
        false => mend::replace_state(&mut desk.tx, state.id, into.id, &by).await?,
    };
    let change = Change::new("Patches", count.to_string(), into.name.as_str());
    let thing = ("patchwork.state", state.id, state.name.as_str());
    desk.log(Action::Deleted, thing, &[change]).await?;
    let object = json!({"slug": state.slug, "removed": true, "patches": count});
    desk.tell(
        format!("Removed the state {}; {count} patches moved.", state.name),
        object,
    );
    Ok(())
}
