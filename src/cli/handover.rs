//! The socket over which a server takes mails from `patchwork-parsemail`: opened with the site, closed with it.

use std::io;

use rocket::{Build, Orbit, Rocket, fairing::AdHoc, tokio};
use rocket_db_pools::Database;

use super::parsemail::intake;
use crate::{
    config::Settings,
    gateway::{self, Listen, Listener, Socket},
    ingest::handover,
    store::{self, Db},
};

/// Who may hand mails over, unless `--socket-mode` says otherwise: the user of the server, and its group.
const MODE: u32 = 0o660;

/// Lets a site take mails, if the settings name a socket for them.
pub(super) fn attach(site: Rocket<Build>, settings: &Settings, mode: Option<u32>) -> Rocket<Build> {
    let Some(path) = settings.intake_socket() else {
        return site;
    };
    let listen = Listen::Unix {
        path: path.to_owned(),
        mode: mode.or(Some(MODE)),
    };
    let options = intake(settings);
    site.attach(AdHoc::on_liftoff("Mails handed over", move |rocket| {
        Box::pin(async move {
            match open(&listen, rocket) {
                Ok(Some((socket, listener, db))) => {
                    tokio::spawn(async move {
                        let _socket = socket;
                        handover::serve(listener, db, options).await;
                    });
                }
                Ok(None) => tracing::info!("another process takes mails on {listen}"),
                // The site is worth more than the shorter way for mails.
                Err(why) => tracing::error!("{why}; mails are delivered without this server"),
            }
        })
    }))
}

type Open = (Socket, tokio::net::UnixListener, Db);

/// Opens the socket; there is nothing to do where another process of the same site has it open.
fn open(listen: &Listen, rocket: &Rocket<Orbit>) -> Result<Option<Open>, gateway::Error> {
    let socket = match listen.open() {
        Err(gateway::Error::Listen { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {
            return Ok(None);
        }
        opened => opened?,
    };
    let Listener::Unix(listener) = socket.listener()? else {
        return Err(io::Error::other("it is no socket file").into());
    };
    let database = store::Database::fetch(rocket);
    let database = database.ok_or_else(|| io::Error::other("this site has no database"))?;
    Ok(Some((socket, listener, database.0.clone())))
}
