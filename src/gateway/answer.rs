//! From Rocket's answer to the bytes a front server expects: a CGI header, an empty line, the body.

use std::{
    io::{self, Write},
    time::Duration,
};

use rocket::{
    http::{Header, Status},
    local::asynchronous::LocalResponse,
    tokio::{
        io::AsyncReadExt,
        time::{Instant, timeout_at},
    },
};

use super::request::Refusal;

/// What is gathered before the head goes out: most pages then leave in one piece and with a length.
const FIRST: usize = 32 << 10;

/// How long a slow body is gathered; what there is then goes out, so that streams start at once.
const PATIENCE: Duration = Duration::from_millis(2);

/// What is read of a body at a time: a full FastCGI record.
pub(super) const PIECE: usize = 65_528;

/// Headers that concern only one hop, which is the front server's (RFC 9110, section 7.6.1).
const ONE_HOP: [&str; 4] = ["connection", "keep-alive", "transfer-encoding", "upgrade"];

/// Writes an answer; `is_head` leaves its body out.
pub(super) async fn answer(
    mut response: LocalResponse<'_>,
    is_head: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut first = Vec::with_capacity(FIRST);
    let is_whole = is_head || gather(&mut response, &mut first).await?;
    let gathered = (is_whole && !is_head).then_some(first.len());
    let mut head = head(&response, gathered);
    if !is_head {
        head.append(&mut first);
    }
    out.write_all(&head)?;
    out.flush()?;
    if !is_whole {
        stream(&mut response, out).await?;
    }
    Ok(())
}

/// Writes a short answer to a request that does not reach Rocket.
pub(super) fn refuse(refusal: Refusal, out: &mut dyn Write) -> io::Result<()> {
    let Status { code } = refusal.status();
    let reason = refusal.status().reason_lossy();
    let length = reason.len() + 1;
    let mut answer = Vec::new();
    write!(
        answer,
        "Status: {code} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    )?;
    if refusal == Refusal::Away {
        answer.extend_from_slice(b"Retry-After: 30\r\n");
    }
    write!(answer, "Content-Length: {length}\r\n\r\n{reason}\n")?;
    out.write_all(&answer)?;
    out.flush()
}

/// Reads the begin of the body for a moment; returns whether that is all of it.
pub(super) async fn gather(
    response: &mut LocalResponse<'_>,
    first: &mut Vec<u8>,
) -> io::Result<bool> {
    let until = Instant::now() + PATIENCE;
    while first.len() < FIRST {
        match timeout_at(until, response.read_buf(first)).await {
            Ok(Ok(0)) => return Ok(true),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(false),
        }
    }
    Ok(false)
}

/// Passes the rest of the body on, as it comes.
async fn stream(response: &mut LocalResponse<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut piece = Vec::with_capacity(PIECE);
    while response.read_buf(&mut piece).await? > 0 {
        out.write_all(&piece)?;
        out.flush()?;
        piece.clear();
    }
    Ok(())
}

/// Returns the head of an answer, for a body of `gathered` bytes if it is known.
fn head(response: &LocalResponse<'_>, gathered: Option<usize>) -> Vec<u8> {
    let status = response.status();
    let mut head = format!("Status: {} {}\r\n", status.code, status.reason_lossy());
    let mut line = |name: &str, value: &str| head.extend([name, ": ", value, "\r\n"]);
    for header in response.headers().iter() {
        if is_passed_on(&header) {
            line(header.name().as_str(), header.value());
        }
    }
    let length = response.body().preset_size().or(gathered);
    if let Some(length) = length.filter(|_| has_length(status))
        && !response.headers().contains("content-length")
    {
        line("Content-Length", &length.to_string());
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Returns whether a header of Rocket's is one of the answer.
pub(super) fn is_passed_on(header: &Header<'_>) -> bool {
    let name = header.name().as_str();
    let is_split = header.value().contains(['\r', '\n', '\0']);
    !is_split && !ONE_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop))
}

/// Returns whether answers of this status have a body, be it an empty one (RFC 9110, section 8.6).
pub(super) fn has_length(status: Status) -> bool {
    status.code >= 200 && status != Status::NoContent && status != Status::NotModified
}
