//! The HTTP door: Rocket's own server.

use rocket::{Build, Rocket};

use super::{Error, LAST_WORK, runtime};

/// Serves HTTP as Rocket's settings say, until SIGTERM or SIGINT.
///
/// Rocket 0.5 listens on TCP only and bounds neither connections nor the time a client takes for its headers:
/// this is for the loopback address, behind a front server.
pub fn http(rocket: Rocket<Build>) -> Result<(), Error> {
    let runtime = runtime(&rocket)?;
    let ended = runtime.block_on(rocket.launch());
    runtime.shutdown_timeout(LAST_WORK);
    Ok(ended.map(drop)?)
}
