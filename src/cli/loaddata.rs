//! `patchwork loaddata`: states, tags and projects from a fixture.

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, bail};
use clap::Args;
use serde::Deserialize;

use super::{Common, Outcome, block_on, database, output};
use crate::{
    domain::{ListId, Project, ProjectId, State, StateId, Tag, TagId, pattern, project},
    store::{
        self, Conn,
        fixture::{self, Outcome as Done},
    },
};

/// The fixtures we carry. They are in the form of a dump, one row a line.
const FIXTURES: &[(&str, &str)] = &[
    (
        "default_states",
        include_str!("fixture/default_states.json"),
    ),
    ("default_tags", include_str!("fixture/default_tags.json")),
    (
        "default_projects",
        include_str!("fixture/default_projects.json"),
    ),
];

/// Put states, tags and projects into the database
#[derive(Debug, Args)]
#[command(after_help = "\
A fixture is default_states, default_tags or default_projects (a path that ends in that name will do), or a file of \
JSON lines as `patchwork dumpdata state tag project` prints them. Rows that are there stay as they are.

Examples:
  patchwork loaddata default_states default_tags
  patchwork loaddata site.json --force")]
pub(super) struct Loaddata {
    /// The fixtures
    #[arg(required = true, value_name = "FIXTURE")]
    fixtures: Vec<String>,
    /// Overwrite rows that are there
    #[arg(long)]
    force: bool,
}

/// A row of a fixture.
#[derive(Debug, Deserialize)]
#[serde(tag = "table", rename_all = "lowercase", deny_unknown_fields)]
enum Row {
    State {
        id: i64,
        name: String,
        slug: String,
        ordering: i64,
        action_required: bool,
    },
    Tag {
        id: i64,
        name: String,
        pattern: String,
        abbrev: String,
        show_column: bool,
    },
    Project(ProjectRow),
}

/// A project; its id belongs to the database it comes from and is not used.
#[derive(Debug, Deserialize)]
struct ProjectRow {
    linkname: String,
    name: String,
    list_id: String,
    list_email: String,
    #[serde(default)]
    subject_match: String,
    #[serde(default)]
    web_url: String,
    #[serde(default)]
    scm_url: String,
    #[serde(default)]
    webscm_url: String,
    #[serde(default)]
    list_archive_url: String,
    #[serde(default)]
    list_archive_url_format: String,
    #[serde(default)]
    commit_url_format: String,
    #[serde(default)]
    send_notifications: bool,
    #[serde(default)]
    show_dependencies: bool,
    #[serde(default = "yes")]
    use_tags: bool,
    #[serde(default)]
    supersede: bool,
}

fn yes() -> bool {
    true
}

impl Loaddata {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let mut rows = Vec::new();
        for fixture in &self.fixtures {
            rows.extend(parsed(fixture, &text(fixture)?)?);
        }
        let loaded = common.settings(Vec::new())?;
        let counts = block_on(async {
            let db = database::ready(&loaded.settings).await?;
            let mut tx = db.begin().await?;
            let mut counts = Counts::default();
            for row in &rows {
                counts.add(put(&mut tx, row, self.force).await?);
            }
            fixture::move_sequences(&mut tx).await?;
            tx.commit().await?;
            db.close().await;
            Ok(counts)
        })?;
        if !common.is_quiet() {
            output::say(&format!(
                "Rows added: {}, overwritten: {}, kept as they were: {}.",
                counts.added, counts.replaced, counts.kept
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Default)]
struct Counts {
    added: u64,
    replaced: u64,
    kept: u64,
}

impl Counts {
    fn add(&mut self, done: Done) {
        match done {
            Done::Added => self.added += 1,
            Done::Replaced => self.replaced += 1,
            Done::Kept => self.kept += 1,
        }
    }
}

/// Returns the text of a fixture of ours, or of a file.
fn text(fixture: &str) -> anyhow::Result<String> {
    let path = Path::new(fixture);
    let is_json = path
        .extension()
        .is_some_and(|extension| extension == "json");
    // Guides name them `…/fixtures/default_states.xml`; such a file need not be there.
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    if let Some((_, text)) = FIXTURES.iter().find(|(name, _)| Some(*name) == stem)
        && !(is_json && path.is_file())
    {
        return Ok((*text).to_owned());
    }
    if !is_json {
        let names: Vec<&str> = FIXTURES.iter().map(|(name, _)| *name).collect();
        bail!(
            "there is no fixture '{fixture}'; there are {}, and files that end in .json",
            names.join(", ")
        );
    }
    fs::read_to_string(path).with_context(|| format!("cannot read the fixture {fixture}"))
}

fn parsed(fixture: &str, text: &str) -> anyhow::Result<Vec<Row>> {
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            let place = || format!("{fixture}, line {}", number + 1);
            let row: Row = serde_json::from_str(line).with_context(place)?;
            checked(&row).with_context(place)?;
            Ok(row)
        })
        .collect()
}

fn checked(row: &Row) -> anyhow::Result<()> {
    match row {
        Row::State { .. } => {}
        Row::Tag { pattern: text, .. } => {
            if let Err(fault) = pattern::compile(text) {
                bail!("'{text}' is no regular expression: {fault}");
            }
        }
        Row::Project(row) => {
            let faults = project::faults(&row.project());
            if !faults.is_empty() {
                bail!("{}", faults.join("; "));
            }
        }
    }
    Ok(())
}

async fn put(conn: &mut Conn, row: &Row, force: bool) -> store::Result<Done> {
    match row {
        Row::State {
            id,
            name,
            slug,
            ordering,
            action_required,
        } => {
            let state = State {
                id: StateId(*id),
                name: name.clone(),
                slug: slug.clone(),
                ordering: *ordering,
                action_required: *action_required,
            };
            fixture::state(conn, &state, force).await
        }
        Row::Tag {
            id,
            name,
            pattern,
            abbrev,
            show_column,
        } => {
            let tag = Tag {
                id: TagId(*id),
                name: name.clone(),
                pattern: pattern.clone(),
                abbrev: abbrev.clone(),
                show_column: *show_column,
            };
            fixture::tag(conn, &tag, force).await
        }
        Row::Project(row) => fixture::project(conn, &row.project(), force).await,
    }
}

impl ProjectRow {
    fn project(&self) -> Project {
        Project {
            id: ProjectId(0),
            linkname: self.linkname.clone(),
            name: self.name.clone(),
            list_id: ListId::new(&self.list_id),
            list_email: self.list_email.clone(),
            subject_match: self.subject_match.clone(),
            web_url: self.web_url.clone(),
            scm_url: self.scm_url.clone(),
            webscm_url: self.webscm_url.clone(),
            list_archive_url: self.list_archive_url.clone(),
            list_archive_url_format: self.list_archive_url_format.clone(),
            commit_url_format: self.commit_url_format.clone(),
            send_notifications: self.send_notifications,
            show_dependencies: self.show_dependencies,
            use_tags: self.use_tags,
            supersede: self.supersede,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_fixtures_are_found_by_name_and_by_path() {
        for name in [
            "default_states",
            "default_tags.xml",
            "/opt/patchwork/patchwork/fixtures/default_projects.xml",
            "default_states.json",
        ] {
            let rows = parsed(name, &text(name).expect("a fixture")).expect("rows");
            assert!(!rows.is_empty(), "{name}");
        }
        assert!(text("default_users").is_err());
    }
}
