//! Patience where others write, too: what they got in the way of is done again in a moment.

use std::time::{Duration, Instant};

/// How often at most.
const TRIES: u32 = 10;

/// Does something again while it fails in a way that is worth another try, and `limit` is not over.
///
/// # Errors
/// Those of the last try.
pub async fn patiently<T, E, F: Future<Output = Result<T, E>>>(
    limit: Duration,
    is_worth_it: impl Fn(&E) -> bool,
    mut work: impl FnMut() -> F,
) -> Result<T, E> {
    let begun = Instant::now();
    let mut tries = 1;
    loop {
        match work().await {
            Err(error) if tries < TRIES && begun.elapsed() < limit && is_worth_it(&error) => {
                tokio::time::sleep(pause(tries)).await;
                tries += 1;
            }
            other => return other,
        }
    }
}

/// A pause that grows, and differs from everybody else's: two that met once must not meet again.
fn pause(tries: u32) -> Duration {
    let longest = 10_u32 << tries.min(7);
    // Without a random number two may meet once more, no worse.
    let spread = getrandom::u32().unwrap_or_else(|_| std::process::id());
    Duration::from_millis(u64::from(longest / 2 + spread % longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_short() {
        for tries in 1..=TRIES {
            let longest = Duration::from_millis(10 << tries.min(7));
            let pause = pause(tries);
            assert!(pause >= longest / 2 && pause < longest * 2, "{pause:?}");
        }
    }

    #[tokio::test]
    async fn only_what_may_succeed_is_tried_again() {
        let tries = async |fails: u32, is_worth_it: bool| {
            let mut calls = 0;
            let done = patiently(
                Duration::from_secs(60),
                |(): &()| is_worth_it,
                || {
                    calls += 1;
                    let done = if calls > fails { Ok(()) } else { Err(()) };
                    async move { done }
                },
            );
            let done = done.await.is_ok();
            (done, calls)
        };
        assert_eq!(tries(2, true).await, (true, 3));
        assert_eq!(tries(2, false).await, (false, 1));
    }
}
