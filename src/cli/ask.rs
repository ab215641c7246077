//! One request by HTTP or HTTPS, to the site itself: what `check --deploy` sees of it from outside.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::notify::tls;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much of an answer is read.
const MOST: u64 = 4 << 20;

/// Where a site is.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// Whether it is asked by HTTPS.
    pub is_https: bool,
    host: String,
    port: u16,
    /// The path below which it lives, without a slash at its end.
    pub base: String,
    config: Option<Arc<ClientConfig>>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

impl Answer {
    /// Returns a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl Site {
    /// Reads an address; certificates are checked against the public authorities, or those of a file.
    pub fn read(url: &str, authorities: Option<&Path>) -> anyhow::Result<Site> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let is_https = match scheme {
            "http" => false,
            "https" => true,
            _ => bail!("'{url}' is no address; write https://HOST/ or http://HOST:PORT/"),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (
                host,
                port.parse()
                    .with_context(|| format!("'{port}' is no port"))?,
            ),
            _ => (authority, if is_https { 443 } else { 80 }),
        };
        let path = path.trim_end_matches('/');
        Ok(Site {
            is_https,
            host: host.to_owned(),
            port,
            base: if path.is_empty() {
                String::new()
            } else {
                format!("/{path}")
            },
            config: is_https.then(|| tls(authorities)).transpose()?,
        })
    }

    fn authority(&self) -> String {
        match (self.is_https, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }

    /// Asks, and reads the answer.
    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> anyhow::Result<Answer> {
        let asked = async {
            let host = self.host.trim_matches(['[', ']']);
            let stream = TcpStream::connect((host, self.port)).await?;
            let text = self.request(method, path, headers, body.len());
            match &self.config {
                None => exchange(stream, text, body).await,
                Some(config) => {
                    let name = ServerName::try_from(host.to_owned())?;
                    let stream = TlsConnector::from(config.clone())
                        .connect(name, stream)
                        .await?;
                    exchange(stream, text, body).await
                }
            }
        };
        let answered = tokio::time::timeout(PATIENCE, asked).await;
        answered
            .context("no answer within 20 s")?
            .with_context(|| format!("{method} {path} at {}", self.authority()))
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], size: usize) -> String {
        let mut text = format!(
            "{method} {}{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nUser-Agent: patchwork-check\r\n",
            self.base,
            self.authority()
        );
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if size > 0 || method != "GET" {
            text.push_str(&format!("Content-Length: {size}\r\n"));
        }
        text.push_str("\r\n");
        text
    }
}

fn tls(authorities: Option<&Path>) -> anyhow::Result<Arc<ClientConfig>> {
    let Some(file) = authorities else {
        return Ok(tls::trusting(tls::public())?);
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file)
        .with_context(|| format!("cannot read {}", file.display()))?
    {
        roots.add(certificate?)?;
    }
    Ok(tls::trusting(roots)?)
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    head: String,
    body: &[u8],
) -> anyhow::Result<Answer> {
    stream.write_all(head.as_bytes()).await?;
    // Who refuses a body may hang up before it is sent; the answer says why.
    let _ = stream.write_all(body).await;
    let _ = stream.flush().await;
    let mut bytes = Vec::new();
    let read = stream.take(MOST).read_to_end(&mut bytes).await;
    if bytes.is_empty() {
        read?;
        bail!("it hung up without an answer");
    }
    parse(&bytes).context("what came back is no HTTP")
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    let mut answer = Answer {
        status,
        headers: lines.filter_map(header).collect(),
        body: String::new(),
    };
    let body = &bytes[end + 4..];
    let is_chunked = answer
        .header("Transfer-Encoding")
        .is_some_and(|value| value.contains("chunked"));
    let body = if is_chunked {
        unchunked(body)
    } else {
        body.to_vec()
    };
    answer.body = String::from_utf8_lossy(&body).into_owned();
    Some(answer)
}

/// Returns as much of a chunked body as there is.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = String::from_utf8_lossy(&rest[..end]);
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16);
        let begin = end + 2;
        match size {
            Ok(size) if size > 0 && begin + size <= rest.len() => {
                out.extend_from_slice(&rest[begin..begin + size]);
                rest = rest.get(begin + size + 2..).unwrap_or_default();
            }
            _ => break,
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let site = Site::read("http://[::1]:81/pw/", None).expect("an address");
        assert_eq!(
            (site.host.as_str(), site.port, site.base.as_str()),
            ("[::1]", 81, "/pw")
        );
        let site = Site::read("http://example.org", None).expect("an address");
        assert_eq!((site.port, site.base.as_str()), (80, ""));
        assert!(Site::read("example.org", None).is_err());
    }

    #[test]
    fn answers_are_read() {
        let answer = parse(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r\n");
        assert_eq!(
            answer.map(|answer| (answer.status, answer.body)),
            Some((200, "abcd".to_owned()))
        );
        assert!(parse(b"SSH-2.0\r\n").is_none());
    }
}
