//! `patchwork relink`: finds out anew which series are revisions of which.

use std::{cell::Cell, process::ExitCode, time::Duration};

use clap::Args;

use super::{Common, Outcome, block_on, database, long, output};
use crate::{
    domain::{SeriesId, Timestamp},
    ingest::revision,
    store::{self, Db},
};

/// How long a step is tried when mail comes in at the same time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Find out anew which series are revisions of which
#[derive(Debug, Args)]
#[command(after_help = "\
Reads again what the mails of all series say of earlier revisions, and links each series to the one before. Links that \
were made or taken away by hand stay. New mails are linked as they come, and an upgrade does this once by itself in the \
background: it is of use after people were merged or series were moved. May be interrupted; it says where to go on.

Examples:
  patchwork relink
  patchwork relink --after 4711")]
pub(super) struct Relink {
    /// Leave out the series up to this id
    #[arg(long, value_name = "ID", default_value_t = 0)]
    after: i64,
}

impl Relink {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let reached = Cell::new(SeriesId(self.after));
        let code = block_on(async {
            let db = database::ready(&loaded.settings).await?;
            let last = store::revision::last_series(&mut db.reader().await?).await?;
            let bar = long::bar(common, last.0);
            let code = long::or_interrupted(async {
                while let Some(id) = step(&db, reached.get()).await? {
                    reached.set(id);
                    long::moved(&bar, id.0);
                }
                Ok(())
            })
            .await;
            bar.finish_and_clear();
            db.close().await;
            code
        })?;
        if code != ExitCode::SUCCESS {
            output::tell(&format!(
                "interrupted; patchwork relink --after {} goes on",
                reached.get()
            ));
        } else if !common.is_quiet() {
            output::say("done")?;
        }
        Ok(code)
    }
}

/// Links some series, in a transaction of its own.
async fn step(db: &Db, after: SeriesId) -> store::Result<Option<SeriesId>> {
    store::patience::patiently(PATIENCE, store::Error::is_contention, || async {
        let mut tx = db.begin().await?;
        let last = revision::relink(&mut tx, after, Timestamp::now()).await?;
        tx.commit().await?;
        Ok(last)
    })
    .await
}
