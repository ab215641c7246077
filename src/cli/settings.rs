//! `patchwork settings`: what is in force and where it comes from.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{Common, Outcome, output};

/// Show every setting and where it comes from
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  patchwork settings
  patchwork settings --json |
      jq -r '.[] | select(.source != \"default\") | .key'")]
pub(super) struct Settings {
    /// Print a list of objects instead of a table
    #[arg(long)]
    json: bool,
    // The guide of old says `settings show`.
    #[arg(hide = true, value_parser = ["show"])]
    show: Option<String>,
}

impl Settings {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let entries = common.settings(Vec::new())?.entries();
        if self.json {
            let list: Vec<_> = entries
                .iter()
                .map(|entry| {
                    json!({ "key": entry.key, "value": entry.value, "source": entry.source })
                })
                .collect();
            output::say(&serde_json::to_string_pretty(&list)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let head = ["SETTING", "VALUE", "FROM"].map(str::to_owned).to_vec();
        let rows: Vec<Vec<String>> = std::iter::once(head)
            .chain(entries.into_iter().map(|entry| {
                let value = match entry.value.as_str() {
                    "" => "(empty)".to_owned(),
                    _ => entry.value,
                };
                vec![entry.key, value, entry.source]
            }))
            .collect();
        output::table(&rows)?;
        Ok(ExitCode::SUCCESS)
    }
}
