//! `patchwork cron`: delivers the mails in the spool, sends what is due, forgets what has expired, works on jobs.

use std::time::Duration;

use anyhow::Context;
use clap::Args;

use super::{
    Common, Outcome, block_on, database, long, output, parsemail::intake, quarantine, serve,
};
use crate::{
    api,
    config::Settings,
    domain::{Timestamp, undo},
    ingest::job,
    notify::{
        Mailer, address,
        digest::{self, Site},
        outbox,
        webhook::{self, Teller},
    },
    store::{self, Db},
};

/// How many days after a notification it can still end them all.
const UNSUBSCRIBE_DAYS: i64 = 2 * 365;

/// Deliver the spool, send notifications, and forget what has expired
#[derive(Debug, Args)]
#[command(after_help = "\
To be run every few minutes; two at once do no harm. Says nothing unless something fails: a mail that cannot be \
sent is told on standard error and tried again later, for three days and a half; a mail that cannot be delivered from \
mail.intake.spool stays there. Jobs of the admin console that no server works on are worked on for four minutes.

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
            let done = long::or_interrupted(work(&db, settings, &mailer)).await;
            db.close().await;
            done
        })
    }
}

/// How long jobs are worked on at most; the next run goes on.
const JOBS: Duration = Duration::from_secs(240);

/// Does all of it; what fails does not keep the rest from being done.
async fn work(db: &Db, settings: &Settings, mailer: &Mailer) -> anyhow::Result<()> {
    let spool = deliver_spool(db, settings).await;
    let told = tell(db, settings, mailer).await;
    let expired = expire(db, settings).await;
    let jobs = job::work(db, &intake(settings), Some(JOBS)).await;
    let hooks = tell_webhooks(db, settings).await;
    let done = told.and(expired).and(jobs.map_err(Into::into)).and(hooks);
    spool.and(done.with_context(|| database::named(settings)))
}

/// Sends what is due.
async fn tell(db: &Db, settings: &Settings, mailer: &Mailer) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let site = Site {
        url: address::of_site(
            &mut db.reader().await?,
            settings.site_url().as_deref(),
            settings.site.force_https,
            &settings.server.url_prefix,
        )
        .await?,
        sender: settings.notification_sender().to_owned(),
        delay: i64::from(settings.mail.notification_delay),
    };
    digest::queue(db, &site, now, failed).await?;
    let patience = Duration::from_secs(settings.mail.timeout);
    outbox::send_due(db, mailer, patience, Timestamp::now, failed).await?;
    Ok(())
}

/// Tells webhooks what happened, where no server does.
async fn tell_webhooks(db: &Db, settings: &Settings) -> anyhow::Result<()> {
    let events = Box::new(api::Events::new(db.clone(), serve::rest(settings)));
    let teller = Teller::new(db.clone(), events, &settings.webhooks)?;
    webhook::round(&teller).await?;
    Ok(webhook::tidy(&teller).await?)
}

/// Forgets what has expired.
async fn expire(db: &Db, settings: &Settings) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let days = i64::from(settings.mail.confirmation_validity);
    let mut tx = db.begin().await?;
    let expired = store::confirmation::expire(&mut tx, now.plus_minutes(-days * 24 * 60)).await?;
    let sessions = store::session::expire(&mut tx, now).await?;
    let yesterday = now.plus_minutes(-24 * 60);
    store::throttle::expire(&mut tx, yesterday).await?;
    store::job::beat(&mut tx, "cron", now).await?;
    store::second_factor::expire(&mut tx, now).await?;
    // Whoever reads an old mail may still end the notifications.
    store::unsubscribe::expire(&mut tx, now.plus_minutes(-UNSUBSCRIBE_DAYS * 24 * 60)).await?;
    store::review::expire(&mut tx, now).await?;
    store::undo::expire(&mut tx, now.plus_minutes(-undo::MINUTES)).await?;
    tx.commit().await?;
    tracing::info!(
        "{} confirmations, {} accounts and {sessions} sessions have expired",
        expired.confirmations,
        expired.accounts
    );
    Ok(())
}

/// Delivers the mails that came while the database was away.
async fn deliver_spool(db: &Db, settings: &Settings) -> anyhow::Result<()> {
    let Some(folder) = settings.spool() else {
        return Ok(());
    };
    let report = quarantine::deliver_spool(db, settings, folder).await?;
    for (file, outcome) in &report.outcomes {
        tracing::info!("from the spool: {file}: {outcome:?}");
    }
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
