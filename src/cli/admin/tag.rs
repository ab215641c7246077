//! `patchwork admin tag`: trailers that are counted.

use anyhow::bail;
use clap::{ArgAction, Subcommand};
use serde_json::json;

use super::{Desk, differing, sound, yes};
use crate::{
    domain::{
        TagId,
        tag::{self, Tag as Trailer},
    },
    store::{
        self,
        audit::{Action, Change},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Tag {
    /// Add a tag; `patchwork retag` counts it in what is there
    Add {
        /// Its name, such as Reviewed-by
        name: String,
        /// A regular expression for lines, case ignored
        #[arg(long, value_name = "REGEX")]
        pattern: String,
        /// One or two letters for narrow columns
        #[arg(long, value_name = "LETTERS")]
        abbrev: String,
        /// Whether lists show it
        #[arg(long, value_name = "true|false", default_value_t = true, action = ArgAction::Set)]
        show_column: bool,
    },
    /// Change a tag: only what is named
    Set {
        /// Its name
        tag: String,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        /// Another expression; `patchwork retag` counts anew
        #[arg(long, value_name = "REGEX")]
        pattern: Option<String>,
        /// Other letters
        #[arg(long, value_name = "LETTERS")]
        abbrev: Option<String>,
        /// Whether lists show it
        #[arg(long, value_name = "true|false", action = ArgAction::Set)]
        show_column: Option<bool>,
    },
    /// Remove a tag and its counts
    Remove {
        /// Its name
        tag: String,
    },
    /// List all tags
    List,
}

impl Tag {
    pub(super) async fn run(self, desk: &mut Desk<'_>) -> anyhow::Result<()> {
        let tags = store::tag::all(&mut desk.tx).await?;
        match self {
            Tag::Add {
                name,
                pattern,
                abbrev,
                show_column,
            } => {
                let wanted = Trailer {
                    id: TagId(0),
                    name,
                    pattern,
                    abbrev,
                    show_column,
                };
                add(desk, &tags, wanted).await
            }
            Tag::Set {
                tag,
                name,
                pattern,
                abbrev,
                show_column,
            } => {
                let before = find(&tags, &tag)?;
                let after = Trailer {
                    id: before.id,
                    name: name.unwrap_or_else(|| before.name.clone()),
                    pattern: pattern.unwrap_or_else(|| before.pattern.clone()),
                    abbrev: abbrev.unwrap_or_else(|| before.abbrev.clone()),
                    show_column: show_column.unwrap_or(before.show_column),
                };
                set(desk, &tags, before, &after).await
            }
            Tag::Remove { tag } => {
                let Some(tag) = tags.iter().find(|known| known.name == tag) else {
                    desk.tell(format!("There is no tag {tag}."), json!({"removed": false}));
                    return Ok(());
                };
                store::tag::delete(&mut desk.tx, tag.id).await?;
                let thing = ("patchwork.tag", tag.id, tag.name.as_str());
                desk.log(Action::Deleted, thing, &[]).await?;
                desk.tell(
                    format!("Removed the tag {}.", tag.name),
                    json!({"removed": true}),
                );
                Ok(())
            }
            Tag::List => {
                for tag in &tags {
                    let line = format!("{:<3} {:<20} {}", tag.abbrev, tag.name, tag.pattern);
                    desk.list(line, object(tag));
                }
                Ok(())
            }
        }
    }
}

fn object(tag: &Trailer) -> serde_json::Value {
    json!({"id": tag.id.0, "name": tag.name, "pattern": tag.pattern, "abbrev": tag.abbrev, "show_column": tag.show_column})
}

fn find<'a>(tags: &'a [Trailer], name: &str) -> anyhow::Result<&'a Trailer> {
    match tags.iter().find(|tag| tag.name == name) {
        Some(tag) => Ok(tag),
        None => bail!("there is no tag '{name}'"),
    }
}

async fn add(desk: &mut Desk<'_>, tags: &[Trailer], mut wanted: Trailer) -> anyhow::Result<()> {
    if let Some(known) = tags.iter().find(|tag| tag.name == wanted.name) {
        wanted.id = known.id;
        if *known == wanted {
            desk.tell(
                format!("The tag {} is there already.", wanted.name),
                object(&wanted),
            );
            return Ok(());
        }
        bail!(
            "there is a tag '{}', and it is another one; `patchwork admin tag set` changes it",
            wanted.name
        );
    }
    sound(&tag::faults(&wanted, tags))?;
    wanted.id = store::tag::insert(&mut desk.tx, &wanted).await?;
    let thing = ("patchwork.tag", wanted.id, wanted.name.as_str());
    desk.log(Action::Added, thing, &[]).await?;
    desk.tell(format!("Made the tag {}.", wanted.name), object(&wanted));
    Ok(())
}

async fn set(
    desk: &mut Desk<'_>,
    tags: &[Trailer],
    before: &Trailer,
    after: &Trailer,
) -> anyhow::Result<()> {
    sound(&tag::faults(after, tags))?;
    let changes = differing(vec![
        Change::new("Name", before.name.as_str(), after.name.as_str()),
        Change::new("Pattern", before.pattern.as_str(), after.pattern.as_str()),
        Change::new(
            "Abbreviation",
            before.abbrev.as_str(),
            after.abbrev.as_str(),
        ),
        Change::new(
            "Show it in lists",
            yes(before.show_column),
            yes(after.show_column),
        ),
    ]);
    if changes.is_empty() {
        desk.tell(
            format!("The tag {} is as it was.", after.name),
            object(after),
        );
        return Ok(());
    }
    store::tag::update(&mut desk.tx, after).await?;
    let thing = ("patchwork.tag", after.id, after.name.as_str());
    desk.log(Action::Changed, thing, &changes).await?;
    desk.tell(format!("Changed the tag {}.", after.name), object(after));
    Ok(())
}
