//! LMTP (RFC 2033): mail servers hand mails over one connection, many of them, and get an answer for each recipient.
//!
//! A mail server makes a bounce of a 5xx answer to a mail, and a bounce goes to a poster who has done nothing wrong. So
//! whatever goes wrong with a mail is 4xx here, and a mail that only we do not understand is taken and set aside.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};

use super::{
    MOST_BYTES, Outcome,
    taker::{Taken, Taker},
};
use crate::domain::ListId;

/// How long a line of a command may be, in bytes: RFC 5321 wants 512, its extensions add some.
const MOST_LINE: usize = 4 << 10;

/// How many recipients a mail may have.
const MOST_RECIPIENTS: usize = 1000;

/// How many commands that make no sense a connection may bring.
const MOST_ERRORS: u32 = 20;

/// Mails in hand count in steps of this many bytes.
const STEP: usize = 1 << 20;

/// What holds for every connection of a door.
#[derive(Clone, Debug)]
pub struct Door {
    /// Who takes the mails.
    pub taker: Taker,
    /// The list all mails come by, if their headers do not count.
    pub list: Option<ListId>,
    /// What the door calls itself.
    pub name: String,
    /// The largest mail, in bytes; larger ones stay with the mail server.
    pub most_bytes: usize,
    /// How long the other side may say nothing.
    pub patience: Duration,
    memory: Arc<Semaphore>,
}

impl Door {
    /// Returns a door with the usual limits.
    pub fn new(taker: Taker, list: Option<ListId>, name: String) -> Door {
        let most_bytes = usize::try_from(MOST_BYTES).unwrap_or(usize::MAX);
        Door {
            taker,
            list,
            name,
            most_bytes,
            // RFC 5321 §4.5.3.2.7: five minutes at least.
            patience: Duration::from_secs(300),
            memory: Arc::new(Semaphore::new(2 * most_bytes / STEP)),
        }
    }
}

/// Why a connection ends.
enum End {
    /// The other side has said goodbye, or has gone.
    Gone,
    /// The other side says nothing.
    Silent,
    /// We are to stop.
    Stopped,
    /// It talks nonsense.
    Nonsense,
}

/// A mail so far.
#[derive(Default)]
struct Envelope {
    has_sender: bool,
    recipients: usize,
}

/// Talks with a mail server until it has said goodbye, or `stop` says true; a mail that is under way is finished.
///
/// # Errors
/// When the connection breaks.
pub async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    door: &Door,
    stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut session = Session {
        stream: BufReader::with_capacity(64 << 10, stream),
        said: Vec::new(),
        envelope: Envelope::default(),
        is_greeted: false,
        errors: 0,
        door,
        stop,
    };
    session.say(&format!("220 {} LMTP ready", door.name));
    let end = session.commands().await?;
    match end {
        End::Gone => {}
        End::Silent => session.say("421 4.4.2 nothing was said for too long"),
        End::Stopped => session.say("421 4.3.2 closing; come again"),
        End::Nonsense => session.say("421 4.5.2 this is no LMTP"),
    }
    session.flush().await
}

