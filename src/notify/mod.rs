//! Mail that goes out: which way, and what is said when it does not.
//!
//! [`Mailer::new`] checks the settings without talking to anybody; [`Mailer::send`] sends one letter. Whatever
//! has a cause in the database goes through the outbox: [`digest::queue`] writes into it what submitters are to be
//! told, `letter.rs` says what mails about accounts say, [`outbox::send_due`] sends what is in it, [`courier::serve`]
//! sees to that while the site is served. [`webhook::serve`] tells events by HTTP.

pub mod address;
pub mod courier;
pub mod digest;
pub mod letter;
pub mod outbox;
pub mod tls;
pub mod webhook;

use std::{fs, io::Write, path::PathBuf, time::Duration};

use lettre::{
    AsyncFileTransport, AsyncSendmailTransport, AsyncSmtpTransport, AsyncTransport, Message,
    Tokio1Executor,
    message::{
        Body, Mailbox,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};

use tokio::time::timeout;

use crate::{
    config::{self, Backend},
    domain::Timestamp,
};

/// Why a mail did not go out: one sentence that names the way and the reason, never a password.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub(crate) String);

/// The result of sending.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A mail to be written.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    /// Who writes it; `mail.from` for `None`.
    pub from: Option<&'a str>,
    /// Who gets it.
    pub to: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// Its text.
    pub text: &'a str,
    /// When it is written.
    pub date: Timestamp,
    /// Further headers, `Name: value` a line.
    pub headers: &'a str,
    /// What its message id begins with, where the same letter may have to be sent again.
    pub label: Option<&'a str>,
}

/// A way for mail to leave.
pub struct Mailer {
    from: Mailbox,
    way: Way,
    /// How long all of it may take; the library's own limit is for connecting only.
    patience: Duration,
    password: String,
}

enum Way {
    Smtp {
        transport: AsyncSmtpTransport<Tokio1Executor>,
        server: String,
    },
    Sendmail {
        transport: AsyncSendmailTransport<Tokio1Executor>,
        program: String,
    },
    File(PathBuf),
    Console,
    Nowhere,
}

impl Mailer {
    /// Takes the way that the settings name.
    ///
    /// # Errors
    /// When a sender is no mail address, or the server's name cannot be one.
    pub fn new(settings: &config::Mail) -> Result<Self> {
        if !settings.notification_from.is_empty() {
            mailbox("mail.notification_from", &settings.notification_from)?;
        }
        let way = match settings.backend {
            Backend::Smtp => smtp(settings)?,
            Backend::Sendmail => Way::Sendmail {
                transport: AsyncSendmailTransport::new_with_command(&settings.sendmail),
                program: settings.sendmail.clone(),
            },
            Backend::File => Way::File(settings.directory.clone()),
            Backend::Console => Way::Console,
            Backend::None => Way::Nowhere,
        };
        Ok(Mailer {
            from: mailbox("mail.from", &settings.from)?,
            way,
            patience: Duration::from_secs(settings.timeout),
            password: settings.password.clone(),
        })
    }

    /// Returns where mail goes, as people read it.
    pub fn way(&self) -> String {
        match &self.way {
            Way::Smtp { server, .. } => format!("the mail server {server}"),
            Way::Sendmail { program, .. } => format!("the program {program}"),
            Way::File(folder) => format!("the folder {}", folder.display()),
            Way::Console => "standard output".to_owned(),
            Way::Nowhere => "nowhere: mail.backend is \"none\"".to_owned(),
        }
    }

    /// Sends a letter.
    ///
    /// # Errors
    /// When an address is none, the way is closed, or it takes too long.
    pub async fn send(&self, letter: &Letter<'_>) -> Result<()> {
        let message = self.message(letter)?;
        match timeout(self.patience, self.carry(message)).await {
            Ok(sent) => sent,
            Err(_) => {
                let seconds = self.patience.as_secs();
                let way = self.way();
                Err(Error(format!(
                    "cannot send through {way}: it took more than {seconds} s (mail.timeout)"
                )))
            }
        }
    }

