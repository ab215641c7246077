//! What a process sees to before another program takes its place.

/// Ignores hangups from now on, also in the program that takes this one's place, until it listens to them: one that comes before
/// that would end it.
pub fn ignore_hangups() {
    // SAFETY: no handler is set, so nothing can run at a wrong moment.
    #[expect(
        unsafe_code,
        reason = "no safe interface ignores a signal, and only what is ignored stays so in the next program"
    )]
    unsafe {
        libc::signal(libc::SIGHUP, libc::SIG_IGN);
    }
}
