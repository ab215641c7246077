//! One request: the database, the moment, and who asks, found out when a method needs to know it.

use std::{net::IpAddr, time::Duration};

use super::fault::{Fault, Stranger};
use crate::{
    auth::{self, Caller, Credentials, Refused},
    domain::Timestamp,
    store::{self, Conn, Db, patience::patiently},
};

/// How long a change is tried again when others write at the same time: clients wait for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the calls of a request share.
pub struct Session {
    /// The database.
    pub db: Db,
    /// When the request came.
    pub now: Timestamp,
    /// The `Authorization` header.
    authorization: Option<String>,
    /// The network address it comes from.
    from: Option<IpAddr>,
    /// Who asks, once somebody needed to know. A password is looked at once, however many calls a request has.
    caller: Option<Result<Caller, Stranger>>,
}

impl Session {
    /// Begins a request.
    pub fn new(
        db: Db,
        authorization: Option<String>,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Self {
        Session {
            db,
            now,
            authorization,
            from,
            caller: None,
        }
    }

    /// Returns who asks.
    ///
    /// # Errors
    /// When it is not said, or not true, or the database is away.
    pub async fn caller(&mut self) -> Result<Caller, Fault> {
        let known = match self.caller.take() {
            Some(known) => known,
            None => self.identified().await?,
        };
        Ok(self.caller.insert(known).clone()?)
    }

    /// Writes something; when others write at the same time, it is tried again for a while.
    ///
    /// # Errors
    /// Those of the last try.
    pub async fn write<'a, F: Future<Output = Result<(), Fault>>>(
        &'a self,
        work: impl Fn(&'a Session) -> F,
    ) -> Result<(), Fault> {
        let is_worth_it =
            |fault: &Fault| matches!(fault, Fault::Store(error) if error.is_contention());
        patiently(PATIENCE, is_worth_it, || work(self)).await
    }

    async fn identified(&self) -> store::Result<Result<Caller, Stranger>> {
        let credentials = match credentials(self.authorization.as_deref()) {
            Ok(credentials) => credentials,
            Err(stranger) => return Ok(Err(stranger)),
        };
        let mut conn = self.db.reader().await?;
        // First: a token is no wrong password.
        if let Some(caller) = by_token(&mut conn, &credentials, self.now).await? {
            return Ok(Ok(caller));
        }
        let caller = auth::identify(&self.db, conn, &credentials, self.from, self.now).await?;
        Ok(caller.map_err(|refused| match refused {
            Refused::TooOften(_) => Stranger::TooOften,
            _ => Stranger::Wrong,
        }))
    }
}

fn credentials(authorization: Option<&str>) -> Result<Credentials, Stranger> {
    let header = authorization.ok_or(Stranger::Silent)?;
    auth::credentials(header)
        .map_err(|_| Stranger::Unclear)?
        .ok_or(Stranger::Scheme)
}

/// Takes what was sent as a password for a token of that user: clients of this interface can send nothing else.
async fn by_token(
    conn: &mut Conn,
    credentials: &Credentials,
    now: Timestamp,
) -> store::Result<Option<Caller>> {
    let Credentials::Basic { username, password } = credentials else {
        return Ok(None);
    };
    let owner = auth::by_token(conn, password, now).await?.ok();
    Ok(owner.filter(|owner| owner.user.username == *username))
}
