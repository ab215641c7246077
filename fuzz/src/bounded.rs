//! A small fuzzer without tools: changes seeds at random for a while, on any compiler.
//!
//! `bounded SECONDS [TARGET…]`. It sees no coverage, so it finds less than libFuzzer; but it finds something
//! everywhere. An input that breaks a target is left in `artifacts/<target>/`.

use std::{
    env, fs, panic,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use patchwork_fuzz::targets::{TARGETS, Target};

/// How long one input may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest input.
const MAX_BYTES: usize = 1 << 16;

/// What mails are made of.
const WORDS: [&[u8]; 40] = [
    b"\n",
    b"\r\n",
    b" ",
    b"\0",
    b"\xff",
    b"=?",
    b"?=",
    b"=?utf-8?q?",
    b"=?utf-8?b?",
    b"?q?",
    b"<",
    b">",
    b"[",
    b"]",
    b"(",
    b")",
    b"\"",
    b"\\",
    b",",
    b"@",
    b"From ",
    b">From ",
    b"From x Tue Mar  5 06:07:08 2024\n",
    b"Subject: ",
    b"Message-Id: <a@b>\n",
    b"Content-Type: multipart/mixed; boundary=b\n\n",
    b"--b\n",
    b"--b--\n",
    b"Content-Transfer-Encoding: base64\n",
    b"; charset=",
    b"--- a/f\n",
    b"+++ b/f\n",
    b"@@ -1 +1 @@\n",
    b"diff --git a/f b/f\n",
    b"index 1..2 100644\n",
    b"GIT binary patch\n",
    b"literal 3\n",
    b"rename from f\n",
    b"-- \n",
    b" via ",
];

/// Marsaglia's xorshift: repeatable, which is all that is asked of it.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let seconds = arguments
        .next()
        .and_then(|text| text.parse().ok())
        .unwrap_or(30);
    let wanted: Vec<String> = arguments.collect();
    let chosen = |name: &str| wanted.is_empty() || wanted.iter().any(|want| want == name);
    let mut sound = true;
    for target in TARGETS.into_iter().filter(|(name, _)| chosen(name)) {
        sound &= fuzz(target, Duration::from_secs(seconds));
    }
    if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Feeds a target until the time is over or it breaks.
fn fuzz((name, run): Target, time: Duration) -> bool {
    let seeds = seeds(name);
    let (began, mut runs, mut slowest) = (Instant::now(), 0u64, Duration::ZERO);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    while began.elapsed() < time {
        let input = match seeds.get(runs as usize) {
            Some(seed) => seed.clone(),
            None => changed(&seeds, &mut dice),
        };
        let started = Instant::now();
        let survived = panic::catch_unwind(|| run(&input)).is_ok();
        slowest = slowest.max(started.elapsed());
        runs += 1;
        if !survived || slowest > PATIENCE {
            println!(
                "{name}: broken after {runs} inputs, {slowest:?}: {}",
                keep(name, &input).display()
            );
            return false;
        }
    }
    println!("{name}: {runs} inputs, the slowest {slowest:?}");
    true
}

fn folder(of: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of).join(name)
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder("seeds", name)).expect("a folder of seeds");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a seed").path()).collect();
    paths.sort();
    let seeds: Vec<_> = paths
        .iter()
        .map(|path| fs::read(path).expect("a seed"))
        .collect();
    assert!(!seeds.is_empty(), "{name} has no seeds");
    seeds
}

/// Leaves an input for a person to look at.
fn keep(name: &str, input: &[u8]) -> PathBuf {
    let folder = folder("artifacts", name);
    let path = folder.join("broken");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&path, input))
        .expect("a file to write");
    path
}

/// A seed after some changes.
fn changed(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(12) {
        change(&mut input, seeds, dice);
    }
    input.truncate(MAX_BYTES);
    input
}

fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let end = (at + dice.below(40)).min(input.len());
    match dice.below(7) {
        0 if at < input.len() => input[at] ^= 1 << dice.below(8),
        1 if at < input.len() => input[at] = dice.below(256) as u8,
        2 => drop(input.drain(at..end)),
        3 => {
            let piece = input[at..end].repeat(1 + dice.below(20));
            input.splice(at..at, piece);
        }
        4 => {
            let other = &seeds[dice.below(seeds.len())];
            let from = dice.below(other.len());
            input.splice(at..at, other[from..].iter().copied());
        }
        _ => {
            let word = WORDS[dice.below(WORDS.len())];
            input.splice(at..at, word.iter().copied());
        }
    }
}
