//! The long-running server: any number of sockets, one site behind them, an orderly end, and a new beginning.

use std::{
    env,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::Command,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use ::fastcgi::Stop;
use rocket::{
    Build, Rocket,
    local::asynchronous::Client,
    tokio::{
        runtime::Runtime,
        sync::mpsc::{Receiver, Sender, channel},
        task::JoinSet,
        time::{sleep, timeout},
    },
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{
    Door, Error, Front, LAST_WORK, Limits, Order, Socket, Trusted, fastcgi, http, listen, notify,
    orders, runtime, start,
};

/// How long requests under way may take after the word to stop.
pub(super) const GRACE: Duration = Duration::from_secs(9);

/// How a server is to be.
pub struct Plan {
    /// Where it listens, and what is spoken there.
    pub fronts: Vec<Front>,
    /// What it takes at most.
    pub limits: Limits,
    /// Which front servers it believes.
    pub trusted: Trusted,
    /// Who tells it what to do; `None`: signals, and uWSGI's emperor.
    pub orders: Option<Receiver<Order>>,
    /// Whether a new beginning would work, as far as can be told before.
    pub may_reload: Box<dyn Fn() -> bool + Send>,
}

/// What all doors share.
#[derive(Clone)]
pub(super) struct Site {
    pub client: Arc<Client>,
    pub limits: Limits,
    pub trusted: Trusted,
}

/// How a server ended.
#[derive(Debug)]
pub enum Ended {
    /// It was told to stop.
    Stopped,
    /// It is to begin anew with these sockets: see [`again`].
    Reload(Vec<Socket>),
}

/// Serves until told to stop or to begin anew. Requests that run then are still answered, and Rocket's shutdown fairings
/// run. What connects meanwhile to a server that begins anew waits in the sockets' queues.
///
/// # Errors
/// When a socket cannot be opened, fails for good, or Rocket refuses to start.
pub fn serve(rocket: Rocket<Build>, plan: Plan) -> Result<Ended, Error> {
    let runtime = runtime(&rocket)?;
    let served = run(&runtime, rocket, plan);
    runtime.shutdown_timeout(LAST_WORK);
    served
}

/// Takes all the open files that the system allows: by default a process has a thousand of them, and each connection is one.
fn open_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // With fewer a server serves as well, only not as many.
    let _ = setrlimit(Resource::Nofile, raised);
}

fn run(runtime: &Runtime, rocket: Rocket<Build>, plan: Plan) -> Result<Ended, Error> {
    open_many_files();
    let sockets: Vec<Socket> = plan
        .fronts
        .iter()
        .map(|front| front.listen.open())
        .collect::<Result<_, _>>()?;
    let (fail, mut failed) = channel(plan.fronts.len().max(1));
    let mut told = plan.orders.unwrap_or_else(|| {
        let (tell, told) = channel(1);
        runtime.spawn(orders::of_process(tell));
        told
    });
    let site = Site {
        client: Arc::new(runtime.block_on(start(rocket))?),
        limits: plan.limits,
        trusted: plan.trusted,
    };
    let mut open = Open::new(runtime, &site, &plan.fronts, &sockets, &fail)?;
    let names: Vec<String> = plan.fronts.iter().map(Front::to_string).collect();
    ready(runtime, &names.join(", "));
    let ended = runtime.block_on(async {
        loop {
            rocket::tokio::select! {
                Some(error) = failed.recv() => return Err(error),
                order = told.recv() => match order {
                    Some(Order::Reload) if (plan.may_reload)() => return Ok(true),
                    Some(Order::Reload) => {}
                    Some(Order::Stop) | None => return Ok(false),
                },
            }
        }
    });
    notify::tell(match ended {
        Ok(true) => "RELOADING=1",
        _ => "STOPPING=1",
    });
    open.close(runtime, site);
    Ok(match ended? {
        true => Ended::Reload(sockets),
        false => Ended::Stopped,
    })
}

/// Tells the service manager that we serve, and from now on that we are alive.
fn ready(runtime: &Runtime, names: &str) {
    let version = env!("CARGO_PKG_VERSION");
    notify::tell(&format!(
        "READY=1\nSTATUS=patchwork {version} serves {names}"
    ));
    if let Some(time) = notify::heartbeat() {
        // In the runtime that answers: if that hangs, there is no sign of life.
        runtime.spawn(async move {
            loop {
                notify::tell("WATCHDOG=1");
                sleep(time).await;
            }
        });
    }
}

/// The doors while they are open.
struct Open {
    stop: Stop,
    tasks: JoinSet<()>,
    threads: Vec<JoinHandle<()>>,
}

impl Open {
    fn new(
        runtime: &Runtime,
        site: &Site,
        fronts: &[Front],
        sockets: &[Socket],
        fail: &Sender<Error>,
    ) -> Result<Open, Error> {
        let mut open = Open {
            stop: Stop::new()?,
            tasks: JoinSet::new(),
            threads: Vec::new(),
        };
        let _inside = runtime.enter();
        let http = http::Http::new(site.clone());
        for (front, socket) in fronts.iter().zip(sockets) {
            if front.door == Door::Http {
                open.tasks.spawn(http.clone().listen(socket.listener()?));
                continue;
            }
            let socket = socket.share()?;
            let (site, stop, fail) = (site.clone(), open.stop.clone(), fail.clone());
            let handle = runtime.handle().clone();
            open.threads.push(thread::spawn(move || {
                if let Err(error) = fastcgi::listen(site, handle, socket, stop) {
                    let _ = fail.blocking_send(error);
                }
            }));
        }
        Ok(open)
    }

    /// Takes no more connections, lets requests end, and ends Rocket.
    fn close(&mut self, runtime: &Runtime, site: Site) {
        self.stop.stop();
        site.client.rocket().shutdown().notify();
        runtime.block_on(async {
            let ended = async { while self.tasks.join_next().await.is_some() {} };
            if timeout(GRACE, ended).await.is_err() {
                self.tasks.shutdown().await;
            }
        });
        for thread in self.threads.drain(..) {
            // One that panicked has said so.
            let _ = thread.join();
        }
        match Arc::try_unwrap(site.client) {
            Ok(client) => drop(runtime.block_on(client.terminate())),
            Err(_) => rocket::warn!("a request did not end in time: shutdown fairings are skipped"),
        }
    }
}

/// Starts this program anew in its own place, with the sockets; returns why it could not.
pub fn again(sockets: &[Socket]) -> Error {
    let exe = match env::current_exe() {
        Ok(exe) => exe,
        Err(error) => return error.into(),
    };
    // A new version was put in the place of the one that runs.
    let name = exe.to_string_lossy();
    let exe = PathBuf::from(name.strip_suffix(" (deleted)").unwrap_or(&name));
    match orders::leave_emperor().and_then(|()| listen::hand_down(sockets)) {
        Ok((name, value)) => {
            // What another one asks for, to read the settings anew, is about to be done.
            ::fastcgi::ignore_hangups();
            Command::new(exe)
                .args(env::args_os().skip(1))
                .env(name, value)
                .exec()
                .into()
        }
        Err(error) => error.into(),
    }
}
