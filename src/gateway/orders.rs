//! Who tells a running server to stop or to begin anew: signals, and uWSGI's emperor.

use std::{
    io::{self, IsTerminal},
    os::fd::RawFd,
};

use rocket::tokio::{
    io::AsyncReadExt,
    net::UnixStream,
    select,
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc::Sender,
};

/// What a server may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// To answer what is under way, and end.
    Stop,
    /// To answer what is under way, and start anew with the same sockets.
    Reload,
}

/// Where the emperor's descriptor is named.
const EMPEROR: &str = "UWSGI_EMPEROR_FD";

/// Passes on what this process is told, until nobody listens any more.
///
/// SIGTERM, SIGINT and SIGUSR1, as FastCGI's process managers send it, mean stop; SIGHUP means reload, but of one who types
/// it means that the terminal is gone.
pub(super) async fn of_process(orders: Sender<Order>) -> io::Result<()> {
    let mut signals = Signals {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
        user: signal(SignalKind::user_defined1())?,
        hangup: signal(SignalKind::hangup())?,
        at_hangup: match io::stdin().is_terminal() {
            true => Order::Stop,
            false => Order::Reload,
        },
    };
    let mut emperor = emperor();
    loop {
        let order = select! {
            order = signals.next() => order,
            order = word(&mut emperor) => order,
        };
        if orders.send(order).await.is_err() {
            return Ok(());
        }
    }
}

/// Completes when the process is told to stop. To begin anew means nothing to who asks this.
pub async fn told_to_stop() {
    let (orders, mut told) = rocket::tokio::sync::mpsc::channel(1);
    rocket::tokio::spawn(async move { of_process(orders).await });
    while told.recv().await == Some(Order::Reload) {}
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    user: Signal,
    hangup: Signal,
    at_hangup: Order,
}

impl Signals {
    async fn next(&mut self) -> Order {
        select! {
            _ = self.terminate.recv() => Order::Stop,
            _ = self.interrupt.recv() => Order::Stop,
            _ = self.user.recv() => Order::Stop,
            _ = self.hangup.recv() => self.at_hangup,
        }
    }
}

fn emperors_number() -> Option<RawFd> {
    std::env::var(EMPEROR).ok()?.parse().ok()
}

/// Keeps the connection to the emperor open for the program that takes this one's place.
pub(super) fn leave_emperor() -> io::Result<()> {
    emperors_number().map_or(Ok(()), ::fastcgi::leave_open)
}

/// Returns the connection to the emperor, if one rules us.
fn emperor() -> Option<UnixStream> {
    let number = emperors_number()?;
    let opened = ::fastcgi::descriptor(number).and_then(|fd| {
        let stream = std::os::unix::net::UnixStream::from(fd);
        stream.set_nonblocking(true)?;
        UnixStream::from_std(stream)
    });
    opened
        .inspect_err(|error| rocket::warn!("{EMPEROR} leads nowhere: {error}"))
        .ok()
}

/// Waits for the emperor's next word: 1 to reload, 0 or its end to stop.
async fn word(emperor: &mut Option<UnixStream>) -> Order {
    while let Some(stream) = emperor {
        match stream.read_u8().await {
            Ok(1) => return Order::Reload,
            Ok(0) => return Order::Stop,
            Ok(_) => {}
            Err(_) => {
                *emperor = None;
                return Order::Stop;
            }
        }
    }
    std::future::pending().await
}
