//! Who takes mails one by one while a process runs: an LMTP door, a watched folder, the webhook, and
//! what hands mails over (`handover.rs`). A mail is stored, or
//! waits in the spool, or is given back; nothing else happens to it.

use std::{path::PathBuf, sync::Arc};

use tokio::{runtime::Handle, task};

use super::{Options, Outcome, spool};
use crate::{
    domain::{ListId, Timestamp},
    store::Db,
};

/// What takes mails.
#[derive(Clone, Debug)]
pub struct Taker {
    db: Db,
    options: Arc<Options>,
    spool: Option<PathBuf>,
}

/// What was done with a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is stored, or was before, or is set aside.
    Stored(Outcome),
    /// It waits in the spool.
    Spooled,
}

/// A mail is given back, for trouble of ours; it is to be tried again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct GivenBack(pub String);

impl Taker {
    /// Returns one that stores mails in a database, or puts them into a spool, if there is one, while that is away.
    pub fn new(db: Db, options: Options, spool: Option<PathBuf>) -> Taker {
        Taker {
            db,
            options: Arc::new(options),
            spool,
        }
    }

    /// Takes a mail; when this returns without an error, the mail is safe.
    ///
    /// # Errors
    /// When it could neither be stored nor be kept.
    pub async fn take(&self, raw: Vec<u8>, list: Option<ListId>) -> Result<Taken, GivenBack> {
        let (taker, runtime) = (self.clone(), Handle::current());
        // A delivery keeps its thread for itself while it reads a mail.
        let work = move || runtime.block_on(taker.stored(&raw, list.as_ref()));
        match task::spawn_blocking(work).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!("a mail is given back: {error}");
                Err(GivenBack(error.to_string()))
            }
        }
    }

    async fn stored(&self, raw: &[u8], list: Option<&ListId>) -> Result<Taken, GivenBack> {
        let now = Timestamp::now();
        let why = match super::receive(&self.db, raw, list, &self.options, now).await {
            Ok(outcome) => return Ok(Taken::Stored(outcome)),
            Err(error) => error.to_string(),
        };
        let Some(folder) = &self.spool else {
            tracing::warn!("a mail is given back: {why}");
            return Err(GivenBack(why));
        };
        match spool::put(folder, raw, list, now) {
            Ok(file) => {
                tracing::warn!("the mail waits in {}: {why}", file.display());
                Ok(Taken::Spooled)
            }
            Err(cause) => {
                let why = format!(
                    "cannot write the spool {}: {cause}; and before that: {why}",
                    folder.display()
                );
                tracing::error!("a mail is given back: {why}");
                Err(GivenBack(why))
            }
        }
    }
}
