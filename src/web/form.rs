//! What a form sends, and the only way to write: whoever begins a transaction here holds a form that comes from a page
//! of ours (`web.md §1.3`). So no handler can forget to look.

use rocket::{
    Data, Request,
    data::{FromData, Outcome, ToByteUnit},
    http::Status,
};
use rocket_db_pools::Database;

use super::guard::View;
use crate::{
    auth::csrf::{self, Forged, Source},
    store::{self, Db, Tx},
};

/// The most bytes of a form: a list of a thousand rows selected has some 30 kB.
const MOST_BYTES: usize = 1 << 20;

/// A form as it was sent, from a page of ours.
pub struct Form<'r> {
    pairs: Vec<(String, String)>,
    db: &'r Db,
}

/// What a mail program sends for its reader, from wherever it is (RFC 8058): the only form that need not come from a page
/// of ours. The key in the address is the proof, and the handler has to look at it; nothing that is sent is read, so
/// nobody learns or chooses anything with it. Only for [`OneClick::BELOW`].
pub struct OneClick<'r> {
    db: &'r Db,
}

impl OneClick<'_> {
    /// Where such forms may go.
    pub const BELOW: &'static str = "/mail/unsubscribe/";

    /// Begins to write.
    ///
    /// # Errors
    /// When the database is away, or somebody else writes for too long.
    pub async fn begin(&self) -> store::Result<Tx> {
        self.db.begin().await
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for OneClick<'r> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r, Self> {
        let path = request.uri().path();
        let below = View::of(request).links().base().len();
        if !path
            .raw()
            .as_str()
            .get(below..)
            .is_some_and(|path| path.starts_with(Self::BELOW))
        {
            return Outcome::Error((Status::Forbidden, ()));
        }
        match store::Database::fetch(request.rocket()) {
            Some(database) => Outcome::Success(OneClick { db: &database.0 }),
            None => Outcome::Error((Status::ServiceUnavailable, ())),
        }
    }
}

/// Why a form was not taken.
struct Refused(&'static str);

/// Returns why the form of a request was not taken, if so.
pub fn refused(request: &Request<'_>) -> Option<&'static str> {
    match request.local_cache(|| Refused("")).0 {
        "" => None,
        why => Some(why),
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for Form<'r> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let bytes = match data.open(MOST_BYTES.bytes()).into_bytes().await {
            Ok(bytes) if bytes.is_complete() => bytes.into_inner(),
            Ok(_) => return Outcome::Error((Status::PayloadTooLarge, ())),
            Err(_) => return Outcome::Error((Status::BadRequest, ())),
        };
        let pairs = pairs(&bytes);
        if let Err(forged) = check(request, &pairs) {
            request.local_cache(|| Refused(why(forged)));
            return Outcome::Error((Status::Forbidden, ()));
        }
        match store::Database::fetch(request.rocket()) {
            Some(database) => Outcome::Success(Form {
                pairs,
                db: &database.0,
            }),
            None => Outcome::Error((Status::ServiceUnavailable, ())),
        }
    }
}

/// Reads a body: `a=b&c=d`. Line ends are as forms send them, and become plain ones.
fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    let decoded = form_urlencoded::parse(bytes);
    decoded
        .map(|(name, value)| {
            (
                name.into_owned(),
                value.replace("\r\n", "\n").replace('\0', ""),
            )
        })
        .collect()
}

fn why(forged: Forged) -> &'static str {
    match forged {
        Forged::NoToken | Forged::WrongToken => {
            "This form has expired or came from another site. Reload the page it was on, allow cookies for this site, and \
             send it once more."
        }
        Forged::WrongOrigin => {
            "This form came from another site, says your browser. Reload the page it was on at the address of this site, and \
             send it once more. If that was this site, it does not know its own address: its administrators can set it \
             (site.url)."
        }
    }
}

fn check(request: &Request<'_>, pairs: &[(String, String)]) -> Result<(), Forged> {
    let field = pairs.iter().rev().find(|(name, _)| name == csrf::FIELD);
    let headers = request.headers();
    let cookie = request.cookies().get(csrf::COOKIE);
    let source = Source {
        sec_fetch_site: headers.get_one("Sec-Fetch-Site"),
        origin: headers.get_one("Origin"),
        own: &View::of(request).origins(),
        cookie: cookie.map(|cookie| cookie.value()),
        sent: field
            .map(|(_, value)| value.as_str())
            .or_else(|| headers.get_one(csrf::HEADER)),
    };
    source.check_token()
}

impl Form<'_> {
    /// Returns the last value of a field, without blanks around it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).map(str::trim)
    }

    /// Returns the last value of a field as it was sent: a password may begin with a blank.
    pub fn raw(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the last value of a field without blanks around it; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Returns all values of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let found = self.pairs.iter().filter(move |(key, _)| key == name);
        found.map(|(_, value)| value.trim())
    }

    /// Returns all fields and their values, in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// Says whether a checkbox is ticked.
    pub fn is_ticked(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| {
            !matches!(
                value.to_ascii_lowercase().as_str(),
                "" | "false" | "off" | "0"
            )
        })
    }

    /// Begins to write.
    ///
    /// # Errors
    /// When the database is away, or somebody else writes for too long.
    pub async fn begin(&self) -> store::Result<Tx> {
        self.db.begin().await
    }

    /// Returns the database, for what begins transactions of its own, such as taking in a mail.
    pub fn database(&self) -> Db {
        self.db.clone()
    }
}
