//! Opens the database that the settings name, and says in one sentence what is wrong with it.

use std::time::Duration;

use anyhow::{Context, bail};

use crate::{
    config::{Settings, masked},
    store::{self, Conn, Db, migrate::Status},
};

/// How long a server may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection takes at most when all is well.
const SUSPICIOUS: Duration = Duration::from_millis(300);

/// Opens the database, whatever state it is in. An embedded one is made when it is first used; a server has
/// to be there.
pub(super) async fn open(settings: &Settings) -> anyhow::Result<Db> {
    if let Some(file) = settings.database_file()
        && let Some(folder) = file.parent()
        && !folder.as_os_str().is_empty()
        && !folder.is_dir()
    {
        bail!(
            "the database's folder {} is not there; make it first",
            folder.display()
        );
    }
    let db = open_with(settings, &options(settings))?;
    probe(settings).await?;
    Ok(db)
}

/// Asks the server whether it is there.
async fn probe(settings: &Settings) -> anyhow::Result<()> {
    let limit = PATIENCE.min(Duration::from_secs(settings.database.connect_timeout));
    Db::probe(&settings.database.url, limit)
        .await
        .with_context(|| named(settings))
}

/// Returns how the settings want the database to be reached.
pub(super) fn options(settings: &Settings) -> store::Options {
    let database = &settings.database;
    store::Options {
        max_connections: database.max_connections,
        timeout: Duration::from_secs(database.connect_timeout),
        statement_timeout: Some(database.statement_timeout)
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs),
        bulk: false,
        alone: false,
    }
}

/// Opens the database in a way of one's own; nobody is asked yet.
pub(super) fn open_with(settings: &Settings, options: &store::Options) -> anyhow::Result<Db> {
    Db::open(&settings.database.url, options).with_context(|| named(settings))
}

/// Opens a database that is there and up to date.
pub(super) async fn ready(settings: &Settings) -> anyhow::Result<Db> {
    ready_with(settings, &options(settings)).await
}

/// Opens a database that is there and up to date, in a way of one's own.
pub(super) async fn ready_with(
    settings: &Settings,
    options: &store::Options,
) -> anyhow::Result<Db> {
    is_there(settings)?;
    let db = open_with(settings, options)?;
    match status(&db, settings).await? {
        Status::Current => Ok(db),
        Status::Behind(_) => bail!(
            "{} is not up to date: run `patchwork migrate`",
            named(settings)
        ),
        Status::Ahead => Err(store::migrate::ahead()).with_context(|| named(settings)),
    }
}

/// Returns where the schema stands.
pub(super) async fn status(db: &Db, settings: &Settings) -> anyhow::Result<Status> {
    let mut conn = reader(db, settings).await?;
    store::migrate::status(&mut conn)
        .await
        .with_context(|| named(settings))
}

/// Returns a connection to read with, or says which database is away.
pub(super) async fn reader(db: &Db, settings: &Settings) -> anyhow::Result<Conn> {
    // A pool keeps trying until its time is up and cannot say why it failed; a server that takes long is asked.
    let reason = async {
        tokio::time::sleep(SUSPICIOUS).await;
        match probe(settings).await {
            Err(reason) => reason,
            Ok(()) => std::future::pending().await,
        }
    };
    tokio::select! {
        conn = db.reader() => conn.with_context(|| named(settings)),
        reason = reason => Err(reason),
    }
}

/// An embedded database that nobody made is a mistake in the settings, not a reason to make an empty one.
pub(super) fn is_there(settings: &Settings) -> anyhow::Result<()> {
    match settings.database_file() {
        Some(file) if !file.exists() => bail!(
            "there is no database {}: run `patchwork migrate` to make it, or check database.url",
            file.display()
        ),
        _ => Ok(()),
    }
}

/// Returns the database as messages name it, without its password.
pub(super) fn named(settings: &Settings) -> String {
    format!("database {}", masked(&settings.database.url))
}
