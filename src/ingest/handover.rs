//! Mails handed to the server that runs anyway: it has its connections open and its statements ready, so a mail
//! takes a fraction of what a process of its own takes.
//!
//! A socket file, one mail a connection: a line that says how many bytes come and which list they came by, the bytes;
//! then a line with what became of them. Whoever gets no answer delivers the mail itself: were it delivered after
//! all, it is a duplicate the second time.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader as AsyncBufReader},
    net::{UnixListener, UnixStream as AsyncUnixStream},
    sync::Semaphore,
    task,
    time::{sleep, timeout},
};

use super::{
    MOST_BYTES, Options, Outcome, Why,
    taker::{Taken, Taker},
};
use crate::{
    domain::{CommentId, CoverId, ListId, MessageId, PatchId, QuarantineId},
    store::Db,
};

/// How long the line before a mail may be, in bytes.
const MOST_HEAD: u64 = 8 << 10;

/// How much memory the mails in hand may take together, in KiB, and what the smallest counts for.
const MEMORY: u32 = MOST_BYTES as u32 >> 10;
const LEAST: u32 = 1 << 10;

/// How long a mail may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

/// How long the other side is waited for before a mail is delivered without it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to pause when the system gives no further connection.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    bytes: u64,
    list: Option<String>,
}

/// What became of a mail, as a line. A word we do not know comes from another version, and is no answer.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    became: String,
    #[serde(default)]
    id: i64,
    #[serde(default)]
    text: String,
}

impl From<&Outcome> for Answer {
    fn from(outcome: &Outcome) -> Answer {
        let answer = |became: &str, id, text: &str| Answer {
            became: became.to_owned(),
            id,
            text: text.to_owned(),
        };
        match outcome {
            Outcome::Patch(id) => answer("patch", id.0, ""),
            Outcome::Cover(id) => answer("cover", id.0, ""),
            Outcome::Comment(id) => answer("comment", id.0, ""),
            Outcome::Duplicate(id) => answer("duplicate", 0, id.as_str()),
            Outcome::Ignored(why) => answer("ignored", 0, why.word()),
            Outcome::Invalid(reason) => answer("invalid", 0, reason),
            Outcome::Quarantined { id, reason } => answer("quarantined", id.0, reason),
        }
    }
}

impl Answer {
    fn outcome(self) -> Option<Outcome> {
        let (id, text) = (self.id, self.text);
        Some(match self.became.as_str() {
            "patch" => Outcome::Patch(PatchId(id)),
            "cover" => Outcome::Cover(CoverId(id)),
            "comment" => Outcome::Comment(CommentId(id)),
            "duplicate" => Outcome::Duplicate(MessageId::new(&text)),
            "ignored" => Outcome::Ignored(Why::of(&text)?),
            "invalid" => Outcome::Invalid(text),
            "quarantined" => Outcome::Quarantined {
                id: QuarantineId(id),
                reason: text,
            },
            _ => return None,
        })
    }
}

/// Hands a mail to the server behind a socket file and waits until it is stored.
///
/// Returns `None` when nobody is there or nobody says what became of it.
pub fn hand(socket: &Path, raw: &[u8], list: Option<&ListId>) -> Option<Outcome> {
    let answered = talk(socket, raw, list);
    let answer = answered
        .inspect_err(|error| tracing::debug!("nobody takes mails at {}: {error}", socket.display()))
        .ok()?;
    let outcome = answer.outcome();
    if outcome.is_none() {
        tracing::info!("the server gave a mail back; it is delivered without it");
    }
    outcome
}

fn talk(socket: &Path, raw: &[u8], list: Option<&ListId>) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(ARRIVAL))?;
    let head = Head {
        bytes: raw.len() as u64,
        list: list.map(|list| list.as_str().to_owned()),
    };
    let mut line = serde_json::to_vec(&head)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    stream.write_all(raw)?;
    let mut line = String::new();
    BufReader::new(stream.take(MOST_HEAD)).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// Takes mails until the process ends.
