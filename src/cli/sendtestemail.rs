//! `patchwork sendtestemail`: sends one mail, to see whether mail goes out.

use std::process::ExitCode;

use clap::Args;

use super::{Common, Outcome, block_on, output};
use crate::{
    config::Backend,
    domain::Timestamp,
    notify::{Letter, Mailer},
};

/// Send a mail to see whether mail goes out
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  patchwork sendtestemail mara@example.org
  patchwork sendtestemail mara@example.org --set mail.backend=console")]
pub(super) struct Sendtestemail {
    /// Who gets it
    #[arg(required = true, value_name = "ADDRESS")]
    addresses: Vec<String>,
}

impl Sendtestemail {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let settings = &loaded.settings.mail;
        let mailer = Mailer::new(settings)?;
        block_on(async {
            for address in &self.addresses {
                let letter = Letter {
                    from: None,
                    to: address,
                    subject: "Test mail from Patchwork",
                    text: "If you can read this, Patchwork can send mail. Nothing has to be done.\n",
                    date: Timestamp::now(),
                    headers: "",
                    label: None,
                };
                mailer.send(&letter).await?;
            }
            Ok(())
        })?;
        // The console's output is the mail itself.
        if !common.is_quiet() && settings.backend != Backend::Console {
            output::say(&format!(
                "Sent a mail to {} through {}.",
                self.addresses.join(", "),
                mailer.way()
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
