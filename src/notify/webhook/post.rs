//! One delivery by HTTP or HTTPS: to a public address unless others are allowed, within its time, led nowhere else.

use std::{net::SocketAddr, pin::pin, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, Uri,
    body::Bytes,
    client::conn::http1,
    header::{CONTENT_TYPE, HOST, HeaderValue, LOCATION, USER_AGENT},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::{public::is_public, sign};
use crate::{
    domain::{Timestamp, webhook::Webhook},
    notify::tls,
    store::webhook::Delivery,
};

/// How much of an answer is read, and how much of it is kept.
const MOST_READ: usize = 16 << 10;
const MOST_KEPT: usize = 500;

/// Who asks.
const AGENT: &str = concat!("Patchwork/", env!("CARGO_PKG_VERSION"));

/// What came back.
#[derive(Debug, Default)]
pub struct Answered {
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// The begin of the answer, or what went wrong.
    pub said: String,
}

/// Sends deliveries.
pub struct Client {
    allow_private: bool,
    /// How long a delivery may take.
    pub patience: Duration,
    tls: TlsConnector,
}

impl Client {
    /// Prepares to send; certificates are checked against the public authorities.
    ///
    /// # Errors
    /// When the system cannot speak TLS.
    pub fn new(allow_private: bool, patience: Duration) -> Result<Client, crate::notify::Error> {
        let config = tls::trusting(tls::public());
        let config = config.map_err(|error| crate::notify::Error(error.to_string()))?;
        Ok(Client {
            allow_private,
            patience,
            tls: TlsConnector::from(config),
        })
    }

    /// Sends a delivery, and tells what came back.
    pub async fn post(&self, hook: &Webhook, delivery: &Delivery, now: Timestamp) -> Answered {
        let asked = timeout(self.patience, self.ask(hook, delivery, now)).await;
        let failed = |said: String| Answered { status: None, said };
        match asked {
            Ok(Ok(answered)) => answered,
            Ok(Err(why)) => failed(why),
            Err(_) => failed(format!("no answer within {} s", self.patience.as_secs())),
        }
    }

    async fn ask(
        &self,
        hook: &Webhook,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Answered, String> {
        let target = Target::read(&hook.url)?;
        let stream = self.connect(&target).await?;
        let request = request(&target, hook, delivery, now)?;
        match target.is_https {
            false => exchange(stream, request).await,
            true => {
                let name = ServerName::try_from(target.host.clone()).map_err(|_| {
                    format!("{} is no name that a certificate could have", target.host)
                })?;
                let stream = self.tls.connect(name, stream).await;
                exchange(stream.map_err(|error| format!("no TLS: {error}"))?, request).await
            }
        }
    }

    /// Connects to the first address of the target that may be asked. The name is looked up once, and what was looked at is what
    /// is asked: a name that leads elsewhere the next moment gains nothing.
    async fn connect(&self, target: &Target) -> Result<TcpStream, String> {
        let host = target.host.as_str();
        let found = lookup_host((host, target.port)).await;
        let found: Vec<SocketAddr> = found
            .map_err(|error| format!("{host} cannot be found: {error}"))?
            .collect();
        let fit = found
            .iter()
            .find(|address| self.allow_private || is_public(address.ip()));
        let Some(address) = fit else {
            return Err(match found.first() {
                None => format!("{host} has no address"),
                Some(address) => {
                    let own = address.ip().to_string();
                    let of = if own == host {
                        own
                    } else {
                        format!("{host} is {own},")
                    };
                    format!(
                        "{of} an address of a private network; webhooks.allow_private allows that"
                    )
                }
            });
        };
        let connected = TcpStream::connect(address).await;
        connected.map_err(|error| format!("no connection to {address}: {error}"))
    }
}

/// Says whether an address names a host of a private network by its number: nothing is sent there unless that is allowed.
pub fn is_private(url: &str) -> bool {
    let host = Target::read(url).map(|target| target.host.parse());
    matches!(host, Ok(Ok(address)) if !is_public(address))
}

/// Where a delivery goes.
struct Target {
    is_https: bool,
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl Target {
    fn read(url: &str) -> Result<Target, String> {
        let uri: Uri = url.parse().map_err(|_| format!("{url} is no address"))?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(format!("{url} is neither http nor https")),
        };
        let authority = uri
            .authority()
            .ok_or_else(|| format!("{url} names no host"))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Target {
            is_https,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority
                .port_u16()
                .unwrap_or(if is_https { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
            path: path.to_owned(),
        })
    }
}

fn request(
    target: &Target,
    hook: &Webhook,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Request<Full<Bytes>>, String> {
    let id = format!("pw_{}", delivery.id);
    let seconds = now.0 / 1_000_000;
    let body = &delivery.body;
    Request::post(&target.path)
        .header(HOST, &target.authority)
        .header(USER_AGENT, AGENT)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", &id)
        .header("webhook-timestamp", seconds)
        .header(
            "webhook-signature",
            sign::standard(&hook.secret, &id, seconds, body),
        )
        .header("X-Hub-Signature-256", sign::hub(&hook.secret, body))
        .header("X-Patchwork-Event", &delivery.category)
        .body(Full::new(Bytes::from(body.clone())))
        .map_err(|error| error.to_string())
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answered, String>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = |error: hyper::Error| format!("the connection broke: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let mut asked = pin!(async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let (head, body) = response.into_parts();
        if head.status.is_redirection() {
            let to = head.headers.get(LOCATION).map(HeaderValue::as_bytes);
            let to = String::from_utf8_lossy(to.unwrap_or_default()).into_owned();
            return Ok(Answered {
                status: Some(head.status.as_u16()),
                said: kept(&format!("leads on to {to}: enter that address instead")),
            });
        }
        // Whoever says more than that has still answered.
        let body = Limited::new(body, MOST_READ).collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        Ok(Answered {
            status: Some(head.status.as_u16()),
            said: kept(&String::from_utf8_lossy(&body)),
        })
    });
    // The connection is driven by whoever waits for the answer. When it is closed, what has come can still be read.
    tokio::select! {
        answered = &mut asked => answered,
        _ = connection => asked.await,
    }
}

/// Returns the begin of a text, without characters that steer anything.
fn kept(text: &str) -> String {
    let fit = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(fit).take(MOST_KEPT).collect()
}
