//! Sockets to listen on: where they are, how they are opened, and when a socket file may be replaced.

use std::{
    fmt::{self, Write},
    fs::{self, Permissions},
    io,
    net::TcpListener,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
        unix::{
            fs::{FileTypeExt, MetadataExt, PermissionsExt},
            net::UnixListener,
        },
    },
    path::{Path, PathBuf},
    str::FromStr,
};

use rocket::tokio::net::{TcpListener as TokioTcp, UnixListener as TokioUnix};
use rustix::{
    io::{Errno, ioctl_fionbio},
    net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, getsockname, socket_with,
    },
};

use super::{Door, Error};

/// Where front servers connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A socket file.
    Unix {
        /// Its path.
        path: PathBuf,
        /// Its permissions; those of the umask if not given.
        mode: Option<u32>,
    },
    /// A TCP address, host and port.
    Tcp(String),
    /// A listening socket that the process was started with: 0 usually, 3 and up from systemd.
    Inherited(RawFd),
}

impl Listen {
    /// Reads `unix:/path`, `host:port` or `fd:0`.
    pub fn parse(text: &str) -> Result<Listen, Error> {
        let bad = || Error::Address(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return if path.has_root() {
                Ok(Listen::Unix { path, mode: None })
            } else {
                Err(bad())
            };
        }
        if let Some(number) = text.strip_prefix("fd:") {
            let fd = number.parse().ok().filter(|fd| *fd >= 0);
            return fd.map(Listen::Inherited).ok_or_else(bad);
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
        let is_address = !host.is_empty() && port.parse::<u16>().is_ok();
        if is_address {
            Ok(Listen::Tcp(text.to_owned()))
        } else {
            Err(bad())
        }
    }

    /// Sets the permissions of a socket file, such as `0o660`; other sockets have none.
    pub fn with_mode(self, mode: u32) -> Listen {
        match self {
            Listen::Unix { path, .. } => Listen::Unix {
                path,
                mode: Some(mode),
            },
            other => other,
        }
    }

    /// Opens the socket; a socket file goes when the result is dropped.
    ///
    /// # Errors
    /// When the system refuses; for a socket file that a living process has open, with `AddrInUse`.
    pub fn open(&self) -> Result<Socket, Error> {
        let name = self.to_string();
        let opened = match (self, left(&name)) {
            (Listen::Inherited(fd), _) => {
                return self.opened(Socket::of_number(*fd));
            }
            (_, Some(number)) => self.take_over(number),
            (Listen::Unix { path, mode }, None) => open_unix(path, *mode),
            (Listen::Tcp(address), None) => TcpListener::bind(address)
                .map(OwnedFd::from)
                .map(Socket::from),
        };
        self.opened(opened.map(|socket| Socket { name, ..socket }))
    }

    /// Returns whether this process had the socket open before it began anew.
    pub fn is_left(&self) -> bool {
        left(&self.to_string()).is_some()
    }

    fn opened(&self, opened: io::Result<Socket>) -> Result<Socket, Error> {
        opened.map_err(|source| Error::Listen {
            listen: self.clone(),
            source,
        })
    }

    /// Takes over what this process had open before it began anew.
    fn take_over(&self, number: RawFd) -> io::Result<Socket> {
        let file = match self {
            Listen::Unix { path, .. } => Some(SocketFile {
                path: path.clone(),
                id: file_id(path)?,
            }),
            _ => None,
        };
        Ok(Socket {
            _file: file,
            ..Socket::of_number(number)?
        })
    }
}

impl FromStr for Listen {
    type Err = Error;

    fn from_str(text: &str) -> Result<Listen, Error> {
        Listen::parse(text)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Unix { path, .. } => write!(f, "unix:{}", path.display()),
            Listen::Tcp(address) => f.write_str(address),
            Listen::Inherited(fd) => write!(f, "fd:{fd}"),
        }
    }
}

/// A socket and what is spoken there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Front {
    /// HTTP or FastCGI.
    pub door: Door,
    /// The socket.
    pub listen: Listen,
}

impl Front {
    /// Reads `http://HOST:PORT`, `http+unix:/path`, `http+fd:3`, the same with `fastcgi`, and what people write short:
    /// `HOST:PORT` for HTTP, `unix:/path` and `fd:0` for FastCGI.
    pub fn parse(text: &str) -> Result<Front, Error> {
        let schemes = [
            ("http://", Door::Http, ""),
            ("http+", Door::Http, ""),
            ("fastcgi://", Door::FastCgi, ""),
            ("fastcgi+", Door::FastCgi, ""),
            ("unix:", Door::FastCgi, "unix:"),
            ("fd:", Door::FastCgi, "fd:"),
        ];
        for (scheme, door, kept) in schemes {
            if let Some(rest) = text.strip_prefix(scheme) {
                let rest = if scheme.ends_with('/') {
                    rest.trim_end_matches('/')
                } else {
                    rest
                };
                let listen = Listen::parse(&format!("{kept}{rest}"))
                    .map_err(|_| Error::Address(text.to_owned()))?;
                return Ok(Front { door, listen });
            }
        }
        let listen = Listen::parse(text)?;
        Ok(Front {
            door: Door::Http,
            listen,
        })
    }

