//! The HTTP door: hyper in front of the same Rocket.
//!
//! Compatibility: Rocket's own server writes the names of headers in lower case, and clients that compare them as they
//! are (pwclient, NIPA, sktm look for `Link`) silently show the first page of a list only.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http_body_util::BodyExt;
use hyper::{
    Version,
    body::{Body as _, Bytes, Incoming},
    header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use rocket::{
    local::asynchronous::LocalResponse,
    tokio::{
        self,
        io::{AsyncRead, AsyncReadExt, AsyncWrite},
        select,
        sync::{Semaphore, mpsc, oneshot},
        task::JoinSet,
        time::{Instant, sleep, timeout, timeout_at},
    },
};

use super::{
    Door, Limits,
    answer::{PIECE, gather, has_length, is_passed_on},
    environment::Environment,
    listen::Listener,
    request::{Refusal, is_head, request},
    server::Site,
    slow::{Answer, Body, Patient},
};

/// How long a client may take for its headers, and how long it may keep a connection without asking.
const PATIENCE: Duration = Duration::from_secs(75);

/// How long a client that is sending a body may pause, and how long it may take in all.
const PAUSE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(600));

/// How long a new connection may still ask when the server has been told to stop.
const LAST_CALL: Duration = Duration::from_millis(200);

/// Connections at a time, streams of events among them; more wait in the kernel's queue.
const CONNECTIONS: usize = 4096;

/// How many KiB the bodies that are coming in may take together.
const MEMORY: u32 = 256 << 10;

/// The door, shared by its connections.
pub(super) struct Http {
    site: Site,
    places: Arc<Semaphore>,
    memory: Semaphore,
}

impl Http {
    /// Makes the door of a site.
    pub(super) fn new(site: Site) -> Arc<Http> {
        Arc::new(Http {
            site,
            places: Arc::new(Semaphore::new(CONNECTIONS)),
            memory: Semaphore::new(MEMORY as usize),
        })
    }

    /// Takes connections until Rocket shuts down, then waits for those that are open.
    pub(super) async fn listen(self: Arc<Self>, listener: Listener) {
        let mut connections = JoinSet::new();
        let mut stop = self.site.client.rocket().shutdown();
        loop {
            let accepted = async {
                let place = self.places.clone().acquire_owned().await;
                (place, self.accept(&listener).await)
            };
            select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                (place, accepted) = accepted => match accepted {
                    Ok(connection) => drop(connections.spawn(async move {
                        connection.await;
                        drop(place);
                    })),
                    // Too many files are open: some will be closed soon.
                    Err(_) => sleep(Duration::from_millis(50)).await,
                },
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }
}

type Connection = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl Http {
    /// Takes one connection; the future answers what comes by it.
    async fn accept(self: &Arc<Self>, listener: &Listener) -> io::Result<Connection> {
        Ok(match listener {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                let _ = stream.set_nodelay(true);
                Box::pin(connection(self.clone(), stream, Some(peer)))
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Box::pin(connection(self.clone(), stream, None))
            }
        })
    }
}

