//! Starts the log: on standard error, as the settings and `--verbosity` say.

use std::io::{self, IsTerminal};

use tracing_subscriber::{
    EnvFilter, filter::filter_fn, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use crate::config::{Format, Level, Log};

/// Starts it; a second call changes nothing.
pub(super) fn start(settings: &Log, verbosity: Option<u8>) {
    let level = match verbosity {
        None | Some(1) => settings.level,
        Some(0) => Level::Off,
        Some(2) => Level::Info,
        Some(_) => Level::Debug,
    };
    // First: whoever speaks `log` (Rocket) leaves the logger alone when there is one already.
    if tracing_log::LogTracer::init().is_err() {
        return;
    }
    let registry = tracing_subscriber::registry()
        .with(EnvFilter::new(filter(level)))
        .with(filter_fn(move |meta| is_told(level, meta.target())));
    let plain = fmt::layer().with_writer(io::stderr);
    // Who sits before it knows what time it is and which program they started.
    let is_bare = io::stderr().is_terminal() && level <= Level::Warn;
    // It fails only when there is a log already, which then stays.
    let _ = match settings.format {
        Format::Text if is_bare => registry
            .with(plain.without_time().with_target(false))
            .try_init(),
        Format::Text => registry.with(plain).try_init(),
        Format::Json => registry.with(plain.json().flatten_event(true)).try_init(),
    };
}

/// Says whether what goes by this name is told: what Rocket's macros say in our rooms of a request (`_` ends the name) is said
/// by whoever sends a form that is not ours, as often as they like.
fn is_told(level: Level, target: &str) -> bool {
    level >= Level::Debug || !target.ends_with("::_")
}

/// The libraries under us tell too much of what they do; what Rocket tells of each request (`_`) we tell ourselves.
fn filter(level: Level) -> &'static str {
    match level {
        Level::Off => "off",
        Level::Error => "error,rocket::server::_=off",
        Level::Warn => "warn,sqlx=error,rocket=error,rocket::server::_=off",
        Level::Info => "info,sqlx=warn,rocket=error,rocket::server::_=off,hyper=warn",
        Level::Debug => "debug,sqlx=info,hyper=info,rustls=info",
        Level::Trace => "trace",
    }
}
