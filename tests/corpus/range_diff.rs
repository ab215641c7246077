//! Real revisions of series: compared by us as `git range-diff` compares them once they are applied. The trees
//! below are made up from the diffs.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::Path,
};

use patchwork::mail::{self, Message};

use super::{each_archive, list_of, mails, tree};
use crate::{
    mail::{
        git::{self, Repository},
        range_diff::{self, Sent},
    },
    support::skip,
};

/// Longer series are left out: git alone takes minutes.
const MOST: usize = 30;

/// One mail of a series.
struct Part {
    number: i32,
    name: String,
    raw: Vec<u8>,
    message: Message,
}

/// A revision: who sent it, which version, how many.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    author: String,
    version: i32,
    total: i32,
    root: String,
}

#[derive(Default)]
struct Tally {
    pairs: usize,
    /// Those whose diffs contradict each other, or are no text.
    no_tree: usize,
    not_applied: usize,
    compared: usize,
    patches: usize,
    /// Same pairs and verdicts.
    same: usize,
    /// Also the same text.
    same_text: usize,
    differing: Vec<String>,
}

#[test]
fn revisions_of_archives_are_compared_as_git_does() {
    if !git::is_installed() {
        return skip("corpus: git range-diff", "git is not installed");
    }
    let total = std::cell::RefCell::new(Tally::default());
    each_archive("corpus: git range-diff", |archive| {
        let mut tally = Tally::default();
        try_archive(archive, &mut tally);
        let name = archive.file_name().unwrap_or_default().display();
        println!("{name}: {}", tally.told());
        total.borrow_mut().add(tally);
    });
    let total = total.into_inner();
    println!("all: {}", total.told());
    total.differing.iter().for_each(|one| println!("{one}"));
    assert!(total.same * 100 >= total.compared * 95, "{}", total.told());
}

fn try_archive(archive: &Path, tally: &mut Tally) {
    let list = list_of(archive);
    let linkname = list
        .as_str()
        .split('.')
        .next()
        .unwrap_or_default()
        .to_owned();
    let address = list.as_str().replacen('.', "@", 1);
    let place = Some(Path::new("/dev/shm")).filter(|place| place.is_dir());
    let folder = tempfile::tempdir_in(place.unwrap_or(Path::new("/tmp"))).expect("a folder");
    let repository = Repository::new(folder.path());
    let series = series(archive, &linkname, &address);
    for (old, new) in revisions(&series) {
        tally.pairs += 1;
        try_pair(&repository, [&series[old], &series[new]], &address, tally);
        println!("    {old:?} → v{}: {}", new.version, tally.told());
    }
}

/// Returns all series of which every patch is there.
fn series(archive: &Path, linkname: &str, address: &str) -> BTreeMap<Key, Vec<Part>> {
    let mut found: BTreeMap<Key, Vec<Part>> = BTreeMap::new();
    for raw in mails(archive).flatten() {
        let Ok(message) = mail::read(&raw) else {
            continue;
        };
        let (Ok(author), Some(_)) = (message.author(address), &message.content.diff) else {
            continue;
        };
        if message.is_reply {
            continue;
        }
        let heading = message.heading(linkname);
        let (number, total) = heading.place.map_or((1, 1), |at| (at.number, at.total));
        let alone = heading.place.is_none() || message.references.is_empty();
        let root = match (alone, message.references.last()) {
            (false, Some(root)) => root.as_str(),
            _ => message.id.as_str(),
        };
        let key = Key {
            author: author.email,
            version: heading.version,
            total,
            root: if number == 1 && alone && total == 1 {
                message.id.as_str()
            } else {
                root
            }
            .to_owned(),
        };
        let bare = heading.name.rsplit("] ").next().unwrap_or_default();
        found.entry(key).or_default().push(Part {
            number,
            name: bare.trim().to_lowercase(),
            raw,
            message,
        });
    }
    for parts in found.values_mut() {
        parts.sort_by_key(|part| part.number);
        parts.dedup_by_key(|part| part.number);
    }
    found.retain(|key, parts| parts.len() == key.total as usize && parts.len() <= MOST);
    found
}

