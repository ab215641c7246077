//! A connected socket, Unix or TCP: reading with a time limit, gathered writes, waiting, a gentle close.

use std::{
    io::{self, IoSlice, Read},
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{
        AddressFamily, SendAncillaryBuffer, SendFlags, Shutdown, getsockname, sendmsg, shutdown,
        sockopt::{Timeout, set_socket_timeout, set_tcp_nodelay},
    },
};

use crate::stop::Stop;

/// Longest pause of a peer in the middle of a request or an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest pause of a peer that still sends when we have closed: usually, and when the server stops.
const LINGER_PAUSE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_millis(300));

/// How long it may go on sending in all.
const LINGER: Duration = Duration::from_secs(30);

/// How long a request may still be under way when the server is told to stop.
const LAST_CALL: Duration = Duration::from_millis(100);

/// A connected stream socket.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

/// What came of waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// There is something to read, perhaps the end.
    Ready,
    /// Nothing came in time, or the server stops.
    Nothing,
}

impl Socket {
    /// Takes over a connected socket.
    pub(crate) fn new(socket: OwnedFd) -> Socket {
        // None of these is worth losing the connection: without them it is only slower or more patient.
        let _ = set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE));
        let _ = set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE));
        if getsockname(&socket).is_ok_and(|own| own.address_family() != AddressFamily::UNIX) {
            // Nagle's algorithm and delayed acknowledgements together cost 40 ms an answer.
            let _ = set_tcp_nodelay(&socket, true);
        }
        Socket(socket)
    }

    /// Waits until there is something to read, for at most `idle`, or until the server stops.
    pub(crate) fn wait(&self, idle: Option<Duration>, stop: Option<&Stop>) -> io::Result<Waited> {
        let waited = readable(&self.0, idle, stop)?;
        // A request may be on its way: the front server has not heard that we stop.
        if waited == Waited::Nothing && stop.is_some_and(Stop::is_stopping) {
            return readable(&self.0, Some(LAST_CALL), None);
        }
        Ok(waited)
    }

    /// Sends all of `parts`, in one system call if the peer keeps up.
    pub(crate) fn send(&self, parts: &mut [IoSlice<'_>]) -> io::Result<()> {
        let mut left = parts;
        IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            // A peer that left is an error to handle, not a SIGPIPE.
            match sendmsg(
                &self.0,
                left,
                &mut SendAncillaryBuffer::default(),
                SendFlags::NOSIGNAL,
            ) {
                Ok(sent) => IoSlice::advance_slices(&mut left, sent),
                Err(Errno::INTR) => {}
                Err(error) => return Err(clear(error)),
            }
        }
        Ok(())
    }

    /// Closes without losing an answer: closing while unread input is waiting would reset the connection.
    pub(crate) fn close_gently(self, is_stopping: bool) {
        let until = Instant::now() + LINGER;
        let pause = if is_stopping {
            LINGER_PAUSE.1
        } else {
            LINGER_PAUSE.0
        };
        if shutdown(&self.0, Shutdown::Write).is_err() {
            return;
        }
        let _ = set_socket_timeout(&self.0, Timeout::Recv, Some(pause));
        let mut unread = [0; 8192];
        while Instant::now() < until && matches!(rustix::io::read(&self.0, &mut unread), Ok(1..)) {}
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        rustix::io::read(&self.0, buffer).map_err(clear)
    }
}

/// Waits until `fd` can be read or accepted from, for at most `time`, or until the server stops.
pub(crate) fn readable(
    fd: impl AsFd,
    time: Option<Duration>,
    stop: Option<&Stop>,
) -> io::Result<Waited> {
    let until = time.map(|time| Instant::now() + time);
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let mut polled = vec![PollFd::new(&fd, PollFlags::IN)];
        polled.extend(stop.map(|stop| PollFd::new(stop, PollFlags::IN)));
        match poll(&mut polled, left.as_ref()) {
            Ok(_) if !polled[0].revents().is_empty() => return Ok(Waited::Ready),
            Ok(_) => return Ok(Waited::Nothing),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Names the error of a socket whose time limit passed.
fn clear(error: Errno) -> io::Error {
    if error == Errno::AGAIN {
        io::ErrorKind::TimedOut.into()
    } else {
        error.into()
    }
}
