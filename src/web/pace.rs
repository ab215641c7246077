//! How fast somebody asks what can be asked without an account, by network address. Counted in memory, by each process
//! for itself: a write to the database for every few letters that somebody types would cost more than it saves.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::error::{Error, Result};
use crate::auth::guess::network;

/// How many times an address may ask within [`WINDOW`]: many people may share it, and each types.
const MOST: u32 = 120;
const WINDOW: Duration = Duration::from_secs(60);
/// More addresses are not remembered: whoever has that many cannot be held by counting them.
const MOST_ADDRESSES: usize = 10_000;

/// Who has asked how often of late.
#[derive(Debug, Default)]
pub struct Pace(Mutex<HashMap<IpAddr, (Instant, u32)>>);

impl Pace {
    /// Counts a question.
    ///
    /// # Errors
    /// When there were too many of late. Where no address is known that tells anything, everybody would be one; nobody is
    /// counted then.
    pub fn count(&self, from: Option<IpAddr>, now: Instant) -> Result<()> {
        let Some(from) = from.and_then(network) else {
            return Ok(());
        };
        let mut asked = self.0.lock().expect("nothing panics while holding it");
        if asked.len() >= MOST_ADDRESSES {
            asked.retain(|_, (began, _)| now - *began < WINDOW);
            if asked.len() >= MOST_ADDRESSES {
                asked.clear();
            }
        }
        let (began, count) = asked.entry(from).or_insert((now, 0));
        if now - *began >= WINDOW {
            (*began, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        let left = WINDOW.saturating_sub(now - *began).as_secs().max(1);
        match *count > MOST {
            true => Err(Error::TooOften(i64::try_from(left).unwrap_or(i64::MAX))),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn each_address_has_its_own_pace() {
        let (pace, now) = (Pace::default(), Instant::now());
        let asks = |from: &str, at| pace.count(ip(from), at).is_ok();
        for _ in 0..MOST {
            assert!(asks("192.0.2.1", now) && asks("2001:db8::1", now));
        }
        assert!(!asks("192.0.2.1", now) && !asks("::ffff:192.0.2.1", now));
        assert!(!asks("2001:db8::2", now), "the same network");
        assert!(asks("192.0.2.2", now) && asks("2001:db8:0:1::1", now));
        for _ in 0..=MOST {
            assert!(pace.count(None, now).is_ok() && asks("127.0.0.1", now) && asks("::1", now));
        }
        assert!(!asks("192.0.2.1", now + WINDOW / 2) && asks("192.0.2.1", now + WINDOW));
    }

    #[test]
    fn only_so_many_addresses_are_remembered() {
        let (pace, now) = (Pace::default(), Instant::now());
        for number in 0..3 * MOST_ADDRESSES as u32 {
            let from = IpAddr::V4(number.into());
            assert!(pace.count(Some(from), now).is_ok());
        }
        assert!(pace.0.lock().expect("a map").len() <= MOST_ADDRESSES);
    }
}
