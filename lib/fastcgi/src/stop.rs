//! The orderly stop: one handle for the program, one readable descriptor for everyone who waits.

use std::{
    io,
    net::Shutdown,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixStream,
    },
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Ends a running server: it takes no new connections, finishes what it answers, and returns.
///
/// Clones are handles of the same stop.
#[derive(Debug, Clone)]
pub struct Stop(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stopping: AtomicBool,
    trigger: UnixStream,
    waiting: UnixStream,
}

impl Stop {
    /// Makes a stop; fails when no descriptors are left.
    pub fn new() -> io::Result<Stop> {
        let (trigger, waiting) = UnixStream::pair()?;
        Ok(Stop(Arc::new(Inner {
            stopping: AtomicBool::new(false),
            trigger,
            waiting,
        })))
    }

    /// Tells the server to stop. May be called more than once, from any thread.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::SeqCst);
        // The end of the stream wakes all who poll, now and later; a byte would wake only who reads it.
        // An error means that it was shut down before.
        let _ = self.0.trigger.shutdown(Shutdown::Write);
    }

    /// Returns whether the server was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::SeqCst)
    }
}

impl AsFd for Stop {
    /// Returns a descriptor that becomes readable when the server is to stop; for polling only.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.waiting.as_fd()
    }
}