struct Session<'a, S> {
    stream: BufReader<S>,
    /// Answers that are not sent yet: those to commands that came together go together.
    said: Vec<u8>,
    envelope: Envelope,
    is_greeted: bool,
    errors: u32,
    door: &'a Door,
    stop: watch::Receiver<bool>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    fn say(&mut self, line: &str) {
        self.said.extend_from_slice(line.as_bytes());
        self.said.extend_from_slice(b"\r\n");
    }

    async fn flush(&mut self) -> io::Result<()> {
        if !self.said.is_empty() {
            let said = std::mem::take(&mut self.said);
            let sending = self.stream.get_mut().write_all(&said);
            timeout(self.door.patience, sending).await??;
        }
        Ok(())
    }

    async fn commands(&mut self) -> io::Result<End> {
        loop {
            if self.stream.buffer().is_empty() {
                self.flush().await?;
            }
            let line = match self.line().await? {
                Ok(line) => line,
                Err(end) => return Ok(end),
            };
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "LHLO" if !rest.trim().is_empty() => self.greet(),
                "LHLO" => self.refuse("501 5.5.4 LHLO wants a name"),
                "MAIL" => self.mail(rest),
                "RCPT" => self.recipient(rest),
                "DATA" => {
                    if let Some(end) = self.data().await? {
                        return Ok(end);
                    }
                }
                "RSET" => {
                    self.envelope = Envelope::default();
                    self.say("250 2.0.0 forgotten");
                }
                "NOOP" => self.say("250 2.0.0 here"),
                "VRFY" => self.say("252 2.1.5 send it and see"),
                "QUIT" => {
                    self.say("221 2.0.0 goodbye");
                    return Ok(End::Gone);
                }
                "HELO" | "EHLO" => self.refuse("500 5.5.1 this is LMTP: say LHLO"),
                _ => self.refuse("500 5.5.1 no such command"),
            }
            if self.errors > MOST_ERRORS {
                return Ok(End::Nonsense);
            }
        }
    }

    fn refuse(&mut self, line: &str) {
        self.errors += 1;
        self.say(line);
    }

    fn greet(&mut self) {
        self.is_greeted = true;
        self.envelope = Envelope::default();
        let name = self.door.name.clone();
        self.say(&format!("250-{name}"));
        // SIZE without a limit: a mail server that knows of one bounces what is larger, without asking us.
        for extension in [
            "PIPELINING",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
            "SIZE 0",
        ] {
            let mark = if extension == "SIZE 0" { ' ' } else { '-' };
            self.say(&format!("250{mark}{extension}"));
        }
    }

    fn mail(&mut self, rest: &str) {
        if !self.is_greeted {
            return self.refuse("503 5.5.1 say LHLO first");
        }
        if self.envelope.has_sender {
            return self.refuse("503 5.5.1 there is a sender already");
        }
        let Some(parameters) = after_path(rest, "FROM:") else {
            return self.refuse("451 4.5.2 MAIL wants FROM:<address>");
        };
        let size = parameters.split(' ').find_map(|one| {
            let (key, value) = one.split_once('=')?;
            key.eq_ignore_ascii_case("SIZE")
                .then(|| value.parse::<u64>().ok())?
        });
        if size.is_some_and(|size| size > self.door.most_bytes as u64) {
            return self.say("452 4.3.1 larger than any mail that is taken here");
        }
        self.envelope.has_sender = true;
        self.say("250 2.1.0 ok");
    }

    fn recipient(&mut self, rest: &str) {
        if !self.envelope.has_sender {
            return self.refuse("503 5.5.1 MAIL comes first");
        }
        if after_path(rest, "TO:").is_none() {
            return self.refuse("451 4.5.2 RCPT wants TO:<address>");
        }
        if self.envelope.recipients == MOST_RECIPIENTS {
            return self.say("452 4.5.3 enough recipients; send the mail again to the others");
        }
        self.envelope.recipients += 1;
        self.say("250 2.1.5 ok");
    }

    async fn data(&mut self) -> io::Result<Option<End>> {
        let recipients = self.envelope.recipients;
        if recipients == 0 {
            // RFC 2033 §4.2.
            self.refuse("503 5.5.1 there is no recipient");
            return Ok(None);
        }
        self.say("354 go on, and end with a dot");
        self.flush().await?;
        self.envelope = Envelope::default();
        let mail = match self.body().await? {
            Ok(mail) => mail,
            Err(end) => return Ok(Some(end)),
        };
        let answer = match mail {
            Ok((raw, _room)) => answer(self.door.taker.take(raw, self.door.list.clone()).await),
            Err(why) => {
                tracing::warn!("a mail stays with the mail server: {why}");
                format!("452 4.3.1 {why}")
            }
        };
        // All recipients get the same mail, and it is stored once.
        for _ in 0..recipients {
            self.say(&answer);
        }
        self.flush().await?;
        Ok(None)
    }

    /// Reads a mail up to its lonely dot. The inner error is why it is not taken.
    #[allow(clippy::type_complexity)]
    async fn body(
        &mut self,
    ) -> io::Result<Result<Result<(Vec<u8>, Vec<OwnedSemaphorePermit>), &'static str>, End>> {
        let (mut lines, mut room, mut refused) = (Lines::default(), Vec::new(), None);
        loop {
            let limit = self.door.most_bytes.saturating_add(MOST_LINE);
            let reading = part(&mut self.stream, &mut lines.raw, limit);
            let is_end = match timeout(self.door.patience, reading).await {
                Err(_) => return Ok(Err(End::Silent)),
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(Err(End::Gone));
                }
                Ok(part) => part?,
            };
            if lines.is_last(is_end) {
                break;
            }
            if refused.is_none() {
                refused = self.hold(lines.raw.len(), &mut room).err();
            }
            if refused.is_some() {
                // Read to its end all the same: only then there is an answer.
                lines.forget();
                room.clear();
            }
        }
        let raw = lines.raw;
        Ok(Ok(match refused {
            None => Ok((raw, room)),
            Some(why) => Err(why),
        }))
    }

    fn hold(&self, bytes: usize, room: &mut Vec<OwnedSemaphorePermit>) -> Result<(), &'static str> {
        if bytes > self.door.most_bytes {
            return Err("larger than any mail that is taken here");
        }
        while room.len() * STEP < bytes {
            match self.door.memory.clone().try_acquire_owned() {
                Ok(permit) => room.push(permit),
                Err(_) => return Err("too much at once; later"),
            }
        }
        Ok(())
    }

    /// Reads a command.
    async fn line(&mut self) -> io::Result<Result<String, End>> {
        let mut line = Vec::new();
        let mut stop = self.stop.clone();
        let reading = async {
            loop {
                let is_whole = part(&mut self.stream, &mut line, MOST_LINE).await?;
                if is_whole || line.len() >= MOST_LINE {
                    return Ok::<_, io::Error>(is_whole);
                }
            }
        };
        let stopped = async {
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let read = tokio::select! {
            biased;
            () = stopped => return Ok(Err(End::Stopped)),
            read = timeout(self.door.patience, reading) => read,
        };
        Ok(match read {
            Err(_) => Err(End::Silent),
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(End::Gone),
            Ok(Err(error)) => return Err(error),
            Ok(Ok(false)) => Err(End::Nonsense),
            Ok(Ok(true)) => Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
        })
    }
}

