//! What a service manager wants to know of us: that we are ready, that we end, that we are alive.

use std::{
    env, io,
    os::{linux::net::SocketAddrExt, unix::net},
    time::Duration,
};

/// Tells the manager that started us, if one wants to know; nobody minds when it does not.
pub(super) fn tell(state: &str) {
    if let Some(name) = env::var_os("NOTIFY_SOCKET")
        && let Err(error) = send(name.as_encoded_bytes(), state)
    {
        rocket::warn!("the service manager cannot be told: {error}");
    }
}

fn send(name: &[u8], state: &str) -> io::Result<()> {
    let address = match name.strip_prefix(b"@") {
        Some(name) => net::SocketAddr::from_abstract_name(name)?,
        None => net::SocketAddr::from_pathname(String::from_utf8_lossy(name).as_ref())?,
    };
    let socket = net::UnixDatagram::unbound()?;
    socket.send_to_addr(state.as_bytes(), &address).map(drop)
}

/// Returns how often the manager wants a sign of life, halved to be early.
pub(super) fn heartbeat() -> Option<Duration> {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let time = number("WATCHDOG_USEC").filter(|time| is_ours && *time > 0)?;
    Some(Duration::from_micros(time / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_names_are_reached() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("s");
        let mut buffer = [0; 20];
        let file = net::UnixDatagram::bind(&path).expect("binds");
        send(path.as_os_str().as_encoded_bytes(), "READY=1").expect("sent");
        assert_eq!(file.recv(&mut buffer).expect("told"), 7);
        let name = format!("patchwork-test-{}", std::process::id());
        let address = net::SocketAddr::from_abstract_name(&name).expect("a name");
        let hidden = net::UnixDatagram::bind_addr(&address).expect("binds");
        send(format!("@{name}").as_bytes(), "STOPPING=1").expect("sent");
        assert_eq!(hidden.recv(&mut buffer).expect("told"), 10);
        assert!(send(b"/nowhere/at/all", "READY=1").is_err());
    }
}