    /// Returns the sockets that systemd, or who does as it does, handed over to this process. A name that begins with
    /// `fastcgi` tells what is spoken there; else it is HTTP.
    pub fn handed_over() -> Vec<Front> {
        let variable = |name| std::env::var(name).unwrap_or_default();
        if variable("LISTEN_PID") != std::process::id().to_string() {
            return Vec::new();
        }
        let names = variable("LISTEN_FDNAMES");
        let mut names = names.split(':');
        let count = variable("LISTEN_FDS").parse().unwrap_or(0);
        (0..count)
            .map(|number: RawFd| Front {
                door: match names.next() {
                    Some(name) if name.starts_with("fastcgi") => Door::FastCgi,
                    _ => Door::Http,
                },
                listen: Listen::Inherited(FIRST_HANDED + number),
            })
            .collect()
    }
}

/// The first descriptor that systemd hands over.
const FIRST_HANDED: RawFd = 3;

impl fmt::Display for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.door {
            Door::Http => "http",
            _ => "fastcgi",
        })?;
        match &self.listen {
            Listen::Tcp(address) => write!(f, "://{address}"),
            other => write!(f, "+{other}"),
        }
    }
}

/// An open socket, and its file if it has one.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    /// How it was asked for; empty for one that the process was started with, which its successor finds in the same way.
    name: String,
    /// The number that it had when the process was started.
    number: Option<RawFd>,
    // Only for what happens when it is dropped.
    _file: Option<SocketFile>,
}

impl From<OwnedFd> for Socket {
    fn from(fd: OwnedFd) -> Self {
        Socket {
            fd,
            name: String::new(),
            number: None,
            _file: None,
        }
    }
}

/// A socket of either kind that gives connections.
pub enum Listener {
    /// A network socket.
    Tcp(TokioTcp),
    /// A socket file.
    Unix(TokioUnix),
}

impl Socket {
    /// Takes what the process was started with.
    fn of_number(number: RawFd) -> io::Result<Socket> {
        Ok(Socket {
            number: Some(number),
            ..::fastcgi::inherited(number)?.into()
        })
    }

    /// Returns another handle of the same socket; the file stays with this one.
    pub(super) fn share(&self) -> io::Result<Socket> {
        Ok(self.fd.try_clone()?.into())
    }

    /// Returns what takes connections in the runtime that is running; a socket file stays with the socket.
    ///
    /// # Errors
    /// When the system refuses, or the socket does not listen.
    pub fn listener(&self) -> io::Result<Listener> {
        let fd = self.fd.try_clone()?;
        let is_unix = getsockname(&fd)?.address_family() == AddressFamily::UNIX;
        ioctl_fionbio(&fd, true)?;
        Ok(match is_unix {
            true => Listener::Unix(TokioUnix::from_std(fd.into())?),
            false => Listener::Tcp(TokioTcp::from_std(fd.into())?),
        })
    }
}

/// Where a process that begins anew finds the sockets it had: its number, then `number=name` for each.
const LEFT: &str = "INHERITED_SOCKETS";

/// Keeps the sockets open for the program that takes this one's place; returns the variable that tells of them.
pub(super) fn hand_down(sockets: &[Socket]) -> io::Result<(&'static str, String)> {
    let mut value = std::process::id().to_string();
    for socket in sockets {
        let number = socket.number.unwrap_or_else(|| socket.fd.as_raw_fd());
        ::fastcgi::leave_open(number)?;
        if !socket.name.is_empty() {
            write!(value, "\n{number}={}", socket.name).map_err(io::Error::other)?;
        }
    }
    Ok((LEFT, value))
}

