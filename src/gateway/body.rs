//! The body of a request: how much of it there is, and reading no more than that.

use std::io::{self, Read};

use super::{Door, Limits, environment::Environment, request::Refusal};

/// Most that is read of a body only to get rid of it.
const DRAIN: u64 = 1 << 30;

/// How long a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    Known(u64),
    /// As long as it comes: a chunked upload that the front server passes on as it arrives.
    Open,
}

/// Reads the body within the limits.
pub(super) fn read(
    environment: &Environment,
    door: Door,
    limits: Limits,
    input: &mut dyn Read,
) -> Result<Vec<u8>, Refusal> {
    let length = length(environment, door)?;
    let (most, expected) = match length {
        Length::Known(length) if length > limits.body => return Err(Refusal::TooLarge),
        Length::Known(length) => (length, length),
        Length::Open => (limits.body.saturating_add(1), 0),
    };
    let mut body = Vec::with_capacity(usize::try_from(expected.min(1 << 20)).unwrap_or_default());
    let read = input
        .take(most)
        .read_to_end(&mut body)
        .map_err(|_| Refusal::Malformed)? as u64;
    match length {
        Length::Known(length) if read < length => Err(Refusal::Malformed),
        Length::Open if read > limits.body => Err(Refusal::TooLarge),
        _ => Ok(body),
    }
}

/// Reads away a body that was refused: mod_cgid drops the answer of a program that leaves some of it.
pub(super) fn drain(environment: &Environment, door: Door, input: &mut dyn Read) {
    let most = match length(environment, door) {
        Ok(Length::Known(length)) => length.min(DRAIN),
        Ok(Length::Open) => DRAIN,
        Err(_) => 0,
    };
    // Nobody is left to tell.
    let _ = io::copy(&mut input.take(most), &mut io::sink());
}

/// Returns how long the body is.
///
/// FastCGI marks its end. In CGI only a chunked body ends with the input; otherwise the input may stay open
/// for ever, as under uWSGI, and must not be touched beyond the length.
fn length(environment: &Environment, door: Door) -> Result<Length, Refusal> {
    let Some(said) = environment.bytes("CONTENT_LENGTH") else {
        let is_open =
            door == Door::FastCgi || environment.bytes("HTTP_TRANSFER_ENCODING").is_some();
        return Ok(if is_open {
            Length::Open
        } else {
            Length::Known(0)
        });
    };
    let digits = std::str::from_utf8(said)
        .ok()
        .filter(|said| said.bytes().all(|byte| byte.is_ascii_digit()));
    let length = digits
        .and_then(|digits| digits.parse().ok())
        .ok_or(Refusal::Malformed)?;
    Ok(Length::Known(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        const LIMITS: Limits = Limits {
            body: 10,
            connections: 1,
        };
        let (sized, chunked) = ("CONTENT_LENGTH", ("HTTP_TRANSFER_ENCODING", "chunked"));
        type Case<'a> = (
            Door,
            &'a [(&'a str, &'a str)],
            &'a str,
            Result<&'a str, Refusal>,
        );
        let cases: &[Case] = &[
            (Door::Cgi, &[(sized, "4")], "body and more", Ok("body")),
            (Door::Cgi, &[], "not a body", Ok("")),
            (Door::Cgi, &[(sized, "")], "not a body", Ok("")),
            (Door::Cgi, &[chunked], "to the end", Ok("to the end")),
            (Door::Cgi, &[chunked], "to the end.", Err(Refusal::TooLarge)),
            (Door::Cgi, &[(sized, "11")], "", Err(Refusal::TooLarge)),
            (Door::Cgi, &[(sized, "9")], "short", Err(Refusal::Malformed)),
            (Door::Cgi, &[(sized, "+4")], "body", Err(Refusal::Malformed)),
            (Door::Cgi, &[(sized, "-4")], "body", Err(Refusal::Malformed)),
            (
                Door::Cgi,
                &[(sized, "99999999999999999999")],
                "body",
                Err(Refusal::Malformed),
            ),
            (Door::FastCgi, &[], "to the end", Ok("to the end")),
            (
                Door::FastCgi,
                &[(sized, "")],
                "to the end.",
                Err(Refusal::TooLarge),
            ),
            (Door::FastCgi, &[(sized, "4"), chunked], "body", Ok("body")),
        ];
        for (door, variables, input, expected) in cases {
            let environment = variables.iter().copied().collect();
            let body = read(&environment, *door, LIMITS, &mut input.as_bytes());
            assert_eq!(
                body,
                expected.map(|text| text.as_bytes().to_vec()),
                "{door:?} {variables:?}"
            );
        }
    }

    #[test]
    fn draining_stops_where_the_body_ends() {
        let mut input = &b"body and more"[..];
        drain(
            &[("CONTENT_LENGTH", "4")].into_iter().collect(),
            Door::Cgi,
            &mut input,
        );
        assert_eq!(input, b" and more");
        drain(&Environment::default(), Door::Cgi, &mut input);
        assert_eq!(input, b" and more");
    }
}
