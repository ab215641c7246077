//! `patchwork cron`: sends what is due, forgets what has expired.

use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::{Common, Outcome, block_on, database, long, output};
use crate::{
    config::Settings,
    domain::Timestamp,
    notify::{
        Mailer,
        digest::{self, Site},
        outbox,
    },
    store::{self, Conn, Db},
};

/// Send notifications, and forget what has expired
#[derive(Debug, Args)]
#[command(after_help = "\
To be run every few minutes; two at once do no harm. Says nothing unless a mail cannot be sent: that is told on \
standard error and tried again later, for three days and a half.

Examples:
  patchwork cron
  */10 * * * * patchwork /usr/local/bin/patchwork cron      (in /etc/cron.d/)")]
pub(super) struct Cron {}

impl Cron {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let settings = &loaded.settings;
        let mailer = Mailer::new(&settings.mail)?;
        block_on(async {
            let db = database::ready(settings).await?;
            let done = long::or_interrupted(async {
                work(&db, settings, &mailer)
                    .await
                    .with_context(|| database::named(settings))
            })
            .await;
            db.close().await;
            done
        })
    }
}

async fn work(db: &Db, settings: &Settings, mailer: &Mailer) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let site = Site {
        url: address(&mut db.reader().await?, settings).await?,
        sender: settings.notification_sender().to_owned(),
        delay: i64::from(settings.mail.notification_delay),
    };
    digest::queue(db, &site, now, failed).await?;
    let patience = Duration::from_secs(settings.mail.timeout);
    outbox::send_due(db, mailer, patience, Timestamp::now, failed).await?;
    let days = i64::from(settings.mail.confirmation_validity);
    let mut tx = db.begin().await?;
    let expired = store::confirmation::expire(&mut tx, now.plus_minutes(-days * 24 * 60)).await?;
    tx.commit().await?;
    tracing::info!(
        "{} confirmations and {} accounts have expired",
        expired.confirmations,
        expired.accounts
    );
    Ok(())
}

/// Compatibility: the form in which watchers of cron know failures.
fn failed(recipient: &str, error: &str) {
    output::tell_plainly(&format!(
        "Failed sending to {}: {}",
        output::cut(recipient),
        error
    ));
}

/// Returns the address of the site for links in mails: what the settings say, else the site's domain.
async fn address(conn: &mut Conn, settings: &Settings) -> store::Result<String> {
    let site = match settings.site_url() {
        Some(url) => url,
        None => {
            let domain = store::health::site_domain(conn).await?;
            let scheme = match settings.site.force_https {
                true => "https",
                false => "http",
            };
            format!("{scheme}://{}", domain.unwrap_or_default())
        }
    };
    Ok(format!("{site}{}", settings.server.url_prefix))
}
