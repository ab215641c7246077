//! Sessions of browsers: begun at login, ended at logout, by a new password, or after two weeks (`web.md §1.3`).

use serde::{Deserialize, Serialize};

use super::{Caller, Result, hex, random, token_hash};
use crate::{
    domain::{Timestamp, UserId, notice::Notice, permission::Scope},
    store::{self, Conn, Tx, session::NewSession},
};

/// How many minutes a session lasts.
pub const MINUTES: i64 = 14 * 24 * 60;
/// The name of its cookie. Compatibility: scripts know it.
pub const COOKIE: &str = "sessionid";
/// How often at most it is written down that a session was seen, in minutes.
const SEEN_MINUTES: i64 = 60;
/// The most notices that wait for a page.
const MOST_NOTICES: usize = 20;
/// The most characters that are kept of what a browser calls itself.
const MOST_AGENT: usize = 200;

/// Somebody's browser that is logged in.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who it is.
    pub caller: Caller,
    /// The digest of the cookie.
    pub key_hash: Vec<u8>,
    /// When the password was entered.
    pub created: Timestamp,
    /// What the next page is to tell.
    pub notices: Vec<Notice>,
    /// The notices as they are kept.
    data: String,
    is_stale: bool,
}

/// What is kept in a session.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Data {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notices: Vec<Notice>,
}

/// What a browser says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Browser<'a> {
    /// The header `User-Agent`.
    pub agent: &'a str,
    /// The network address it comes from.
    pub address: &'a str,
}

/// Makes the key of a session or of a page's forms: 64 hex digits.
///
/// # Errors
/// When the system has no random bytes.
pub fn new_key() -> Result<String> {
    Ok(hex(&random::<32>()?))
}

/// Begins a session and writes down its user's login. `key` is what the browser gets as a cookie.
///
/// # Errors
/// When the database is away or refuses.
pub async fn begin(
    tx: &mut Tx,
    key: &str,
    user: UserId,
    browser: Browser<'_>,
    now: Timestamp,
) -> store::Result<()> {
    let agent: String = browser.agent.chars().take(MOST_AGENT).collect();
    let session = NewSession {
        key_hash: &token_hash(key),
        user,
        agent: &agent,
        address: browser.address,
        created: now,
        expires: now.plus_minutes(MINUTES),
    };
    store::session::insert(tx, &session).await?;
    store::user::logged_in(tx, user, now).await
}

/// Returns the session of a cookie, unless it has ended or its user may not log in any more.
///
/// # Errors
/// When the database is away.
pub async fn find(conn: &mut Conn, key: &str, now: Timestamp) -> store::Result<Option<Session>> {
    let key_hash = token_hash(key);
    let Some(live) = store::session::live(conn, &key_hash, now).await? else {
        return Ok(None);
    };
    if !live.user.is_active {
        return Ok(None);
    }
    let rights = store::user::rights(conn, live.user.id).await?;
    // What cannot be read tells nothing.
    let data: Data = serde_json::from_str(&live.data).unwrap_or_default();
    let is_stale = live
        .seen
        .is_none_or(|seen| seen < now.plus_minutes(-SEEN_MINUTES));
    Ok(Some(Session {
        caller: Caller {
            user: live.user,
            rights,
            scope: Scope::Write,
            unnoted: None,
        },
        key_hash,
        created: live.created,
        notices: data.notices,
        data: live.data,
        is_stale,
    }))
}

impl Session {
    /// Says whether something is to be written now that a page is shown: that notices were, or that it was seen.
    pub fn is_to_be_written(&self) -> bool {
        self.is_stale || !self.notices.is_empty()
    }

    /// Writes down that a page was shown, and with it the notices.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn shown(&self, tx: &mut Tx, now: Timestamp) -> store::Result<()> {
        store::session::shown(tx, &self.key_hash, &self.data, now).await
    }

    /// Keeps notices for the next page, in the transaction of what they tell, beside those that wait already: each may hold the only
    /// way to undo something.
    ///
    /// # Errors
    /// When the database is away or refuses.
    pub async fn tell(
        &self,
        tx: &mut Tx,
        notices: Vec<Notice>,
        now: Timestamp,
    ) -> store::Result<()> {
        let kept = store::session::lock(tx, &self.key_hash).await?;
        let kept = kept.and_then(|kept| serde_json::from_str::<Data>(&kept).ok());
        let mut data = kept.unwrap_or_default();
        data.notices.extend(notices);
        let old = data.notices.len().saturating_sub(MOST_NOTICES);
        data.notices.drain(..old);
        let data = serde_json::to_string(&data).unwrap_or_else(|_| "{}".to_owned());
        store::session::write(tx, &self.key_hash, &data, now).await
    }
}