    async fn carry(&self, message: Message) -> Result<()> {
        match &self.way {
            Way::Smtp { transport, .. } => transport
                .send(message)
                .await
                .map(drop)
                .map_err(|error| self.failed(&error)),
            Way::Sendmail { transport, .. } => transport
                .send(message)
                .await
                .map_err(|error| self.failed(&error)),
            Way::File(folder) => {
                fs::create_dir_all(folder).map_err(|error| self.failed(&error))?;
                AsyncFileTransport::<Tokio1Executor>::new(folder)
                    .send(message)
                    .await
                    .map(drop)
                    .map_err(|error| self.failed(&error))
            }
            Way::Console => {
                let mut out = std::io::stdout().lock();
                out.write_all(&message.formatted())
                    .and_then(|()| out.flush())
                    .map_err(|error| self.failed(&error))
            }
            Way::Nowhere => Ok(()),
        }
    }

    fn message(&self, letter: &Letter<'_>) -> Result<Message> {
        let micros = u64::try_from(letter.date.0).unwrap_or_default();
        let date = std::time::UNIX_EPOCH + Duration::from_micros(micros);
        // Left to itself the library writes base64, which people and filters cannot read.
        let body = Body::new_with_encoding(
            letter.text.to_owned(),
            ContentTransferEncoding::QuotedPrintable,
        )
        .map_err(|_| Error("the text cannot be encoded".to_owned()))?;
        let from = match letter.from {
            Some(from) => mailbox("the sender", from)?,
            None => self.from.clone(),
        };
        let id = letter
            .label
            .map(|label| format!("<{label}@{}>", from.email.domain()));
        let mut builder = Message::builder()
            .from(from)
            .to(mailbox("the recipient", letter.to)?)
            .subject(letter.subject)
            .date(date)
            .message_id(id);
        for line in letter.headers.lines() {
            builder = builder.raw_header(header(line)?);
        }
        builder
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .map_err(|error| Error(format!("the mail cannot be written: {error}")))
    }

    fn failed(&self, error: &dyn std::error::Error) -> Error {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !reason.contains(&text) {
                reason = format!("{reason}: {text}");
            }
            cause = error.source();
        }
        // A server may answer with what it was told.
        if !self.password.is_empty() {
            reason = reason.replace(&self.password, "********");
        }
        match reason.trim() {
            "" => Error(format!("cannot send through {}", self.way())),
            reason => Error(format!("cannot send through {}: {reason}", self.way())),
        }
    }
}

