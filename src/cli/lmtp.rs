//! `patchwork lmtp`: takes mails from a mail server, without a process for each.

use std::{io, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    select,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};

use super::{
    Common, Outcome, database, output,
    parsemail::{intake, list_id},
    serve::octal,
};
use crate::{
    config::Settings,
    domain::ListId,
    gateway::{self, Listen, Listener, Socket},
    ingest::{
        lmtp::{Door, talk},
        taker::Taker,
    },
    store::{Db, migrate::Status},
};

/// Who may connect to a socket file, unless `--socket-mode` says otherwise: our user and its group.
const MODE: u32 = 0o660;

/// How long mails under way may take when we are told to stop.
const GOODBYE: Duration = Duration::from_secs(10);

/// How long to pause when the system gives no further connection.
const PAUSE: Duration = Duration::from_millis(100);

/// Take mails from a mail server over LMTP
#[derive(Debug, Args)]
#[command(after_help = "\
One process takes all mails, so each costs a few milliseconds. Every mail that reaches this program is answered with 250 \
once it is safe, or with 4xx, and then the mail server keeps it and tries again; nothing bounces. Whoever may connect \
may put mails in: keep an ADDRESS:PORT to this machine. From systemd, use --listen fd:3. Ctrl-C or SIGTERM finishes the \
mails under way.

Examples:
  patchwork lmtp --listen unix:/run/patchwork-lmtp/lmtp.sock --socket-mode 666
  patchwork lmtp --listen 127.0.0.1:2424

In Postfix's main.cf:
  transport_maps = inline:{ { lists.example.org =
      lmtp:unix:/run/patchwork-lmtp/lmtp.sock } }")]
pub(super) struct Lmtp {
    /// Where to listen: unix:PATH, ADDRESS:PORT, or fd:NUMBER for a socket that is open already
    #[arg(long, value_name = "ADDRESS")]
    listen: String,
    /// The permissions of a socket file [default: 660]
    #[arg(long, value_name = "OCTAL", value_parser = octal)]
    socket_mode: Option<u32>,
    /// The list the mails come by, whatever their headers say
    #[arg(long, value_name = "ID")]
    list_id: Option<String>,
    /// How many connections at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,
}

impl Lmtp {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let settings = &loaded.settings;
        let socket = self.open()?;
        let list = self.list_id.as_deref().map(list_id);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let done = runtime.block_on(async {
            let taker = taker(settings).await?;
            let gate = socket.listener()?;
            if !common.is_quiet() {
                output::say(&format!("Taking mails on {} (Ctrl-C ends it)", self.listen))?;
            }
            serve(gate, door(taker.clone(), list, settings), self.connections).await;
            Ok(ExitCode::SUCCESS)
        });
        runtime.shutdown_timeout(Duration::from_secs(1));
        done
    }

    fn open(&self) -> anyhow::Result<Socket> {
        let listen = Listen::parse(&self.listen)?.with_mode(self.socket_mode.unwrap_or(MODE));
        Ok(listen.open()?)
    }
}

/// Returns what takes mails. A server's database may be away: mails are given back until it is there.
pub(super) async fn taker(settings: &Settings) -> anyhow::Result<Taker> {
    database::is_there(settings)?;
    let db = database::open_with(settings, &database::options(settings))?;
    match database::status(&db, settings).await {
        Ok(Status::Current) => {}
        Ok(Status::Behind(_)) => bail!(
            "{} is not up to date: run `patchwork migrate`",
            database::named(settings)
        ),
        Ok(Status::Ahead) => {
            return Err(crate::store::migrate::ahead()).with_context(|| database::named(settings));
        }
        Err(error) => tracing::warn!("{}; mails wait until it is back", output::sentence(&error)),
    }
    Ok(taker_of(db, settings))
}

fn taker_of(db: Db, settings: &Settings) -> Taker {
    Taker::new(db, intake(settings), settings.spool().map(Into::into))
}

fn door(taker: Taker, list: Option<ListId>, settings: &Settings) -> Door {
    let hosts = intake(settings).hosts;
    let name = hosts
        .into_iter()
        .next()
        .unwrap_or_else(|| "patchwork".to_owned());
    Door::new(taker, list, name)
}

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn accept(gate: &Listener) -> io::Result<Box<dyn Stream>> {
    Ok(match gate {
        Listener::Unix(listener) => Box::new(listener.accept().await?.0),
        Listener::Tcp(listener) => {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
    })
}

/// Takes connections until told to stop, and then lets what is under way end.
async fn serve(gate: Listener, door: Door, connections: u16) {
    let (stop, stopped) = watch::channel(false);
    let room = Arc::new(Semaphore::new(usize::from(connections)));
    let mut told = std::pin::pin!(gateway::told_to_stop());
    loop {
        let next = async {
            let permit = room.clone().acquire_owned().await;
            (permit, accept(&gate).await)
        };
        let next = select! {
            () = &mut told => break,
            next = next => next,
        };
        match next {
            (Ok(permit), Ok(stream)) => {
                tokio::spawn(one(stream, door.clone(), stopped.clone(), permit));
            }
            (_, Err(error)) => {
                tracing::warn!("no connection can be taken for now: {error}");
                sleep(PAUSE).await;
            }
            (Err(_), _) => break,
        }
    }
    drop(gate);
    // Whoever is in the middle of a mail hears of it after its answer.
    stop.send_replace(true);
    let all = room.acquire_many(u32::from(connections));
    if timeout(GOODBYE, all).await.is_err() {
        tracing::warn!("some mails were not finished; the mail server sends them again");
    }
}

async fn one(
    stream: Box<dyn Stream>,
    door: Door,
    stop: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    if let Err(error) = talk(stream, &door, stop).await {
        tracing::info!("a connection broke: {error}");
    }
}