/// Answers what comes by one connection.
async fn connection<S>(door: Arc<Http>, stream: S, peer: Option<SocketAddr>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let stop = door.site.client.rocket().shutdown();
    let has_asked = Arc::new(AtomicBool::new(false));
    let asked = has_asked.clone();
    let service = service_fn(move |request| {
        let door = door.clone();
        asked.store(true, Ordering::Relaxed);
        async move { Ok::<_, Infallible>(answer(door, peer, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder
        .title_case_headers(true)
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE);
    let stream = TokioIo::new(Patient::new(stream));
    let mut served = pin!(builder.serve_connection(stream, service));
    let ended = select! {
        ended = served.as_mut() => ended,
        () = stop => {
            served.as_mut().graceful_shutdown();
            // A request may be on its way; but who never asked does not hold up the end.
            match timeout(LAST_CALL, served.as_mut()).await {
                Ok(ended) => ended,
                Err(_) if has_asked.load(Ordering::Relaxed) => served.await,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        rocket::debug!("connection broken off: {error}");
    }
}

/// Has Rocket answer a request.
async fn answer(
    door: Arc<Http>,
    peer: Option<SocketAddr>,
    asked: hyper::Request<Incoming>,
) -> Answer {
    let (head, body) = asked.into_parts();
    let limits = &door.site.client.rocket().config().limits;
    // Where mails come in, the site takes more than elsewhere.
    let name = match head.uri.path().contains("/inbound/mail") {
        true => "door",
        false => "bytes",
    };
    let most = limits.get(name).map_or(u64::MAX, |limit| limit.as_u64());
    if !has_one_host(&head) {
        return refused(Refusal::Malformed);
    }
    let body = match door.read(body, most).await {
        Ok(body) => body,
        Err(refusal) => return refused(refusal),
    };
    let mut environment = environment(&head, peer, body.len());
    environment.believe(&door.site.trusted, true);
    // A task of its own: the answer outlives this function, and what a handler has begun does not depend on the client's
    // waiting for it.
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move { exchange(&door.site, &environment, &body, tell).await });
    told.await.unwrap_or_else(|_| refused(Refusal::Broken))
}

/// Says whether a request names one host, as it must (RFC 9112, section 3.2); HTTP/1.0 knew of none.
fn has_one_host(head: &Parts) -> bool {
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => !host.as_bytes().iter().any(|byte| b" \t,".contains(byte)),
        (None, _) => head.version < Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

impl Http {
    /// Reads a body when there is room for it: until they are whole, all bodies together take so much memory and no more.
    async fn read(&self, body: Incoming, most: u64) -> Result<Vec<u8>, Refusal> {
        let bytes = body.size_hint().exact().unwrap_or(most).min(most);
        let room = u32::try_from(bytes >> 10).unwrap_or(MEMORY).min(MEMORY);
        let room = timeout(PAUSE.0, self.memory.acquire_many(room));
        let _room = room.await.map_err(|_| Refusal::Away)?;
        read(body, most).await
    }
}

/// Reads a body; of one that is too large, not much more than what is allowed.
async fn read(mut body: Incoming, most: u64) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let end = Instant::now() + PAUSE.1;
    loop {
        let until = end.min(Instant::now() + PAUSE.0);
        let frame = match timeout_at(until, body.frame()).await {
            Err(_) => return Err(Refusal::TooSlow),
            Ok(None) => return Ok(bytes),
            Ok(Some(frame)) => frame.map_err(|_| Refusal::Malformed)?,
        };
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
        if bytes.len() as u64 > most {
            return Ok(bytes);
        }
    }
}

/// Answers a request; what does not fit into one piece goes on as it comes.
async fn exchange(
    site: &Site,
    environment: &Environment,
    mut body: &[u8],
    tell: oneshot::Sender<Answer>,
) {
    // How much is too much is for the site to say, in the form that its client understands.
    let limits = Limits {
        body: u64::MAX,
        ..Limits::default()
    };
    let request = match request(&site.client, environment, Door::Http, limits, &mut body) {
        Ok(request) => request,
        Err(refusal) => return drop(tell.send(refused(refusal))),
    };
    let mut response = request.dispatch().await;
    let mut first = Vec::new();
    let whole = gather(&mut response, &mut first).await;
    let length = whole.as_ref().ok().filter(|whole| **whole);
    let length = length
        .filter(|_| !is_head(environment))
        .map(|_| first.len());
    let head = head(&response, length);
    let _ = match whole {
        Err(_) => tell.send(refused(Refusal::Broken)),
        Ok(true) => tell.send(answered(head, Body::whole(first))),
        Ok(false) => {
            let (pieces, rest) = mpsc::channel(1);
            let told = tell.send(answered(head, Body::begun(first, rest)));
            stream(&mut response, &pieces).await;
            told
        }
    };
}

/// Passes the rest of a body on, until it ends or nobody wants it any more.
async fn stream(response: &mut LocalResponse<'_>, pieces: &mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let (piece, is_last) = match response.read_buf(&mut piece).await {
            Ok(0) => return,
            Ok(_) => (Ok(piece.into()), false),
            // The connection breaks: half an answer must not look like all of it.
            Err(error) => (Err(error), true),
        };
        if pieces.send(piece).await.is_err() || is_last {
            return;
        }
    }
}

/// Tells of a request in the words of the other doors.
fn environment(head: &Parts, peer: Option<SocketAddr>, length: usize) -> Environment {
    let variable = |name: &str, value: &[u8]| (name.as_bytes().to_vec(), value.to_vec());
    let mut variables = vec![
        variable("REQUEST_METHOD", head.method.as_str().as_bytes()),
        variable("REQUEST_URI", head.uri.to_string().as_bytes()),
        variable("CONTENT_LENGTH", length.to_string().as_bytes()),
    ];
    if let Some(peer) = peer {
        variables.push(variable("REMOTE_ADDR", peer.ip().to_string().as_bytes()));
        variables.push(variable("REMOTE_PORT", peer.port().to_string().as_bytes()));
    }
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
        name if name.contains('_') => None,
        name => Some(format!(
            "HTTP_{}",
            name.to_ascii_uppercase().replace('-', "_")
        )),
    }
}

/// Returns the head of an answer, for a body of this length if it is known.
fn head(response: &LocalResponse<'_>, gathered: Option<usize>) -> hyper::http::response::Builder {
    let status = response.status();
    let mut head = hyper::Response::builder().status(status.code);
    for header in response.headers().iter().filter(is_passed_on) {
        head = head.header(header.name().as_str(), header.value());
    }
    let length = response.body().preset_size().or(gathered);
    let has_its_own = response.headers().contains("content-length");
    match length.filter(|_| has_length(status) && !has_its_own) {
        Some(length) => head.header(CONTENT_LENGTH, length),
        None => head,
    }
}

fn answered(head: hyper::http::response::Builder, body: Body) -> Answer {
    let answer = head.body(body);
    answer.unwrap_or_else(|_| refused(Refusal::Broken))
}

/// Answers a request that does not reach Rocket, or has no answer.
fn refused(refusal: Refusal) -> Answer {
    let status = refusal.status();
    let text = format!("{}\n", status.reason_lossy());
    let mut answer = hyper::Response::new(Body::whole(text.into_bytes()));
    *answer.status_mut() = hyper::StatusCode::from_u16(status.code).unwrap_or_default();
    answer.headers_mut().insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
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
            // How long the body is, was counted.
            ("content-length", None),
            ("x_csrftoken", None),
        ] {
            assert_eq!(of(name).as_deref(), variable, "{name}");
        }
    }
}
