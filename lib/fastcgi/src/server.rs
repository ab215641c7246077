//! The server: accepts connections within bounds, a thread for each, until it is told to stop.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd},
    sync::Arc,
    thread,
    time::Duration,
};

use rustix::{
    io::{Errno, FdFlags, fcntl_setfd},
    net::{SocketAddrAny, SocketFlags, acceptfrom_with, sockopt::socket_acceptconn},
};

use crate::{
    connection::Connection,
    places::{Place, Places},
    request::Request,
    serve::serve,
    socket::{Socket, Waited, readable},
    stop::Stop,
};

/// Pause after an error that is expected to pass.
const PAUSE: Duration = Duration::from_millis(100);

/// Bounds of a server, and the way to stop it.
#[derive(Debug, Clone)]
pub struct Config {
    /// Connections at a time, each a thread; more wait in the kernel's queue. 256 by default.
    ///
    /// Must exceed the connections that the web server keeps open unused, or those fill the place.
    pub max_connections: usize,
    /// Bytes of parameters in a request, which are mostly its headers. 256 KiB by default.
    pub max_params: usize,
    /// How long a connection may stay unused. 75 seconds by default.
    pub idle: Option<Duration>,
    /// Ends the server; `None`, the default, lets it run as long as the process.
    pub stop: Option<Stop>,
    /// How long requests may still run after the stop. 30 seconds by default.
    pub grace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            max_connections: 256,
            max_params: 256 << 10,
            idle: Some(Duration::from_secs(75)),
            stop: None,
            grace: Duration::from_secs(30),
        }
    }
}

/// Serves the listening socket that is standard input, as web servers and process managers start a program.
///
/// # Panics
///
/// If standard input is not a listening socket.
pub fn run<F>(handler: F)
where
    F: Fn(Request) + Send + Sync + 'static,
{
    run_with(handler, io::stdin(), Config::default())
        .expect("standard input is a listening socket");
}

/// Serves the listening socket `raw_fd`, Unix or TCP.
///
/// # Panics
///
/// If `raw_fd` is not a listening socket.
pub fn run_raw<F>(handler: F, raw_fd: RawFd)
where
    F: Fn(Request) + Send + Sync + 'static,
{
    inherited(raw_fd)
        .and_then(|socket| run_with(handler, socket, Config::default()))
        .expect("the descriptor is a listening socket");
}

/// Serves a TCP socket.
///
/// # Panics
///
/// If the socket fails for good.
pub fn run_tcp<F>(handler: F, listener: &TcpListener)
where
    F: Fn(Request) + Send + Sync + 'static,
{
    run_with(handler, listener, Config::default()).expect("a listener listens");
}

/// Serves a listening socket, Unix or TCP, within bounds and until it is told to stop.
///
/// Returns when the last request is answered, or the grace is over. The socket becomes non-blocking: where
/// several processes share it, a connection wakes all of them, and only one gets it.
pub fn run_with<F>(handler: F, listener: impl AsFd, config: Config) -> io::Result<()>
where
    F: Fn(Request) + Send + Sync + 'static,
{
    let listener = listener.as_fd().try_clone_to_owned()?;
    if !socket_acceptconn(&listener)? {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the socket does not listen",
        ));
    }
    rustix::io::ioctl_fionbio(&listener, true)?;
    let grace = config.grace;
    let server = Arc::new(Server {
        handler,
        config,
        places: Arc::default(),
        allowed: allowed_peers(),
    });
    accept_all(&server, &listener)?;
    drop(listener);
    server.places.wait_until_empty(grace);
    Ok(())
}

/// Returns a copy of a listening socket that the process was started with: see [`descriptor`].
///
/// systemd hands them over as descriptor 3 and up.
pub fn inherited(fd: RawFd) -> io::Result<OwnedFd> {
    let socket = descriptor(fd)?;
    if !socket_acceptconn(&socket)? {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the socket does not listen",
        ));
    }
    Ok(socket)
}

/// Returns a copy, closed on exec, of any descriptor that the process was started with. The original is closed on exec as
/// well from now on, unless it is one of the first three, which every program has.
pub fn descriptor(fd: RawFd) -> io::Result<OwnedFd> {
    set_closed_on_exec(fd, true)?;
    numbered(fd)?.try_clone_to_owned()
}