/// A mail on its way, in pieces that end with a line or without one.
///
/// Only CR and LF end a line here. To the mail server that sends it, a dot after a bare LF is a part of the mail; who
/// takes it for the end takes what follows for commands, and lets anybody who can post write mails of others.
#[derive(Default)]
struct Lines {
    raw: Vec<u8>,
    /// Where the last line begins.
    start: usize,
    /// Whether the start of that line has been looked at: the end of a mail may come in pieces, too.
    is_judged: bool,
}

impl Lines {
    /// Looks at a piece that came, which is the end of a line or not; says whether the mail ends with it.
    fn is_last(&mut self, is_end: bool) -> bool {
        if !self.is_judged && (is_end || self.raw.len() - self.start > 2) {
            if self.raw[self.start..] == *b".\r\n" {
                self.raw.truncate(self.start);
                return true;
            }
            if self.raw[self.start] == b'.' {
                self.raw.remove(self.start);
            }
            self.is_judged = true;
        }
        if is_end && self.raw[self.start..].ends_with(b"\r\n") {
            // On the way a line ends with both; in a file, and out of a pipe, with one.
            self.raw.truncate(self.raw.len() - 2);
            self.raw.push(b'\n');
            (self.start, self.is_judged) = (self.raw.len(), false);
        }
        false
    }

    /// Forgets what is known of a mail that is not taken, and keeps what its end may begin with.
    fn forget(&mut self) {
        let kept = match self.is_judged {
            true => self.raw.len() - usize::from(self.raw.ends_with(b"\r")),
            false => self.start,
        };
        self.raw.drain(..kept);
        self.start = 0;
    }
}

/// Reads up to the end of a line, or as much as there is room for; says whether it is the end of the line.
async fn part(
    stream: &mut (impl AsyncBufRead + Unpin),
    into: &mut Vec<u8>,
    most: usize,
) -> io::Result<bool> {
    let some = stream.fill_buf().await?;
    if some.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let end = some.iter().position(|byte| *byte == b'\n');
    let room = most.saturating_sub(into.len()).max(1);
    let take = end.map_or(some.len(), |end| end + 1).min(room);
    into.extend_from_slice(&some[..take]);
    stream.consume(take);
    Ok(into.last() == Some(&b'\n'))
}

/// Returns what follows `FROM:<address>` or `TO:<address>`; whose address it is does not matter here.
fn after_path<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start();
    let is_it = text.get(..word.len())?.eq_ignore_ascii_case(word);
    let path = is_it.then(|| text[word.len()..].trim_start())?;
    match path.strip_prefix('<') {
        Some(rest) => Some(rest.rsplit_once('>')?.1.trim()),
        None if path.is_empty() => None,
        None => Some(path.split_once(' ').map_or("", |(_, rest)| rest)),
    }
}

