//! Who asks: what the `Authorization` header says, and whose account that is (`rest.md §5`).

use std::net::IpAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use encoding_rs::WINDOWS_1252;
use subtle::ConstantTimeEq;

use super::{
    guess::{self, Counters, Guess},
    token_hash,
};
use crate::{
    domain::{
        Timestamp,
        permission::{Rights, Scope},
        user::User,
    },
    store::{self, Conn, Db},
};

/// How often at most it is written down that a token was used, in minutes.
const NOTED_MINUTES: i64 = 60;

/// What a request says about who sends it.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A token of the API.
    Token(String),
    /// A login name and its password.
    Basic {
        /// The login name.
        username: String,
        /// The password.
        password: String,
    },
}

/// Why somebody is not let in. What it says is what clients print, so it says no more than it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// `Authorization: Token` and nothing behind it.
    #[error("Invalid token header. No credentials provided.")]
    NoToken,
    /// More than one word behind `Token`.
    #[error("Invalid token header. Token string should not contain spaces.")]
    BrokenToken,
    /// Nobody has this token, or it has expired.
    #[error("Invalid token.")]
    UnknownToken,
    /// The token's owner may not log in.
    #[error("User inactive or deleted.")]
    Inactive,
    /// `Authorization: Basic` and nothing behind it.
    #[error("Invalid basic header. No credentials provided.")]
    NoBasic,
    /// More than one word behind `Basic`.
    #[error("Invalid basic header. Credentials string should not contain spaces.")]
    BrokenBasic,
    /// What is behind `Basic` is not base64, or has no colon.
    #[error("Invalid basic header. Credentials not correctly base64 encoded.")]
    NotBase64,
    /// Not even text.
    #[error("Invalid authorization header. It should not contain invalid characters.")]
    Garbled,
    /// No such account, another password, or an account that may not log in.
    #[error("Invalid username/password.")]
    WrongPassword,
    /// The right password of an account for which it is not enough. Only who knows the password learns that.
    #[error("This account has a second factor: use a token instead of the password.")]
    SecondFactor,
    /// There were too many wrong passwords; it may be tried again after so many seconds.
    #[error("Too many wrong passwords of late. Please try again later.")]
    TooOften(i64),
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub user: User,
    /// What the account may do.
    pub rights: Rights,
    /// What the way of logging in leaves of that.
    pub scope: Scope,
    /// The digest of the token used, if that is to be written down.
    pub unnoted: Option<Vec<u8>>,
}

impl Caller {
    /// Says whether what is asked for is within the scope of the token used.
    pub fn may(&self, scope: Scope) -> bool {
        self.scope >= scope
    }
}

/// Reads an `Authorization` header. `None` for schemes we do not know: whoever sends them asks as nobody.
///
/// # Errors
/// When the scheme is known and the rest makes no sense.
pub fn credentials(header: &str) -> Result<Option<Credentials>, Refused> {
    // What stands for bytes that are no text: the gateway puts it there.
    if header.contains(char::REPLACEMENT_CHARACTER) {
        return Err(Refused::Garbled);
    }
    let (scheme, rest) = match header.trim().split_once(char::is_whitespace) {
        Some((scheme, rest)) => (scheme, rest.trim()),
        None => (header.trim(), ""),
    };
    let is_single = |missing, broken| match rest {
        "" => Err(missing),
        rest if rest.contains(char::is_whitespace) => Err(broken),
        rest => Ok(rest),
    };
    match scheme.to_ascii_lowercase().as_str() {
        "token" | "bearer" => is_single(Refused::NoToken, Refused::BrokenToken)
            .map(|key| Some(Credentials::Token(key.to_owned()))),
        "basic" => is_single(Refused::NoBasic, Refused::BrokenBasic)
            .and_then(basic)
            .map(Some),
        _ => Ok(None),
    }
}

fn basic(encoded: &str) -> Result<Credentials, Refused> {
    let bytes = BASE64_STANDARD
        .decode(encoded)
        .map_err(|_| Refused::NotBase64)?;
    // Compatibility: old clients send Latin-1.
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| WINDOWS_1252.decode(error.as_bytes()).0.into_owned());
    let (username, password) = text.split_once(':').ok_or(Refused::NotBase64)?;
    Ok(Credentials::Basic {
        username: username.to_owned(),
        password: password.to_owned(),
    })
}

