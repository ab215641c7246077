//! Passwords that somebody tries, on whichever way: a page, a script, a question to enter it once more. One place looks
//! at them all, so nobody gets more tries by going another way.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::{IpAddr, Ipv6Addr},
};

use tokio::sync::{Mutex, MutexGuard};

use super::password;
use crate::{
    domain::{Timestamp, UserId, user::User},
    store::{self, Db, throttle},
};

/// How long tries are counted, in minutes.
const MINUTES: i64 = 15;
/// How many wrong passwords an account may have within [`MINUTES`].
const MOST_OF_ACCOUNT: i64 = 10;
/// From one network more may come: many people may share it.
const MOST_FROM_NETWORK: i64 = 60;

/// What is counted when somebody tries a password.
#[derive(Clone, Debug)]
pub struct Counters {
    account: String,
    network: Option<String>,
    is_forgiving: bool,
}

impl Counters {
    /// Somebody logs in; `name` is the account's, or what was entered where there is no account. The right password makes
    /// the wrong ones before it forgotten.
    pub fn login(name: &str, from: Option<IpAddr>) -> Counters {
        Counters {
            account: login_of(name),
            network: from
                .and_then(network)
                .map(|from| format!("login from {from}")),
            is_forgiving: true,
        }
    }

    /// A script sends name and password with every request. It has no more tries than a login, but the wrong ones are not
    /// forgotten: else whoever guesses could go on after each of its requests.
    pub fn script(name: &str, from: Option<IpAddr>) -> Counters {
        Counters {
            is_forgiving: false,
            ..Counters::login(name, from)
        }
    }

    /// A user who is logged in enters the password once more. Strangers who try to log in do not get in the way.
    pub fn confirmation(user: UserId) -> Counters {
        Counters {
            account: format!("password of {user}"),
            network: None,
            is_forgiving: true,
        }
    }
}

/// Returns what is counted when somebody tries passwords of an account.
pub fn login_of(name: &str) -> String {
    format!("login of {}", name.to_lowercase())
}

/// Returns what of an address is one place's, if it tells anything: of the sixth version the first half, the other half is
/// free to choose. The address of a front server beside us which does not tell for whom it asks would be everybody's.
pub fn network(address: IpAddr) -> Option<IpAddr> {
    let address = address.to_canonical();
    match address {
        address if address.is_loopback() => None,
        IpAddr::V6(address) => Some(IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() >> 64 << 64,
        ))),
        address => Some(address),
    }
}

/// What came of a password.
#[derive(Clone, Debug)]
pub enum Guess {
    /// It is right, and the account may log in.
    Right(Box<User>),
    /// There is no such account, it may not log in, or the password is another one.
    Wrong,
    /// There were too many wrong ones; nobody has looked at this one. It may be tried again after so many seconds.
    TooOften(i64),
}

/// Looks at a password, unless there were too many wrong ones of late. It is counted before it is looked at: whoever
/// tries many at once gains nothing. Hold no connection meanwhile: it takes a while, and takes its own.
///
/// # Errors
/// When the database is away or refuses.
pub async fn try_password(
    db: &Db,
    counters: &Counters,
    user: Option<User>,
    password: &str,
    now: Timestamp,
) -> store::Result<Guess> {
    // One after the other: else many right ones at once would be taken for too many.
    let _turn = turn(&counters.account).await;
    if let Some(seconds) = count(db, counters, now).await? {
        return Ok(Guess::TooOften(seconds));
    }
    let Some(user) = password::verified(user, password).await else {
        return Ok(Guess::Wrong);
    };
    let mut tx = db.begin().await?;
    match counters.is_forgiving {
        true => throttle::forget(&mut tx, &counters.account).await?,
        false => throttle::give_back(&mut tx, &counters.account).await?,
    }
    if let Some(network) = &counters.network {
        throttle::give_back(&mut tx, network).await?;
    }
    tx.commit().await?;
    Ok(Guess::Right(Box::new(user)))
}

/// Counts a try; returns how many seconds are left where there were too many.
async fn count(db: &Db, counters: &Counters, now: Timestamp) -> store::Result<Option<i64>> {
    let network = counters.network.as_ref();
    let each = network
        .map(|network| (network, MOST_FROM_NETWORK))
        .into_iter()
        .chain([(&counters.account, MOST_OF_ACCOUNT)]);
    let mut tx = db.begin().await?;
    let mut left = None;
    for (counter, most) in each {
        let tries = throttle::count(&mut tx, counter, MINUTES, now).await?;
        if tries.count > most {
            left = Some(tries.seconds_left);
            break;
        }
    }
    tx.commit().await?;
    Ok(left)
}

/// Waits until nobody else tries a password of an account in this process. Some accounts share a turn.
async fn turn(account: &str) -> MutexGuard<'static, ()> {
    static TURNS: [Mutex<()>; 64] = [const { Mutex::const_new(()) }; 64];
    let mut hasher = DefaultHasher::new();
    account.hash(&mut hasher);
    let at = hasher.finish() % TURNS.len() as u64;
    TURNS[at as usize].lock().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_counted_and_nobodies_are_not() {
        let of = |text: &str| {
            let network = network(text.parse().expect("an address"));
            network.map(|network| network.to_string())
        };
        for (address, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("2001:db8:0:1:2:3:4:5", Some("2001:db8:0:1::")),
            ("127.0.0.1", None),
            ("::ffff:127.0.0.9", None),
            ("::1", None),
        ] {
            assert_eq!(of(address).as_deref(), expected, "{address}");
        }
    }
}