/// Returns the answer to a mail.
fn answer(taken: Result<Taken, super::taker::GivenBack>) -> String {
    let what = match taken {
        // What went wrong is in the log; a mail server repeats what it hears.
        Err(_) => return "451 4.3.0 not now; try again".to_owned(),
        Ok(Taken::Spooled) => "kept for later".to_owned(),
        Ok(Taken::Stored(outcome)) => match outcome {
            Outcome::Patch(id) => format!("patch {id}"),
            Outcome::Cover(id) => format!("cover {id}"),
            Outcome::Comment(id) => format!("comment {id}"),
            Outcome::Duplicate(_) => "known".to_owned(),
            Outcome::Ignored(why) => format!("nothing to show: {}", why.word()),
            Outcome::Invalid(_) => "kept, of no use".to_owned(),
            Outcome::Quarantined { id, .. } => format!("set aside as {id}"),
        },
    };
    format!("250 2.0.0 {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_as_they_come() {
        for (text, word, expected) in [
            ("FROM:<a@example.org>", "FROM:", Some("")),
            (
                "from: <> SIZE=12 BODY=8BITMIME",
                "FROM:",
                Some("SIZE=12 BODY=8BITMIME"),
            ),
            (
                "TO:<\"a > b\"@example.org> NOTIFY=NEVER",
                "TO:",
                Some("NOTIFY=NEVER"),
            ),
            ("TO:a@example.org", "TO:", Some("")),
            ("TO:", "TO:", None),
            ("TO:<a", "TO:", None),
            ("<a>", "TO:", None),
            ("TÖ", "TO:", None),
        ] {
            assert_eq!(after_path(text, word), expected, "{text}");
        }
    }

    /// Feeds pieces that end with a line or after `most` bytes, and returns the mail if it has ended.
    fn body(sent: &[u8], most: usize, forgets: bool) -> Option<(Vec<u8>, usize)> {
        let (mut lines, mut read) = (Lines::default(), 0);
        for line in sent.split_inclusive(|byte| *byte == b'\n') {
            for piece in line.chunks(most) {
                read += piece.len();
                lines.raw.extend_from_slice(piece);
                if lines.is_last(lines.raw.ends_with(b"\n")) {
                    return Some((lines.raw, read));
                }
                if forgets {
                    lines.forget();
                }
            }
        }
        None
    }

    #[test]
    fn only_a_dot_between_whole_line_ends_ends_a_mail() {
        for (sent, expected) in [
            (&b".\r\n"[..], &b""[..]),
            (b"a\r\n.\r\n", b"a\n"),
            (b"a\n.\r\nMAIL FROM:<b>\r\n.\r\n", b"a\n.\nMAIL FROM:<b>\n"),
            (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\n"),
            (b"a\r\n.\nb\r\n.\r\n", b"a\n\nb\n"),
            (b"a\r.\r\nb\r\n.\r\n", b"a\r.\nb\n"),
            (b"a\r\n..b\r\n.\r\n", b"a\n.b\n"),
            (b"a\n..b\r\n.\r\n", b"a\n..b\n"),
            (b"a\n.\r\n", b""),
        ] {
            let is_whole = expected != b"" || sent == b".\r\n";
            for most in 1..=sent.len() {
                let told = String::from_utf8_lossy(sent);
                let whole = is_whole.then(|| (expected.to_vec(), sent.len()));
                assert_eq!(body(sent, most, false), whole, "{told:?} by {most}");
                // What is not taken ends at the same place.
                let end = body(sent, most, true).map(|(_, end)| end);
                assert_eq!(end, whole.map(|(_, end)| end), "{told:?} by {most}");
            }
        }
    }

    #[tokio::test]
    async fn parts_end_with_lines_or_room() {
        let mut input = BufReader::with_capacity(4, &b"ab\r\nlonger line\n"[..]);
        let mut line = Vec::new();
        assert!(part(&mut input, &mut line, 100).await.expect("some"));
        assert_eq!(line, b"ab\r\n");
        let mut line = Vec::new();
        while !part(&mut input, &mut line, 6).await.expect("some") && line.len() < 6 {}
        assert_eq!(line, b"longer");
    }
}
