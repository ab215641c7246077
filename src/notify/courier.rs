//! Takes mails out of the outbox while the site is being served: soon after they are written, and once a minute in case
//! another process wrote them. No page waits for a mail server.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, time};

use super::{Mailer, outbox};
use crate::{
    domain::Timestamp,
    store::{self, Db},
};

/// How often the outbox is looked into when nobody rings.
const PAUSE: Duration = Duration::from_secs(60);

/// What is rung when a mail was written.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Says that a mail waits; to be rung after the commit.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

/// Sends what is due, for ever. `patience` is how long a mail server may take.
pub async fn serve(db: Db, mailer: Mailer, patience: Duration, bell: Bell) {
    loop {
        if let Err(error) = round(&db, &mailer, patience).await {
            tracing::error!("the outbox could not be looked into: {error}");
        }
        // Whoever rings during a round is heard now.
        let _ = time::timeout(PAUSE, bell.0.notified()).await;
    }
}

async fn round(db: &Db, mailer: &Mailer, patience: Duration) -> store::Result<()> {
    // Looking takes no lock; most of the time there is nothing.
    let is_due = store::outbox::is_due(&mut db.reader().await?, Timestamp::now()).await?;
    match is_due {
        true => outbox::send_due(db, mailer, patience, Timestamp::now, failed).await,
        false => Ok(()),
    }
}

fn failed(recipient: &str, error: &str) {
    tracing::error!("a mail to {recipient} could not be sent: {error}");
}
