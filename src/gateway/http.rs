//! The HTTP door: hyper in front of the same Rocket.
//!
//! Compatibility: Rocket's own server writes the names of headers in lower case, and clients that compare them as they
//! are (pwclient, NIPA, sktm look for `Link`) silently show the first page of a list only.

use std::{
    convert::Infallible,
    future::Future,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Bytes, Incoming},
    header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rocket::{
    Build, Rocket,
    local::asynchronous::{Client, LocalResponse},
    tokio::{
        net::{TcpListener, TcpStream},
        select,
        task::JoinSet,
        time::{sleep, timeout},
    },
};

use super::{
    Door, Error, LAST_WORK, Limits,
    answer::{has_length, is_passed_on},
    environment::Environment,
    lengths,
    request::{Refusal, request},
    runtime, told_to_stop,
};

/// How long a client may take for its headers, and how long it may keep a connection without asking.
const PATIENCE: Duration = Duration::from_secs(75);

/// How long requests under way may take after the word to stop.
const GRACE: Duration = Duration::from_secs(10);

type Answer = hyper::Response<Full<Bytes>>;

/// Serves HTTP where Rocket's settings say, until told to stop.
///
/// It bounds neither connections nor what a client sends in an hour: this is for the loopback address, behind a front
/// server.
pub fn http(rocket: Rocket<Build>) -> Result<(), Error> {
    let runtime = runtime(&rocket)?;
    let served = runtime.block_on(serve(rocket));
    runtime.shutdown_timeout(LAST_WORK);
    served
}

async fn serve(rocket: Rocket<Build>) -> Result<(), Error> {
    let config: rocket::Config = rocket
        .figment()
        .extract()
        .map_err(|error| Error::Rocket(error.to_string()))?;
    let address = SocketAddr::new(config.address, config.port);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| Error::Rocket(format!("{address}: {error}")))?;
    let client = Arc::new(Client::untracked(rocket.attach(lengths())).await?);
    let mut connections = accept(&listener, &client).await;
    drop(listener);
    client.rocket().shutdown().notify();
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, ended).await.is_err() {
        connections.shutdown().await;
    }
    if let Ok(client) = Arc::try_unwrap(client) {
        drop(client.terminate().await);
    }
    Ok(())
}

/// Takes connections until told to stop; returns those that are still open.
async fn accept(listener: &TcpListener, client: &Arc<Client>) -> JoinSet<()> {
    let mut connections = JoinSet::new();
    let mut stop: Pin<&mut dyn Future<Output = ()>> = pin!(told_to_stop());
    loop {
        select! {
            () = &mut stop => return connections,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => drop(connections.spawn(connection(client.clone(), stream, peer))),
                // Too many files are open: some will be closed soon.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

/// Answers what comes by one connection.
async fn connection(client: Arc<Client>, stream: TcpStream, peer: SocketAddr) {
    let _ = stream.set_nodelay(true);
    let stop = client.rocket().shutdown();
    let service = service_fn(move |request| {
        let client = client.clone();
        async move { Ok::<_, Infallible>(answer(&client, peer, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder
        .title_case_headers(true)
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE);
    let mut served = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = select! {
        ended = served.as_mut() => ended,
        () = stop => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        rocket::debug!("connection broken off: {error}");
    }
}

/// Has Rocket answer a request.
async fn answer(client: &Client, peer: SocketAddr, asked: hyper::Request<Incoming>) -> Answer {
    let (head, body) = asked.into_parts();
    let most = client.rocket().config().limits.get("bytes");
    let most = most.map_or(u64::MAX, |limit| limit.as_u64());
    let Ok(body) = read(body, most).await else {
        return refused(Refusal::Malformed);
    };
    let environment = environment(&head, peer, body.len());
    // How much is too much is for the site to say, in the form that its client understands.
    let limits = Limits {
        body: u64::MAX,
        ..Limits::default()
    };
    match request(
        client,
        &environment,
        Door::Http,
        limits,
        &mut body.as_slice(),
    ) {
        Ok(request) => answered(request.dispatch().await).await,
        Err(refusal) => refused(refusal),
    }
}

/// Reads a body; of one that is too large, not much more than what is allowed.
async fn read(mut body: Incoming, most: u64) -> Result<Vec<u8>, hyper::Error> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() as u64 > most {
            break;
        }
    }
    Ok(bytes)
}

/// Tells of a request in the words of the other doors.
fn environment(head: &Parts, peer: SocketAddr, length: usize) -> Environment {
    let variable = |name: &str, value: &[u8]| (name.as_bytes().to_vec(), value.to_vec());
    let mut variables = vec![
        variable("REQUEST_METHOD", head.method.as_str().as_bytes()),
        variable("REQUEST_URI", head.uri.to_string().as_bytes()),
        variable("REMOTE_ADDR", peer.ip().to_string().as_bytes()),
        variable("REMOTE_PORT", peer.port().to_string().as_bytes()),
        variable("CONTENT_LENGTH", length.to_string().as_bytes()),
    ];
    // Whom a client calls in the target counts more than whom it calls in the header (RFC 9112, section 3.2.2).
    let authority = head
        .uri
        .authority()
        .map(|it| variable("HTTP_HOST", it.as_str().as_bytes()));
    let headers = head.headers.iter().filter_map(|(name, value)| {
        variable_of(name).map(|name| variable(&name, value.as_bytes()))
    });
    variables.extend(headers);
    variables.extend(authority);
    variables.into_iter().collect()
}

/// Returns the variable that a header is; none for one that could be taken for another one.
fn variable_of(name: &HeaderName) -> Option<String> {
    match name.as_str() {
        _ if *name == CONTENT_LENGTH => None,
        _ if *name == CONTENT_TYPE => Some("CONTENT_TYPE".to_owned()),
        "x-forwarded-proto" => Some("REQUEST_SCHEME".to_owned()),
        name if name.contains('_') => None,
        name => Some(format!(
            "HTTP_{}",
            name.to_ascii_uppercase().replace('-', "_")
        )),
    }
}

async fn answered(response: LocalResponse<'_>) -> Answer {
    let status = response.status();
    let mut answer = hyper::Response::builder().status(status.code);
    for header in response.headers().iter().filter(is_passed_on) {
        answer = answer.header(header.name().as_str(), header.value());
    }
    let length = response.body().preset_size();
    let has_its_own = response.headers().contains("content-length");
    if let Some(length) = length.filter(|_| has_length(status) && !has_its_own) {
        answer = answer.header(CONTENT_LENGTH, length);
    }
    let body = response.into_bytes().await.unwrap_or_default();
    let answer = answer.body(Full::new(Bytes::from(body)));
    answer.unwrap_or_else(|_| refused(Refusal::Broken))
}

/// Answers a request that does not reach Rocket, or has no answer.
fn refused(refusal: Refusal) -> Answer {
    let status = refusal.status();
    let text = format!("{}\n", status.reason_lossy());
    let mut answer = hyper::Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = hyper::StatusCode::from_u16(status.code).unwrap_or_default();
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_become_variables() {
        let of = |name: &'static str| variable_of(&HeaderName::from_static(name));
        for (name, variable) in [
            ("accept-language", Some("HTTP_ACCEPT_LANGUAGE")),
            ("content-type", Some("CONTENT_TYPE")),
            ("x-forwarded-proto", Some("REQUEST_SCHEME")),
            // How long the body is, was counted.
            ("content-length", None),
            ("x_csrftoken", None),
        ] {
            assert_eq!(of(name).as_deref(), variable, "{name}");
        }
    }
}