/// Returns whose credentials these are; `from` is the network address they come from. The connection is given back before
/// a password is looked at, which takes a while.
///
/// # Errors
/// When the database is away. The inner error: they are nobody's.
pub async fn identify(
    db: &Db,
    mut conn: Conn,
    credentials: &Credentials,
    from: Option<IpAddr>,
    now: Timestamp,
) -> store::Result<Result<Caller, Refused>> {
    match credentials {
        Credentials::Token(key) => by_token(&mut conn, key, now).await,
        Credentials::Basic { username, password } => {
            drop(conn);
            by_password(db, (username, password), from, now).await
        }
    }
}

/// Returns whose token this is.
///
/// # Errors
/// When the database is away. The inner error: it is nobody's.
pub async fn by_token(
    conn: &mut Conn,
    key: &str,
    now: Timestamp,
) -> store::Result<Result<Caller, Refused>> {
    let hash = token_hash(&key.to_ascii_lowercase());
    let owner = store::token::owner(conn, &hash, now).await?;
    // How long an index takes to find a hash tells nothing of the token; this does not depend on it at all.
    let Some(owner) = owner.filter(|owner| owner.key_hash.ct_eq(&hash).into()) else {
        return Ok(Err(Refused::UnknownToken));
    };
    if !owner.user.is_active {
        return Ok(Err(Refused::Inactive));
    }
    let limit = now.plus_minutes(-NOTED_MINUTES);
    let is_noted = owner.last_used.is_some_and(|used| used >= limit);
    Ok(Ok(Caller {
        rights: store::user::rights(conn, owner.user.id).await?,
        scope: Scope::from_word(&owner.scope).unwrap_or(Scope::Read),
        user: owner.user,
        unnoted: (!is_noted).then_some(hash),
    }))
}

/// Returns whose name and password these are. Hold no connection meanwhile.
///
/// # Errors
/// When the database is away. The inner error: they are nobody's, or were tried too often.
pub async fn by_password(
    db: &Db,
    (username, password): (&str, &str),
    from: Option<IpAddr>,
    now: Timestamp,
) -> store::Result<Result<Caller, Refused>> {
    let mut conn = db.reader().await?;
    let user = store::user::by_username(&mut conn, username).await?;
    drop(conn);
    let counters = Counters::script(username, from);
    let user = match guess::try_password(db, &counters, user, password, now).await? {
        Guess::Right(user) if user.has_second_factor => return Ok(Err(Refused::SecondFactor)),
        Guess::Right(user) => *user,
        Guess::Wrong => return Ok(Err(Refused::WrongPassword)),
        Guess::TooOften(seconds) => return Ok(Err(Refused::TooOften(seconds))),
    };
    let rights = store::user::rights(&mut db.reader().await?, user.id).await?;
    Ok(Ok(Caller {
        user,
        rights,
        scope: Scope::Write,
        unnoted: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic_of(text: &[u8]) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(text))
    }

    fn pair(username: &str, password: &str) -> Result<Option<Credentials>, Refused> {
        Ok(Some(Credentials::Basic {
            username: username.to_owned(),
            password: password.to_owned(),
        }))
    }

    #[test]
    fn headers_are_read_as_clients_write_them() {
        let token = |key: &str| Ok(Some(Credentials::Token(key.to_owned())));
        let cases = [
            ("Token abc".to_owned(), token("abc")),
            ("tOKEN   abc ".to_owned(), token("abc")),
            ("Bearer abc".to_owned(), token("abc")),
            ("Token".to_owned(), Err(Refused::NoToken)),
            ("Token a b".to_owned(), Err(Refused::BrokenToken)),
            ("Basic".to_owned(), Err(Refused::NoBasic)),
            ("Basic a b".to_owned(), Err(Refused::BrokenBasic)),
            ("Basic ???".to_owned(), Err(Refused::NotBase64)),
            (basic_of(b"nocolon"), Err(Refused::NotBase64)),
            (basic_of(b"m:a:b"), pair("m", "a:b")),
            (basic_of("m:\u{e9}".as_bytes()), pair("m", "\u{e9}")),
            (basic_of(b"m:\xe9"), pair("m", "\u{e9}")),
            ("Negotiate xyz".to_owned(), Ok(None)),
            ("Token a\u{fffd}".to_owned(), Err(Refused::Garbled)),
            ("\u{fffd}".to_owned(), Err(Refused::Garbled)),
            (String::new(), Ok(None)),
        ];
        for (header, expected) in cases {
            assert!(credentials(&header) == expected, "{header}");
        }
    }
}
