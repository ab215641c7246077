//! A mail server in small: several deliveries at once, and what was not taken comes again, in another order.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::{Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use super::{Fault, Mail, Site};
use crate::support::Random;

/// How many deliveries run at once.
const WORKERS: usize = 4;

/// How many deliveries have to be put off before a fault is over, and how long it lasts at most.
const ENOUGH: u64 = 6;
const LONGEST: Duration = Duration::from_secs(40);

/// What is going to happen.
pub struct Plan<'a> {
    /// How many deliveries are killed.
    pub kills: u64,
    /// Where random choices begin.
    pub seed: u64,
    /// The faults, one after the other, spread over the mails.
    pub faults: &'a [Fault],
}

/// What happened.
#[derive(Default)]
pub struct Tally {
    /// How many programs were started.
    pub runs: u64,
    /// How many of them were killed while they ran.
    pub kills: u64,
    /// How many put the mail off, by what was wrong at that moment.
    pub later: BTreeMap<&'static str, u64>,
    /// Endings for which a mail server would send the mail back.
    pub bounced: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} runs, {} killed, put off: {:?}",
            self.runs, self.kills, self.later
        )
    }
}

struct State {
    queue: VecDeque<usize>,
    in_hand: usize,
    done: usize,
    kills: u64,
    random: Random,
    fault: Option<Fault>,
    /// How many deliveries the fault in force has put off.
    felt: u64,
    tally: Tally,
}

/// Delivers everything, whatever happens.
pub fn deliver(site: &Site, mails: &[Mail], plan: &Plan<'_>) -> Tally {
    let state = Mutex::new(State {
        queue: (0..mails.len()).collect(),
        in_hand: 0,
        done: 0,
        kills: plan.kills,
        random: Random::new(plan.seed),
        fault: None,
        felt: 0,
        tally: Tally::default(),
    });
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| while work(site, mails, &state) {});
        }
        scope.spawn(|| strike(site, mails.len(), plan, &state));
    });
    state.into_inner().expect("nobody panics with it").tally
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("nobody panics with it")
}

/// How a delivery ended for the mail server.
enum End {
    Taken,
    Later,
    Killed,
    Bounced(String),
}

/// Delivers one mail; says whether there may be more.
fn work(site: &Site, mails: &[Mail], state: &Mutex<State>) -> bool {
    let mut now = locked(state);
    let Some(number) = now.queue.pop_front() else {
        let is_over = now.in_hand == 0;
        drop(now);
        thread::sleep(Duration::from_millis(5));
        return !is_over;
    };
    now.in_hand += 1;
    now.tally.runs += 1;
    // Kills are spread over the first half, so that there are enough mails for all of them.
    let left = (mails.len() / 2).saturating_sub(now.done).max(1) as u64;
    let is_doomed = now.kills > 0 && now.random.next() % left < now.kills * 2;
    let doom = is_doomed.then(|| Duration::from_micros(now.random.next() % site.usual_micros()));
    let is_spooled = now.random.below(4) == 0;
    drop(now);
    let end = run(site, &mails[number], doom, is_spooled);
    let mut now = locked(state);
    now.in_hand -= 1;
    match end {
        End::Taken => now.done += 1,
        End::Bounced(why) => {
            now.done += 1;
            now.tally.bounced.push(why);
        }
        End::Killed => {
            now.kills = now.kills.saturating_sub(1);
            now.tally.kills += 1;
            again(&mut now, number);
        }
        End::Later => {
            let fault = now.fault.map_or("nothing was wrong", Fault::name);
            *now.tally.later.entry(fault).or_default() += 1;
            now.felt += 1;
            again(&mut now, number);
            drop(now);
            thread::sleep(Duration::from_millis(50));
        }
    }
    true
}

/// Puts a mail back, anywhere into the queue.
fn again(state: &mut State, number: usize) {
    let place = state.random.below(state.queue.len() + 1);
    state.queue.insert(place, number);
}

fn run(site: &Site, mail: &Mail, doom: Option<Duration>, is_spooled: bool) -> End {
    let mut command = site.parsemail(&mail.list, is_spooled);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut stdin = child.stdin.take().expect("standard input");
    // It may be dead before it has read all.
    let feed = |mut stdin: std::process::ChildStdin| {
        let _ = stdin.write_all(&mail.raw);
    };
    if let Some(doom) = doom {
        let status = thread::scope(|scope| {
            scope.spawn(move || feed(stdin));
            thread::sleep(doom);
            let _ = child.kill();
            child.wait().expect("an end")
        });
        return ended(status, String::new());
    }
    let _ = stdin.write_all(&mail.raw);
    drop(stdin);
    let mut said = String::new();
    let stderr = child.stderr.take().expect("standard error");
    let _ = std::io::BufReader::new(stderr).read_to_string(&mut said);
    ended(child.wait().expect("an end"), said)
}

fn ended(status: ExitStatus, said: String) -> End {
    match (status.code(), status.signal()) {
        (Some(0), _) => End::Taken,
        (Some(75), _) if said.is_empty() || said.starts_with("4.3.0 ") => End::Later,
        (None, Some(9)) => End::Killed,
        _ => End::Bounced(format!("{status}: {said}")),
    }
}

/// Makes things go wrong, one after the other, as the mails go by.
fn strike(site: &Site, mails: usize, plan: &Plan<'_>, state: &Mutex<State>) {
    for (number, fault) in plan.faults.iter().enumerate() {
        let from = mails * (number + 1) / (plan.faults.len() + 2);
        while locked(state).done < from {
            thread::sleep(Duration::from_millis(5));
        }
        {
            let mut now = locked(state);
            now.fault = Some(*fault);
            now.felt = 0;
        }
        let begun = Instant::now();
        let trouble = site.begin(*fault);
        while locked(state).felt < ENOUGH && begun.elapsed() < LONGEST {
            thread::sleep(Duration::from_millis(5));
        }
        site.end(*fault, trouble);
        locked(state).fault = None;
    }
}