/// Keeps a descriptor that [`inherited`] or [`descriptor`] was given open for the program that takes this one's place.
pub fn leave_open(fd: RawFd) -> io::Result<()> {
    set_closed_on_exec(fd, false)
}

fn set_closed_on_exec(fd: RawFd, is_closed: bool) -> io::Result<()> {
    let flags = match is_closed && fd > 2 {
        true => FdFlags::CLOEXEC,
        false => FdFlags::empty(),
    };
    Ok(fcntl_setfd(numbered(fd)?, flags)?)
}

/// Returns an open descriptor of this number.
fn numbered(fd: RawFd) -> io::Result<BorrowedFd<'static>> {
    if fd < 0 {
        return Err(Errno::BADF.into());
    }
    // SAFETY: who was started with a descriptor has it as long as nobody here owns that number, and nobody does. Used are
    // only calls that report an error if it is not open. It is not -1.
    #[expect(
        unsafe_code,
        reason = "nothing but the number tells which descriptor was inherited"
    )]
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    Ok(fd)
}

/// What the threads of a server share.
struct Server<F> {
    handler: F,
    config: Config,
    places: Arc<Places>,
    allowed: Option<Vec<IpAddr>>,
}

/// Accepts until told to stop; an error is one that will not pass.
fn accept_all<F>(server: &Arc<Server<F>>, listener: &OwnedFd) -> io::Result<()>
where
    F: Fn(Request) + Send + Sync + 'static,
{
    let stop = server.config.stop.as_ref();
    let mut last_error = None;
    while !stop.is_some_and(Stop::is_stopping) {
        let Some(place) = server.places.take(server.config.max_connections) else {
            continue;
        };
        if readable(listener, None, stop)? == Waited::Nothing {
            continue;
        }
        match acceptfrom_with(listener, SocketFlags::CLOEXEC) {
            Ok((socket, peer)) => {
                last_error = None;
                if server.allows(peer) {
                    start(server, socket, place);
                }
            }
            // Another process was faster, or the peer left before we came.
            Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => {}
            Err(error @ (Errno::BADF | Errno::INVAL | Errno::NOTSOCK | Errno::OPNOTSUPP)) => {
                return Err(error.into());
            }
            // Out of descriptors or memory: passes when others finish. Said once, not ten times a second.
            Err(error) => {
                if last_error.replace(error) != Some(error) {
                    log::error!("FastCGI cannot accept connections: {error}");
                }
                thread::sleep(PAUSE);
            }
        }
    }
    Ok(())
}

/// Starts the thread of a connection.
fn start<F>(server: &Arc<Server<F>>, socket: OwnedFd, place: Place)
where
    F: Fn(Request) + Send + Sync + 'static,
{
    let shared = server.clone();
    let work = move || {
        let connection = Connection::new(Socket::new(socket), shared.config.max_connections);
        if let Err(error) = serve(connection, &shared.config, &shared.handler) {
            report(&error);
        }
        // The handler goes first: who waits for the place may want to be its last owner.
        drop(shared);
        drop(place);
    };
    if let Err(error) = thread::Builder::new().name("fastcgi".into()).spawn(work) {
        log::error!("FastCGI cannot start a thread, connection dropped: {error}");
        thread::sleep(PAUSE);
    }
}

/// Logs why a connection was dropped; that a peer left is nothing special.
fn report(error: &io::Error) {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error.kind() {
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof => {
            log::debug!("FastCGI connection ended early: {error}");
        }
        _ => log::warn!("FastCGI connection dropped: {error}"),
    }
}

impl<F> Server<F> {
    /// Returns whether the peer may connect; the limit concerns only TCP.
    fn allows(&self, peer: Option<SocketAddrAny>) -> bool {
        let Some(allowed) = &self.allowed else {
            return true;
        };
        let Some(Ok(peer)) = peer.map(SocketAddr::try_from) else {
            return true;
        };
        let is_allowed = allowed.contains(&peer.ip().to_canonical());
        if !is_allowed {
            log::warn!("FastCGI connection from {peer} is not in FCGI_WEB_SERVER_ADDRS");
        }
        is_allowed
    }
}

/// Returns the addresses that the web server's starter allows (specification, section 3.2).
fn allowed_peers() -> Option<Vec<IpAddr>> {
    let listed = std::env::var("FCGI_WEB_SERVER_ADDRS").ok()?;
    Some(
        listed
            .split(',')
            .filter_map(|address| address.trim().parse().ok())
            .collect(),
    )
}
