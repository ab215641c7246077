//! `patchwork admin site`: the domain that stands in mails and in settings for clients.

use anyhow::bail;
use clap::Subcommand;
use serde_json::json;

use super::{Desk, differing};
use crate::{
    domain::site::{is_at, is_domain},
    store::{
        self,
        audit::{Action, Change},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Site {
    /// Set the site's domain, or its name
    #[command(arg_required_else_help = true)]
    Set {
        /// The host, with its port if that is not the usual one: patches.example.org
        #[arg(long, value_name = "HOST")]
        domain: Option<String>,
        /// What the site is called
        #[arg(long)]
        name: Option<String>,
    },
    /// Show domain and name
    Show,
}

impl Site {
    pub(super) async fn run(self, desk: &mut Desk<'_>) -> anyhow::Result<()> {
        let (before_domain, before_name) = store::site::read(&mut desk.tx).await?;
        let Site::Set { domain, name } = self else {
            let line = format!("{before_domain} ({before_name})");
            desk.list(line, json!({"domain": before_domain, "name": before_name}));
            return Ok(());
        };
        let domain = domain.unwrap_or_else(|| before_domain.clone());
        let name = name.unwrap_or_else(|| before_name.clone());
        if !is_domain(&domain) || domain.chars().count() > 100 {
            bail!(
                "'{domain}' is no host: write it without scheme and path, such as patches.example.org"
            );
        }
        if name.is_empty() || name.chars().count() > 50 {
            bail!("the name has 1 to 50 characters");
        }
        let object = json!({"domain": domain, "name": name});
        let changes = differing(vec![
            Change::new("Domain", before_domain, domain.as_str()),
            Change::new("Name", before_name, name.as_str()),
        ]);
        if changes.is_empty() {
            desk.tell(format!("The domain is {domain} already."), object);
            return Ok(());
        }
        store::site::write(&mut desk.tx, &domain, &name).await?;
        desk.log(Action::Changed, ("sites.site", 1, &domain), &changes)
            .await?;
        let mut line = format!("The domain is {domain} now.");
        if let Some(url) = desk.settings.site_url()
            && !is_at(&url, &domain)
        {
            line.push_str(&format!(" Links follow site.url all the same: {url}."));
        }
        desk.tell(line, object);
        Ok(())
    }
}
