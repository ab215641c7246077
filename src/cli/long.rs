//! Long work: how far it is, and how Ctrl-C ends it.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::Common;

/// The exit code of a program that Ctrl-C ended.
pub(super) const INTERRUPTED: u8 = 130;

/// Works until the end or until Ctrl-C. What is under way then is not done; what was committed stays.
pub(super) async fn or_interrupted(
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<ExitCode> {
    tokio::select! {
        done = work => done.map(|()| ExitCode::SUCCESS),
        Ok(()) = tokio::signal::ctrl_c() => Ok(ExitCode::from(INTERRUPTED)),
    }
}

/// Returns a bar on a terminal, and nothing anywhere else.
pub(super) fn bar(common: &Common, length: i64) -> ProgressBar {
    let form = "{wide_bar} {human_pos}/{human_len}, {eta} left";
    formed(
        common,
        Some(u64::try_from(length).unwrap_or_default()),
        form,
    )
}

/// Returns a bar in a form of one's own on a terminal, and nothing anywhere else. Without a length nobody knows how
/// much there is to do.
pub(super) fn formed(common: &Common, length: Option<u64>, form: &str) -> ProgressBar {
    if common.is_quiet() || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    bar.enable_steady_tick(Duration::from_millis(250));
    match ProgressStyle::with_template(form) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Shows how far the work is.
pub(super) fn moved(bar: &ProgressBar, position: i64) {
    bar.set_position(u64::try_from(position).unwrap_or_default());
}
