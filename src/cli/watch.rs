//! `patchwork watch`: takes mails from Maildirs as they arrive.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};
use clap::Args;
use tokio::{select, time::sleep};

use super::{Common, Outcome, block_on, lmtp::taker, output, parsemail::list_id};
use crate::{domain::ListId, gateway, ingest::maildir::Maildir, ingest::taker::Taker};

/// How often is looked for new mails: reading an empty folder costs nothing, on every kind of disk.
const PAUSE: Duration = Duration::from_secs(1);

/// How long to wait, at most, when mails cannot be stored.
const LONG: Duration = Duration::from_secs(60);

/// Take mails from Maildirs as they arrive
#[derive(Debug, Args)]
#[command(after_help = "\
A mail that arrives in new/ is stored and moves to cur/, marked as seen. While the database is away it stays where it \
is, or goes to mail.intake.spool where there is one. One that cannot be read is logged once and tried again; those \
after it do not wait for it. Folders below a Maildir are named one by one. Ctrl-C or SIGTERM \
ends after the mail in hand; nothing is lost or stored twice however this program ends.

Examples:
  patchwork watch /var/mail/patchwork
  patchwork watch --list-id dev.tidepool.example.org ~/Maildir ~/Maildir/.dev
  patchwork watch --once ~/Maildir")]
pub(super) struct Watch {
    /// The list the mails come by, whatever their headers say
    #[arg(long, value_name = "ID")]
    list_id: Option<String>,
    /// Take what is there, and end
    #[arg(long)]
    once: bool,
    /// The Maildirs
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
}

impl Watch {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let list = self.list_id.as_deref().map(list_id);
        let opened = self.folders.iter().map(|folder| {
            Maildir::open(folder).with_context(|| format!("cannot watch {}", folder.display()))
        });
        let mut maildirs = opened.collect::<anyhow::Result<Vec<_>>>()?;
        block_on(async {
            let taker = taker(&loaded.settings).await?;
            let stop = Arc::new(AtomicBool::new(false));
            let told = stop.clone();
            tokio::spawn(async move {
                gateway::told_to_stop().await;
                told.store(true, Ordering::Relaxed);
            });
            if self.once {
                let count = pass(&mut maildirs, &taker, list.as_ref(), &stop).await?;
                if !common.is_quiet() {
                    output::say(&format!("{count} mails"))?;
                }
                let unread: usize = maildirs.iter().map(Maildir::unread).sum();
                ensure!(unread == 0, "{unread} mails in new/ cannot be read");
                return Ok(ExitCode::SUCCESS);
            }
            if !common.is_quiet() {
                output::say("Watching (Ctrl-C ends it)")?;
            }
            watch(&mut maildirs, &taker, list.as_ref(), &stop).await;
            Ok(ExitCode::SUCCESS)
        })
    }
}

async fn watch(maildirs: &mut [Maildir], taker: &Taker, list: Option<&ListId>, stop: &AtomicBool) {
    let mut pause = PAUSE;
    while !stop.load(Ordering::Relaxed) {
        match pass(maildirs, taker, list, stop).await {
            Ok(_) => pause = PAUSE,
            Err(error) => {
                pause = (pause * 2).min(LONG);
                tracing::warn!("{}; mails stay in new/", output::sentence(&error));
            }
        }
        let stopped = async {
            while !stop.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(100)).await;
            }
        };
        select! {
            () = sleep(pause) => {}
            () = stopped => {}
        }
    }
}

/// Takes what is in all folders; one that fails does not keep the others from being read.
async fn pass(
    maildirs: &mut [Maildir],
    taker: &Taker,
    list: Option<&ListId>,
    stop: &AtomicBool,
) -> anyhow::Result<usize> {
    let (mut count, mut failed) = (0, None);
    for maildir in maildirs {
        match maildir
            .take(taker, list, || stop.load(Ordering::Relaxed))
            .await
        {
            Ok(some) => count += some,
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(count),
    }
}
