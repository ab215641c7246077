//! The FastCGI door: connections in threads of their own, requests in Rocket's runtime.

use std::io::Read;

use ::fastcgi::{Config, Request, Stop, run_with};
use rocket::tokio::runtime::Handle;

use super::{
    Door, Error, Socket,
    answer::{answer, refuse},
    environment::Environment,
    request::{is_head, request},
    server::{GRACE, Site},
};

/// Serves front servers that connect to the socket, until told to stop.
pub(super) fn listen(site: Site, handle: Handle, socket: Socket, stop: Stop) -> Result<(), Error> {
    let config = Config {
        max_connections: site.limits.connections,
        stop: Some(stop),
        grace: GRACE,
        ..Config::default()
    };
    let handler = move |request| handle_request(&site, &handle, request);
    Ok(run_with(handler, &socket, config)?)
}

/// Answers one request, in the thread of its connection.
fn handle_request(site: &Site, handle: &Handle, mut fastcgi: Request) {
    let owned = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
    let mut environment: Environment = fastcgi.params_bytes().map(owned).collect();
    environment.believe(&site.trusted, false);
    let answered = match request(
        &site.client,
        &environment,
        Door::FastCgi,
        site.limits,
        &mut fastcgi.stdin(),
    ) {
        Ok(request) => {
            // The mark of the body's end, so that the connection can be closed without waiting for it.
            let _ = fastcgi.stdin().read(&mut [0]);
            let is_head = is_head(&environment);
            handle.block_on(async {
                answer(request.dispatch().await, is_head, &mut fastcgi.stdout()).await
            })
        }
        Err(refusal) => refuse(refusal, &mut fastcgi.stdout()),
    };
    if let Err(error) = answered {
        rocket::debug!("answer broken off: {error}");
        fastcgi.abandon();
    }
}
