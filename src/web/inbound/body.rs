//! What a request brings: the mail itself, in one of the shapes in which providers wrap it.

use base64::{Engine, engine::general_purpose::STANDARD};
use multer::{Multipart, bytes::Bytes};
use rocket::futures::stream;
use serde_json::{Map, Value};

use super::key::Signature;

/// Why there is no mail in a request, for whoever set it up.
pub type Broken = &'static str;

const NO_RAW: Broken = "There is no raw mail in this request. Fields that were parsed elsewhere do not keep a diff as it was: have the \
    raw MIME message sent (Mailgun: a route to …/inbound/mail/mime; SendGrid: \"POST the raw, full MIME message\"; Postmark: \
    \"Include raw email content in JSON payload\").";

/// What a request brings.
#[derive(Debug, PartialEq, Eq)]
pub enum Content {
    /// A mail.
    Mail(Vec<u8>),
    /// A topic of Amazon SNS asks whether it may send; whoever looks after the site says so by visiting an address.
    Handshake(String),
}

/// A body as it was understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// What it brings.
    pub content: Option<Content>,
    /// How Mailgun signs it.
    pub signature: Option<Signature>,
    /// The topic of Amazon SNS it comes by.
    pub topic: Option<String>,
}

impl Body {
    fn mail(raw: Vec<u8>) -> Body {
        Body {
            content: Some(Content::Mail(raw)),
            ..Body::default()
        }
    }

    /// Reads a body of the given type.
    ///
    /// # Errors
    /// When it is of none of the shapes we know, or has no mail in it.
    pub async fn read(kind: &str, body: Vec<u8>) -> Result<Body, Broken> {
        let name = kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match name.as_str() {
            "multipart/form-data" => form(multipart(kind, body).await?),
            "application/x-www-form-urlencoded" => {
                let fields = pairs(&body);
                match fields.iter().any(|(name, _)| is_raw(name)) {
                    // What `curl --data-binary` calls a mail if nobody tells it otherwise.
                    false if is_mail(&body) => Ok(Body::mail(body)),
                    _ => form(fields),
                }
            }
            // Amazon SNS calls its JSON a text.
            "application/json" | "text/plain" | "text/json"
                if body.trim_ascii_start().starts_with(b"{") =>
            {
                json(&body)
            }
            "application/json" | "text/json" => Err("The body is no JSON object."),
            _ if is_mail(&body) => Ok(Body::mail(body)),
            _ => Err("The body is no mail: it does not begin with a header."),
        }
    }
}

/// The fields in which providers send the mail: Mailgun, SendGrid.
fn is_raw(name: &str) -> bool {
    matches!(name, "body-mime" | "email")
}

/// Says whether bytes begin like a mail: with a header, or the line that begins a mail of an mbox.
fn is_mail(body: &[u8]) -> bool {
    let first = body
        .trim_ascii_start()
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    if first.starts_with(b"From ") {
        return true;
    }
    let name = first.iter().position(|byte| *byte == b':');
    name.is_some_and(|end| {
        end > 0
            && first[..end]
                .iter()
                .all(|byte| byte.is_ascii_graphic() && !b"=&{\"".contains(byte))
    })
}

fn form(mut fields: Vec<(String, Vec<u8>)>) -> Result<Body, Broken> {
    let text = |name: &str| {
        let found = fields.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    };
    let signature = text("signature").map(|signature| Signature {
        timestamp: text("timestamp").unwrap_or_default(),
        token: text("token").unwrap_or_default(),
        signature,
    });
    let place = fields
        .iter()
        .position(|(name, _)| is_raw(name))
        .ok_or(NO_RAW)?;
    Ok(Body {
        signature,
        ..Body::mail(fields.swap_remove(place).1)
    })
}

