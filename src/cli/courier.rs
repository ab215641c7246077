//! The tasks of a server besides answering: mails leave the outbox, jobs go on. Begun with the site, ended with it.

use std::time::Duration;

use rocket::{Build, Rocket, fairing::AdHoc, tokio};
use rocket_db_pools::Database;

use crate::{
    api,
    config::Settings,
    ingest::job,
    notify::{
        Mailer,
        courier::{self, Bell},
        webhook::{self, Teller},
    },
    store,
};

/// Lets a site work on jobs in the background. What is under way when the server ends is undone, and goes on with the next
/// one; under CGI `patchwork cron` works.
pub(super) fn attach_jobs(site: Rocket<Build>, settings: &Settings) -> Rocket<Build> {
    let options = super::parsemail::intake(settings);
    site.attach(AdHoc::on_liftoff("Jobs", move |rocket| {
        Box::pin(async move {
            if let Some(database) = store::Database::fetch(rocket) {
                tokio::spawn(job::serve(database.0.clone(), options));
            }
        })
    }))
}

/// Lets a site tell webhooks what happens. Under CGI `patchwork cron` does.
pub(super) fn attach_webhooks(
    site: Rocket<Build>,
    settings: &Settings,
    options: api::Options,
) -> Rocket<Build> {
    let settings = settings.webhooks.clone();
    site.attach(AdHoc::on_liftoff("Webhooks", move |rocket| {
        Box::pin(async move {
            let Some(database) = store::Database::fetch(rocket) else {
                return;
            };
            let db = database.0.clone();
            let events = Box::new(api::Events::new(db.clone(), options));
            match Teller::new(db, events, &settings) {
                Ok(teller) => drop(tokio::spawn(webhook::serve(teller))),
                Err(why) => tracing::error!("{why}; webhooks are not told"),
            }
        })
    }))
}

/// Lets a site send its mails. Under CGI there is nobody to do it when the request is answered: `patchwork cron` does.
pub(super) fn attach(site: Rocket<Build>, settings: &Settings) -> Rocket<Build> {
    let mailer = match Mailer::new(&settings.mail) {
        Ok(mailer) => mailer,
        // The site is worth more than its mails, which wait.
        Err(why) => {
            tracing::error!("{why}; no mail is sent");
            return site;
        }
    };
    let patience = Duration::from_secs(settings.mail.timeout);
    let bell = Bell::default();
    let rung = bell.clone();
    site.manage(bell)
        .attach(AdHoc::on_liftoff("Outgoing mails", move |rocket| {
            Box::pin(async move {
                if let Some(database) = store::Database::fetch(rocket) {
                    let db = database.0.clone();
                    tokio::spawn(courier::serve(db, mailer, patience, rung));
                }
            })
        }))
}
