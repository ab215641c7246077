//! The FastCGI door: connections in threads of their own, requests in Rocket's runtime.

use std::{
    future::Future,
    io::{self, Read},
    sync::Arc,
};

use ::fastcgi::{Config, Request, Stop, run_with};
use rocket::{
    Build, Rocket,
    local::asynchronous::Client,
    tokio::runtime::{Handle, Runtime},
};

use super::{
    Door, Error, LAST_WORK, Limits, Listen,
    answer::{answer, refuse},
    environment::Environment,
    request::{is_head, request},
    runtime, start,
};

/// Serves front servers that connect to `listen`, until `stop` completes; usually that is
/// [`told_to_stop`](super::told_to_stop).
///
/// Requests that run then are still answered, and Rocket's shutdown fairings run.
pub fn fastcgi<S>(
    rocket: Rocket<Build>,
    listen: &Listen,
    limits: Limits,
    stop: S,
) -> Result<(), Error>
where
    S: Future<Output = ()> + Send + 'static,
{
    let runtime = runtime(&rocket)?;
    let served = serve(&runtime, rocket, listen, limits, stop);
    runtime.shutdown_timeout(LAST_WORK);
    served
}

/// Opens the socket, starts Rocket, serves, and ends Rocket.
fn serve<S>(
    runtime: &Runtime,
    rocket: Rocket<Build>,
    listen: &Listen,
    limits: Limits,
    stop: S,
) -> Result<(), Error>
where
    S: Future<Output = ()> + Send + 'static,
{
    let socket = listen.open()?;
    let client = Arc::new(runtime.block_on(start(rocket))?);
    let config = Config {
        max_connections: limits.connections,
        stop: Some(stop_when(runtime, &client, stop)?),
        ..Config::default()
    };
    let (shared, handle) = (client.clone(), runtime.handle().clone());
    run_with(
        move |request| handle_request(&shared, &handle, limits, request),
        &socket,
        config,
    )?;
    match Arc::try_unwrap(client) {
        Ok(client) => drop(runtime.block_on(client.terminate())),
        Err(_) => rocket::warn!("a request did not end in time: shutdown fairings are skipped"),
    }
    Ok(())
}

/// Turns the end of the future into the server's stop; endless streams hear of it too.
fn stop_when<S>(runtime: &Runtime, client: &Client, stop: S) -> io::Result<Stop>
where
    S: Future<Output = ()> + Send + 'static,
{
    let (server, rocket) = (Stop::new()?, client.rocket().shutdown());
    let handle = server.clone();
    runtime.spawn(async move {
        stop.await;
        server.stop();
        rocket.notify();
    });
    Ok(handle)
}

/// Answers one request, in the thread of its connection.
fn handle_request(client: &Client, handle: &Handle, limits: Limits, mut fastcgi: Request) {
    let owned = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
    let environment: Environment = fastcgi.params_bytes().map(owned).collect();
    let answered = match request(
        client,
        &environment,
        Door::FastCgi,
        limits,
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