async fn multipart(kind: &str, body: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>, Broken> {
    let broken = |_: multer::Error| "The multipart form is damaged.";
    let boundary = multer::parse_boundary(kind).map_err(broken)?;
    let body = stream::once(async { Ok::<_, std::io::Error>(Bytes::from(body)) });
    let mut parts = Multipart::new(body, boundary);
    let mut fields = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        fields.push((name, part.bytes().await.map_err(broken)?.to_vec()));
    }
    Ok(fields)
}

/// Reads `a=b&c=d` with the bytes of its values: a mail is not always text.
fn pairs(body: &[u8]) -> Vec<(String, Vec<u8>)> {
    body.split(|byte| *byte == b'&')
        .map(|pair| {
            let end = pair
                .iter()
                .position(|byte| *byte == b'=')
                .unwrap_or(pair.len());
            let value = pair.get(end + 1..).unwrap_or_default();
            (
                String::from_utf8_lossy(&unescaped(&pair[..end])).into_owned(),
                unescaped(value),
            )
        })
        .collect()
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| text.get(at).and_then(|byte| (*byte as char).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let (byte, length) = match (text[at], digit(at + 1), digit(at + 2)) {
            (b'+', ..) => (b' ', 1),
            (b'%', Some(high), Some(low)) => ((high << 4 | low) as u8, 3),
            (byte, ..) => (byte, 1),
        };
        bytes.push(byte);
        at += length;
    }
    bytes
}

fn json(body: &[u8]) -> Result<Body, Broken> {
    let object: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| "The body is no JSON object.")?;
    if object.contains_key("TopicArn") {
        return notification(&object);
    }
    mail_of(&object).map(Body::mail)
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// Returns the mail of an object: Postmark, Amazon SES, or anybody.
fn mail_of(object: &Map<String, Value>) -> Result<Vec<u8>, Broken> {
    let found = ["RawEmail", "content", "raw"]
        .iter()
        .find_map(|name| text(object, name));
    let found = found.ok_or(NO_RAW)?;
    if is_mail(found.as_bytes()) {
        return Ok(found.as_bytes().to_vec());
    }
    let packed: Vec<u8> = found
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let raw = STANDARD.decode(packed).ok().filter(|raw| is_mail(raw));
    raw.ok_or("The mail in the JSON object is neither a mail nor one in base64.")
}

/// Reads what Amazon SNS sends.
fn notification(object: &Map<String, Value>) -> Result<Body, Broken> {
    let topic = text(object, "TopicArn").map(str::to_owned);
    let content = match text(object, "Type") {
        Some("Notification") => {
            let message = text(object, "Message").unwrap_or_default();
            let message: Map<String, Value> = serde_json::from_str(message)
                .map_err(|_| "The message of the notification is no JSON object.")?;
            Content::Mail(mail_of(&message)?)
        }
        Some("SubscriptionConfirmation" | "UnsubscribeConfirmation") => {
            let url = text(object, "SubscribeURL").unwrap_or_default();
            let host = url
                .strip_prefix("https://")
                .and_then(|rest| rest.split('/').next());
            if !host
                .is_some_and(|host| host.starts_with("sns.") && host.ends_with(".amazonaws.com"))
            {
                return Err("The address to confirm is not one of Amazon SNS.");
            }
            Content::Handshake(url.to_owned())
        }
        _ => return Err("This kind of notification is not known."),
    };
    Ok(Body {
        content: Some(content),
        topic,
        signature: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bytes() {
        let fields = pairs(b"body-mime=From%3a+a%0A%ff%2&x&=y");
        let expected = [
            ("body-mime", &b"From: a\n\xff%2"[..]),
            ("x", b""),
            ("", b"y"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_vec()));
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_mail_begins_with_a_header() {
        for mail in ["Subject: x", "From a@example.org Tue", "\r\nX-A:b"] {
            assert!(is_mail(mail.as_bytes()), "{mail}");
        }
        for other in [
            "",
            "a=b",
            "hello",
            ": x",
            "{\"a\":1}",
            "two words: x",
            "body-plain=From: x",
        ] {
            assert!(!is_mail(other.as_bytes()), "{other}");
        }
    }
}