fn smtp(settings: &config::Mail) -> Result<Way> {
    let host = settings.host.as_str();
    let server = format!("{host}:{}", settings.port);
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]");
    let parameters = || {
        let builder = TlsParameters::builder(host.to_owned());
        let builder = match own_authority(settings)? {
            Some(certificates) => builder.add_root_certificate(certificates),
            None => builder,
        };
        builder.build_rustls().map_err(|error| {
            Error(format!(
                "mail.host '{host}' cannot be used with TLS: {error}"
            ))
        })
    };
    let tls = match settings.tls {
        config::Tls::Auto if is_here => Tls::None,
        config::Tls::None => Tls::None,
        config::Tls::Auto | config::Tls::Starttls => Tls::Required(parameters()?),
        config::Tls::Tls => Tls::Wrapper(parameters()?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(settings.port)
        .timeout(Some(Duration::from_secs(settings.timeout)))
        .tls(tls);
    if !settings.user.is_empty() {
        builder = builder.credentials(Credentials::new(
            settings.user.clone(),
            settings.password.clone(),
        ));
    }
    Ok(Way::Smtp {
        transport: builder.build(),
        server,
    })
}

/// Reads the certificates that are believed beside those of public authorities.
fn own_authority(settings: &config::Mail) -> Result<Option<Certificate>> {
    if settings.ca.as_os_str().is_empty() {
        return Ok(None);
    }
    let unusable = |why: String| {
        Error(format!(
            "mail.ca '{}' is of no use: {why}",
            settings.ca.display()
        ))
    };
    let pem = fs::read(&settings.ca).map_err(|error| unusable(error.to_string()))?;
    if !pem.windows(BEGIN.len()).any(|line| line == BEGIN) {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    let read = Certificate::from_pem(&pem).map_err(|error| unusable(error.to_string()))?;
    Ok(Some(read))
}

/// How a certificate begins in a file.
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

fn header(line: &str) -> Result<HeaderValue> {
    let field = line.split_once(": ").and_then(|(name, value)| {
        let name = HeaderName::new_from_ascii(name.to_owned()).ok()?;
        Some(HeaderValue::new(name, value.to_owned()))
    });
    field.ok_or_else(|| Error(format!("'{line}' is no header")))
}

/// Says whether mail can be sent to an address at all.
pub fn is_deliverable(address: &str) -> bool {
    address.parse::<lettre::Address>().is_ok()
}

fn mailbox(what: &str, text: &str) -> Result<Mailbox> {
    text.parse().map_err(|_| {
        Error(format!(
            "{what} '{text}' is no mail address; write name@example.org or Name <name@example.org>"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(to: &str) -> Letter<'_> {
        Letter {
            from: None,
            to,
            subject: "Grüße",
            text: "Dear Zoë,\nyour patch = fine.\n",
            date: Timestamp::from_seconds(1_709_618_828),
            headers: "",
            label: None,
        }
    }

    fn settings(backend: Backend) -> config::Mail {
        config::Mail {
            backend,
            ..config::Mail::default()
        }
    }

    #[test]
    fn letters_are_quoted_printable_utf_8() {
        let mailer = Mailer::new(&settings(Backend::None)).expect("a mailer");
        let message = mailer
            .message(&letter("Zoë <zoe@example.org>"))
            .expect("a message");
        let text = String::from_utf8(message.formatted()).expect("plain ASCII");
        for part in [
            "Content-Transfer-Encoding: quoted-printable\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Date: Tue, 05 Mar 2024 06:07:08 +0000\r\n",
            "Dear Zo=C3=AB,\r\nyour patch =3D fine.\r\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        assert!(text.is_ascii() && text.contains("Message-ID: <"), "{text}");
    }

    #[test]
    fn a_letter_sent_again_has_the_same_message_id() {
        let mailer = Mailer::new(&settings(Backend::None)).expect("a mailer");
        let again = Letter {
            from: Some("Tides <tides@example.org>"),
            headers: "Precedence: bulk",
            label: Some("1.outbox"),
            ..letter("zoe@example.org")
        };
        let text = mailer.message(&again).expect("a message").formatted();
        let text = String::from_utf8(text).expect("plain ASCII");
        for part in [
            "From: Tides <tides@example.org>\r\n",
            "Precedence: bulk\r\n",
            "Message-ID: <1.outbox@example.org>\r\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
        for headers in ["Precedence", "Prece dence: bulk"] {
            let bad = Letter {
                headers,
                ..again.clone()
            };
            assert!(mailer.message(&bad).is_err(), "{headers}");
        }
    }

    #[test]
    fn certificates_of_an_authority_of_ones_own_are_read_at_once() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (ca, tls, why) in [
            (
                PathBuf::from("/nowhere/ca.pem"),
                config::Tls::Starttls,
                "No such file",
            ),
            (
                file.path().to_owned(),
                config::Tls::Tls,
                "it holds no certificate",
            ),
        ] {
            let settings = config::Mail {
                ca,
                tls,
                ..settings(Backend::Smtp)
            };
            let error = Mailer::new(&settings).err().expect("an error").to_string();
            assert!(
                error.starts_with("mail.ca '") && error.contains(why),
                "{error}"
            );
        }
    }

    #[test]
    fn addresses_are_checked() {
        let mailer = Mailer::new(&settings(Backend::None)).expect("a mailer");
        for bad in ["", "nobody", "a@b\r\nBcc: c@d"] {
            assert!(mailer.message(&letter(bad)).is_err(), "{bad:?}");
        }
        let bad = config::Mail {
            from: "Patchwork".to_owned(),
            ..config::Mail::default()
        };
        let error = Mailer::new(&bad).err().expect("an error").to_string();
        assert!(error.contains("mail.from 'Patchwork'"), "{error}");
    }
}
