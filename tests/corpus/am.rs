//! Real patches through real `git am`: what git takes as it was sent, it takes as we hand it out, and the
//! same tree comes of it. The tree below is made up from the diff.

use std::{path::Path, sync::Mutex, thread};

use patchwork::{
    domain::MessageId,
    mail::{self, Message},
};

use super::{base, each_archive, list_of, sampled};
use crate::{
    mail::{git, git::Repository, handed_out},
    support::skip,
};

/// How many repositories work at the same time.
const WORKERS: usize = 2;

/// Of a hundred patches that git takes as sent, this many must be taken as we hand them out.
const GOAL: usize = 99;

/// What became of the patches of an archive.
#[derive(Default)]
struct Tally {
    patches: usize,
    tried: usize,
    raw: usize,
    ours: usize,
    ours_alone: usize,
    same: usize,
    /// Also author, date and message are the same: less often, for a message loses its signature.
    same_words: usize,
    /// Taken as sent but not as handed out, or with another tree; and what git says.
    lost: Vec<(MessageId, String)>,
}

/// A patch on its way through git.
struct Trial {
    raw: Vec<u8>,
    message: Message,
    list: String,
}

#[test]
fn patches_of_archives_are_taken_by_git_am() {
    if !git::is_installed() {
        return skip("corpus: git am", "git is not installed");
    }
    let total = Mutex::new(Tally::default());
    each_archive("corpus: git am", |archive| {
        let tally = try_archive(archive);
        println!(
            "{}: {}",
            archive.file_name().unwrap_or_default().display(),
            tally.told()
        );
        for (id, why) in &tally.lost {
            println!("    {id}: {why}");
        }
        total.lock().expect("nobody panics with it").add(tally);
    });
    let total = total.into_inner().expect("nobody panics with it");
    println!("all: {}", total.told());
    assert!(total.same * 100 >= total.raw * GOAL, "{}", total.told());
}

fn try_archive(archive: &Path) -> Tally {
    let list = list_of(archive).as_str().replacen('.', "@", 1);
    let trials: Vec<Trial> = sampled(archive)
        .into_iter()
        .filter_map(|raw| {
            let message = mail::read(&raw).ok()?;
            let patch = !message.is_reply && message.content.diff.is_some();
            let whole = patch && message.author(&list).is_ok();
            whole.then(|| Trial {
                raw,
                message,
                list: list.clone(),
            })
        })
        .collect();
    let mut total = Tally::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let mine: Vec<&Trial> = trials.iter().skip(worker).step_by(WORKERS).collect();
                scope.spawn(move || try_all(&mine))
            })
            .collect();
        for worker in workers {
            total.add(worker.join().expect("a worker"));
        }
    });
    total
}

fn try_all(trials: &[&Trial]) -> Tally {
    // In memory, where there is such a folder: a patch is hundreds of small files.
    let place = Some(Path::new("/dev/shm")).filter(|place| place.is_dir());
    let folder = tempfile::tempdir_in(place.unwrap_or(Path::new("/tmp"))).expect("a folder");
    let repository = Repository::new(folder.path());
    let mut stream = Vec::new();
    let mut tally = Tally {
        patches: trials.len(),
        ..Tally::default()
    };
    let mut ready = Vec::new();
    for (at, trial) in trials.iter().enumerate() {
        let diff = trial.message.content.diff.as_deref().unwrap_or_default();
        if let Some(files) = base::files_before(diff) {
            let name = format!("refs/bases/{at}");
            base::push_commit(&files, &name, &mut stream);
            ready.push((name, trial));
        }
    }
    let imported = repository.run(&["fast-import", "--quiet"], &stream);
    assert!(
        imported.status.success(),
        "{}",
        String::from_utf8_lossy(&imported.stderr)
    );
    for (base, trial) in ready {
        try_one(&repository, &base, trial, &mut tally);
    }
    tally
}

fn try_one(repository: &Repository, base: &str, trial: &Trial, tally: &mut Tally) {
    let sent = [b"From x Thu Jan  1 00:00:00 1970\n", &trial.raw[..]].concat();
    let ours = handed_out(&trial.message, &trial.list, Vec::new());
    let result = |mailbox: &[u8]| {
        repository.git(&["checkout", "-q", "-f", "--detach", base]);
        repository.am(mailbox).map(|()| {
            let told = repository.git(&["log", "-1", "--format=%T%x09%an <%ae> %aI%x09%B"]);
            let (tree, words) = told.split_once('\t').expect("a tree");
            (tree.to_owned(), words.to_owned())
        })
    };
    let (raw, ours) = (result(&sent), result(&ours));
    if let (Ok((_, sent)), Ok((_, ours))) = (&raw, &ours) {
        tally.same_words += usize::from(sent == ours);
    }
    let (raw, ours) = (raw.map(|(tree, _)| tree), ours.map(|(tree, _)| tree));
    tally.tried += 1;
    tally.raw += usize::from(raw.is_ok());
    tally.ours += usize::from(raw.is_ok() && ours.is_ok());
    tally.ours_alone += usize::from(raw.is_err() && ours.is_ok());
    tally.same += usize::from(raw.is_ok() && raw == ours);
    if raw.is_ok() && raw != ours {
        let why = ours.err().unwrap_or_else(|| "another tree".into());
        tally
            .lost
            .push((trial.message.id.clone(), why.replace('\n', " | ")));
    }
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.patches += other.patches;
        self.tried += other.tried;
        self.raw += other.raw;
        self.ours += other.ours;
        self.ours_alone += other.ours_alone;
        self.same += other.same;
        self.same_words += other.same_words;
        self.lost.extend(other.lost);
    }

    fn told(&self) -> String {
        format!(
            "{} patches, {} tried, raw applies {}, ours applies {}, same tree {}; \
             same author, date and message {}; ours alone {}",
            self.patches,
            self.tried,
            self.raw,
            self.ours,
            self.same,
            self.same_words,
            self.ours_alone
        )
    }
}
