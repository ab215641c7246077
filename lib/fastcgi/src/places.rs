//! Places for connections: how many there may be at a time, and waiting for the last to end.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Longest wait for a free place, after which the server looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Counts the connections.
#[derive(Debug, Default)]
pub(crate) struct Places {
    taken: Mutex<usize>,
    freed: Condvar,
}

/// A connection's place, free again when dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Places>);

impl Places {
    /// Takes a place; `None` if there was none for a moment.
    pub(crate) fn take(self: &Arc<Self>, most: usize) -> Option<Place> {
        let full = |taken: &mut usize| *taken >= most.max(1);
        let (mut taken, _) = self
            .freed
            .wait_timeout_while(self.count(), LOOK, full)
            .unwrap_or_else(PoisonError::into_inner);
        if *taken >= most.max(1) {
            return None;
        }
        *taken += 1;
        Some(Place(self.clone()))
    }

    /// Waits until all places are free, for at most `time`.
    pub(crate) fn wait_until_empty(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut taken = self.count();
        while *taken > 0 && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            (taken, _) = self
                .freed
                .wait_timeout(taken, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if *taken > 0 {
            log::warn!("FastCGI stops with {} connections still busy", *taken);
        }
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.count() -= 1;
        self.0.freed.notify_all();
    }
}