pub async fn serve(listener: UnixListener, db: Db, options: Options) {
    let taker = Taker::new(db, options, None);
    let memory = Arc::new(Semaphore::new(MEMORY as usize));
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let one = take(stream, taker.clone(), memory.clone());
                task::spawn(async move {
                    if let Err(error) = one.await {
                        tracing::info!("a mail was not handed over: {error}");
                    }
                });
            }
            Err(error) => {
                tracing::warn!("no mail can be handed over for now: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn take(stream: AsyncUnixStream, taker: Taker, memory: Arc<Semaphore>) -> io::Result<()> {
    let mut stream = AsyncBufReader::new(stream);
    let head = timeout(ARRIVAL, head(&mut stream)).await??;
    let counts = u32::try_from(head.bytes >> 10).unwrap_or(MEMORY);
    let room = memory.acquire_many(counts.clamp(LEAST, MEMORY)).await;
    let _room = room.map_err(io::Error::other)?;
    let raw = timeout(ARRIVAL, body(&mut stream, head.bytes)).await??;
    let answer = deliver(&taker, raw, head.list).await;
    let mut line = serde_json::to_vec(&answer)?;
    line.push(b'\n');
    stream.get_mut().write_all(&line).await
}

async fn head(stream: &mut AsyncBufReader<AsyncUnixStream>) -> io::Result<Head> {
    let mut line = Vec::new();
    stream.take(MOST_HEAD).read_until(b'\n', &mut line).await?;
    let head: Head = serde_json::from_slice(&line)?;
    match head.bytes {
        0..=MOST_BYTES => Ok(head),
        bytes => Err(io::Error::other(format!("{bytes} bytes are no mail"))),
    }
}

async fn body(stream: &mut AsyncBufReader<AsyncUnixStream>, bytes: u64) -> io::Result<Vec<u8>> {
    let mut raw = Vec::new();
    stream.take(bytes).read_to_end(&mut raw).await?;
    match raw.len() as u64 == bytes {
        true => Ok(raw),
        // Half a mail must not be stored.
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Delivers a mail as a process of its own would.
async fn deliver(taker: &Taker, raw: Vec<u8>, list: Option<String>) -> Answer {
    let list = list.as_deref().map(ListId::new);
    match taker.take(raw, list).await {
        Ok(Taken::Stored(outcome)) => Answer::from(&outcome),
        // Who handed it over has a spool of its own.
        Ok(Taken::Spooled) | Err(_) => Answer {
            became: "deferred".to_owned(),
            id: 0,
            text: String::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_survives_the_way() {
        let outcomes = [
            Outcome::Patch(PatchId(1)),
            Outcome::Cover(CoverId(2)),
            Outcome::Comment(CommentId(3)),
            Outcome::Duplicate(MessageId::new("<a@example.com>")),
            Outcome::Ignored(Why::Hint),
            Outcome::Ignored(Why::NoProject),
            Outcome::Ignored(Why::Empty),
            Outcome::Ignored(Why::UnknownParent),
            Outcome::Invalid("no From header".to_owned()),
            Outcome::Quarantined {
                id: QuarantineId(4),
                reason: "too large".to_owned(),
            },
        ];
        for outcome in outcomes {
            let line = serde_json::to_string(&Answer::from(&outcome)).expect("a line");
            let answer: Answer = serde_json::from_str(&line).expect(&line);
            assert_eq!(answer.outcome(), Some(outcome));
        }
    }

    #[test]
    fn a_word_of_another_version_is_no_answer() {
        for line in [
            r#"{"became":"deferred"}"#,
            r#"{"became":"ignored","text":"mood"}"#,
        ] {
            let answer: Answer = serde_json::from_str(line).expect(line);
            assert_eq!(answer.outcome(), None, "{line}");
        }
    }
}