/// Returns each series with the next version of it: of the same person, with a patch of the same name.
fn revisions(series: &BTreeMap<Key, Vec<Part>>) -> Vec<(&Key, &Key)> {
    let mut by_name: HashMap<(&str, i32, &str), &Key> = HashMap::new();
    for (key, parts) in series {
        for part in parts {
            by_name.insert((&key.author, key.version, &part.name), key);
        }
    }
    let mut seen = HashSet::new();
    let mut out = Vec::new();
    for (key, parts) in series {
        let next = parts.iter().find_map(|part| {
            by_name.get(&(key.author.as_str(), key.version + 1, part.name.as_str()))
        });
        if let Some(next) = next
            && seen.insert(*next)
        {
            out.push((key, *next));
        }
    }
    out
}

fn try_pair(repository: &Repository, pair: [&Vec<Part>; 2], address: &str, tally: &mut Tally) {
    let mut ranges = Vec::new();
    for (side, parts) in ["old", "new"].into_iter().zip(pair) {
        let diffs = parts
            .iter()
            .map(|part| part.message.content.diff.as_deref().unwrap_or_default());
        let Some(files) = tree::before(diffs) else {
            tally.no_tree += 1;
            return;
        };
        if !apply(repository, side, &files, parts) {
            tally.not_applied += 1;
            return;
        }
        ranges.push(format!("{side}..{side}-applied"));
    }
    let printed = repository.git(&["range-diff", "--no-color", &ranges[0], &ranges[1]]);
    let theirs = range_diff::without_ids(&printed);
    let [old, new] = pair.map(|parts| -> Vec<Sent> {
        parts
            .iter()
            .map(|part| range_diff::sent(&part.message, address))
            .collect()
    });
    let ours = range_diff::text(&range_diff::compared(&old, &new), &old, &new);
    let heads = |lines: &[String]| -> Vec<String> {
        let heads = lines.iter().filter(|line| !line.starts_with("    "));
        heads
            .map(|line| line.splitn(4, ' ').take(3).collect::<Vec<_>>().join(""))
            .collect()
    };
    tally.compared += 1;
    tally.patches += new.len();
    tally.same_text += usize::from(ours == theirs);
    if heads(&ours) == heads(&theirs) {
        tally.same += 1;
    } else {
        let differing = format!(
            "{}\n  ours {:?}\n  git  {:?}",
            pair[1][0].message.id,
            heads(&ours),
            heads(&theirs)
        );
        tally.differing.push(differing);
    }
    if ours != theirs
        && let Some(at) = ours.iter().zip(&theirs).position(|(a, b)| a != b)
    {
        println!(
            "    {} line {at}: {:?} | {:?}",
            pair[1][0].message.id, ours[at], theirs[at]
        );
    }
}

/// Applies a revision to a tree of its own; false if git does not take it.
fn apply(repository: &Repository, side: &str, files: &tree::Files, parts: &[Part]) -> bool {
    let mut stream = Vec::new();
    tree::push_commit(files, &format!("refs/tags/{side}"), &mut stream);
    repository.run(&["tag", "-d", side], b"");
    let imported = repository.run(&["fast-import", "--quiet", "--force"], &stream);
    if !imported.status.success() {
        return false;
    }
    let _ = fs::remove_file(repository.folder.join(".git/index"));
    repository.run(&["clean", "-q", "-f", "-d", "-x"], b"");
    if !repository
        .run(&["checkout", "-q", "-f", "--detach", side], b"")
        .status
        .success()
    {
        return false;
    }
    for part in parts {
        let mail = [b"From x Thu Jan  1 00:00:00 1970\n", &part.raw[..]].concat();
        if repository.am(&mail).is_err() {
            return false;
        }
    }
    repository.git(&["tag", "-f", &format!("{side}-applied")]);
    true
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.pairs += other.pairs;
        self.no_tree += other.no_tree;
        self.not_applied += other.not_applied;
        self.compared += other.compared;
        self.patches += other.patches;
        self.same += other.same;
        self.same_text += other.same_text;
        self.differing.extend(other.differing);
    }

    fn told(&self) -> String {
        format!(
            "{} pairs of revisions, {} without a tree, {} not applied, {} compared ({} patches): same pairs and verdicts {}, same text {}",
            self.pairs,
            self.no_tree,
            self.not_applied,
            self.compared,
            self.patches,
            self.same,
            self.same_text
        )
    }
}
