//! Opens the database that the settings name, and says in one sentence what is wrong with it.

use std::time::Duration;

use anyhow::{Context, bail};

use crate::{
    config::{Settings, masked},
    store::{self, Conn, Db, migrate::Status},
};

/// How long a server may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(5);

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
    let db = open_with(settings, true)?;
    let limit = PATIENCE.min(Duration::from_secs(settings.database.connect_timeout));
    Db::probe(&settings.database.url, limit)
        .await
        .with_context(|| named(settings))?;
    Ok(db)
}

/// Opens the database for work that can be repeated: a commit need not wait for the disk.
pub(super) fn open_with(settings: &Settings, durable: bool) -> anyhow::Result<Db> {
    let database = &settings.database;
    let options = store::Options {
        max_connections: database.max_connections,
        timeout: Duration::from_secs(database.connect_timeout),
        statement_timeout: Some(database.statement_timeout)
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs),
        durable,
    };
    Db::open(&database.url, &options).with_context(|| named(settings))
}

/// Opens a database that is there and up to date.
pub(super) async fn ready(settings: &Settings) -> anyhow::Result<Db> {
    is_there(settings)?;
    let db = open(settings).await?;
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
    db.reader().await.with_context(|| named(settings))
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