/// Returns the number of a socket that this process had before it began anew.
fn left(name: &str) -> Option<RawFd> {
    let value = std::env::var(LEFT).ok()?;
    let (pid, sockets) = value.split_once('\n')?;
    if pid != std::process::id().to_string() {
        return None;
    }
    let mut sockets = sockets.lines().filter_map(|line| line.split_once('='));
    sockets.find(|socket| socket.1 == name)?.0.parse().ok()
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A socket file of ours.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A successor may have put its own in this place.
        if file_id(&self.path).is_ok_and(|id| id == self.id) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Opens a socket file with its permissions, in the place of one that a dead process left.
fn open_unix(path: &Path, mode: Option<u32>) -> io::Result<Socket> {
    check_free(path)?;
    // Its own name may be too long for those who connect, though not the one it is made under.
    SocketAddrUnix::new(path)?;
    // Made under another name and moved: nobody connects before the permissions are right, and there is no
    // moment without a file.
    let draft = path.with_file_name(format!(".{}.sock", std::process::id()));
    let _ = fs::remove_file(&draft);
    let listener = UnixListener::bind(&draft)?;
    let moved = finish(&draft, path, mode);
    let id = moved.inspect_err(|_| drop(fs::remove_file(&draft)))?;
    Ok(Socket {
        _file: Some(SocketFile {
            path: path.to_owned(),
            id,
        }),
        ..OwnedFd::from(listener).into()
    })
}

/// Sets the permissions of a new socket file and moves it to its place.
fn finish(draft: &Path, path: &Path, mode: Option<u32>) -> io::Result<(u64, u64)> {
    if let Some(mode) = mode {
        fs::set_permissions(draft, Permissions::from_mode(mode))?;
    }
    let id = file_id(draft)?;
    fs::rename(draft, path)?;
    Ok(id)
}

/// Fails if there is something at `path` that is in use, or no socket at all.
fn check_free(path: &Path) -> io::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    if !found.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "there is another file in this place",
        ));
    }
    // Without blocking: a live server whose queue is full would keep us waiting.
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let probe = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    match connect(&probe, &SocketAddrUnix::new(path)?) {
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(()),
        Ok(()) | Err(Errno::AGAIN) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another process listens there",
        )),
        Err(error) => Err(error.into()),
    }
}

/// Returns what tells a file from another of the same name.
fn file_id(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let unix = |path: &str| Listen::Unix {
            path: path.into(),
            mode: None,
        };
        let cases = [
            (
                "unix:/run/patchwork.sock",
                Some(unix("/run/patchwork.sock")),
            ),
            ("unix:relative", None),
            ("unix:", None),
            ("127.0.0.1:9000", Some(Listen::Tcp("127.0.0.1:9000".into()))),
            ("[::1]:9000", Some(Listen::Tcp("[::1]:9000".into()))),
            ("localhost:90000", None),
            (":9000", None),
            ("9000", None),
            ("fd:0", Some(Listen::Inherited(0))),
            ("fd:-1", None),
            ("fd:x", None),
        ];
        for (text, expected) in cases {
            let parsed = Listen::parse(text);
            assert_eq!(parsed.as_ref().ok(), expected.as_ref(), "{text}");
            if let Ok(listen) = parsed {
                assert_eq!(listen.to_string(), text);
            }
        }
    }

    #[test]
    fn what_is_spoken_is_told_by_the_scheme() {
        for (text, shown) in [
            ("http://0.0.0.0:8080/", "http://0.0.0.0:8080"),
            ("[::1]:80", "http://[::1]:80"),
            ("http+unix:/run/a", "http+unix:/run/a"),
            ("http+fd:3", "http+fd:3"),
            ("fastcgi+unix:/run/a", "fastcgi+unix:/run/a"),
            ("fastcgi://127.0.0.1:9", "fastcgi://127.0.0.1:9"),
            ("unix:/run/a", "fastcgi+unix:/run/a"),
            ("fd:0", "fastcgi+fd:0"),
        ] {
            let front = Front::parse(text).expect(text);
            assert_eq!(front.to_string(), shown);
            assert_eq!(Front::parse(shown).expect(shown), front);
        }
        for bad in [
            "uwsgi+unix:/a",
            "scgi://a:1/",
            "http+unix:a",
            "http://",
            "80",
        ] {
            assert!(Front::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn stale_socket_files_are_replaced_and_live_ones_are_not() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("s");
        let listen = Listen::Unix {
            path: path.clone(),
            mode: None,
        }
        .with_mode(0o600);
        let open = || listen.open();
        drop(UnixListener::bind(&path).expect("binds"));
        let live = open().expect("the old one is stale");
        let mode = fs::metadata(&path)
            .expect("socket file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(open().is_err(), "live");
        drop(live);
        assert!(!path.exists());
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 0);

        let left = open().expect("free");
        fs::remove_file(&path).expect("socket file");
        let successor = open().expect("free");
        drop(left);
        assert!(path.exists(), "the successor's");
        drop(successor);

        fs::write(&path, "precious").expect("writes");
        assert!(open().is_err(), "not a socket");
        assert_eq!(fs::read_to_string(&path).expect("still there"), "precious");
    }
}
