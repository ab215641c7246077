//! Containment: a panic over one mail is that mail's trouble, and what it said is kept as the reason.

use std::{
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    pin::pin,
    sync::Once,
    task::Poll,
};

/// A panic that was caught: what it said, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Panicked(pub String);

thread_local! {
    static IS_WATCHED: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Does work that may panic; what the panic would have printed is returned instead.
///
/// # Errors
/// When the work panicked. What it had in hand is gone: an open transaction rolls back.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    watch();
    let before = IS_WATCHED.replace(true);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    IS_WATCHED.set(before);
    done.map_err(|_| Panicked(LAST.take()))
}

/// Does the same with work that waits in between.
///
/// # Errors
/// When the work panicked.
pub async fn contained_async<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| match contained(|| work.as_mut().poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}

/// Makes panics of watched threads silent and remembered: only the hook knows where one began, and mail servers
/// take whatever is printed for the answer. All others are told as before.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| match IS_WATCHED.get() {
            true => LAST.set(told(info)),
            false => others(info),
        }));
    });
}

fn told(info: &PanicHookInfo<'_>) -> String {
    let message = info
        .payload_as_str()
        .unwrap_or("a panic without a message")
        .to_owned();
    match info.location() {
        Some(place) => format!("{message} ({}:{})", place.file(), place.line()),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(numbers: &[u8]) -> u8 {
        numbers[7]
    }

    #[test]
    fn a_panic_becomes_an_error_that_says_where() {
        let Err(Panicked(text)) = contained(|| broken(&[1])) else {
            panic!("it should be caught");
        };
        assert!(
            text.contains("index is 7") && text.contains("guard.rs:"),
            "{text}"
        );
        assert_eq!(contained(|| 5), Ok(5));
        let Err(Panicked(text)) = contained(|| panic::panic_any(1_u8));
        assert!(text.starts_with("a panic without a message"), "{text}");
    }

    #[tokio::test]
    async fn a_panic_after_a_pause_is_caught_too() {
        let work = async {
            tokio::task::yield_now().await;
            broken(&[])
        };
        let caught = contained_async(work).await;
        assert!(caught.is_err_and(|it| it.0.contains("index is 7")));
        assert_eq!(contained_async(async { 5 }).await, Ok(5));
    }
}
