//! The CGI door: one request, then the process ends.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read, Write},
    os::{fd::AsFd, unix::ffi::OsStrExt},
};

use rocket::{
    Build, Rocket,
    local::asynchronous::Client,
    tokio::runtime::{Builder, Runtime},
};

use super::{
    Door, Error, Limits, Trusted,
    answer::{answer, refuse},
    body,
    environment::Environment,
    request::{Refusal, is_head, request},
    start,
};

/// Answers the request in this process's environment and standard input.
///
/// If Rocket does not start, the client gets a plain answer and the caller the reason. Everything printed to
/// standard output before would be part of the answer.
pub fn cgi(rocket: Rocket<Build>, limits: Limits, trusted: &Trusted) -> Result<(), Error> {
    let mut environment = Environment::of_process();
    environment.believe(trusted, false);
    // Not `io::stdout`, which looks for line ends and splits the answer at one.
    let mut output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    exchange(
        rocket,
        &environment,
        limits,
        &mut io::stdin().lock(),
        &mut output,
    )
}

/// Answers the request of this process when the site cannot be served now: 503, as through the other doors.
///
/// # Errors
/// When nobody listens any more.
pub fn away() -> io::Result<()> {
    let environment = Environment::of_process();
    body::drain(&environment, Door::Cgi, &mut io::stdin().lock());
    refuse(Refusal::Away, &mut io::stdout().lock())
}

/// Returns the arguments of this process. What a CGI request brings are not ours: of a query without `=` web servers make
/// arguments (RFC 3875 §4.4), and whoever asks must not choose the command. Of a wrapper that needs arguments, settings are
/// named by PATCHWORK_CONFIG.
pub fn arguments() -> Vec<OsString> {
    let all: Vec<OsString> = env::args_os().collect();
    let of_request = |name| env::var_os(name);
    let is_request =
        of_request("GATEWAY_INTERFACE").is_some() && of_request("REQUEST_METHOD").is_some();
    match is_request && is_searched(of_request("QUERY_STRING").as_deref()) {
        true => all.into_iter().take(1).collect(),
        false => all,
    }
}

/// Says whether a query becomes arguments; where none is named, it may have.
fn is_searched(query: Option<&OsStr>) -> bool {
    query.is_none_or(|query| !query.is_empty() && !query.as_bytes().contains(&b'='))
}

/// Starts Rocket, answers one request, and lets Rocket end in good order.
pub(super) fn exchange(
    rocket: Rocket<Build>,
    environment: &Environment,
    limits: Limits,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let client = match runtime.block_on(start(rocket)) {
        Ok(client) => client,
        Err(error) => {
            body::drain(environment, Door::Cgi, input);
            refuse(Refusal::Broken, output)?;
            return Err(error);
        }
    };
    let answered = one(&client, &runtime, environment, limits, input, output);
    runtime.block_on(client.terminate());
    Ok(answered?)
}

/// Answers one request.
///
/// It takes the runtime, not a handle of it: a handle of a runtime without threads drives neither timers nor
/// sockets, and every page that waits for one would hang.
fn one(
    client: &Client,
    runtime: &Runtime,
    environment: &Environment,
    limits: Limits,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> io::Result<()> {
    match request(client, environment, Door::Cgi, limits, input) {
        Ok(request) => runtime.block_on(async {
            answer(request.dispatch().await, is_head(environment), output).await
        }),
        Err(refusal) => {
            body::drain(environment, Door::Cgi, input);
            refuse(refusal, output)
        }
    }
}
