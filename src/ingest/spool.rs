//! A folder for mails that come while the database is away: one file a mail, on the disk before the mail server
//! hears that all is well, delivered later.
//!
//! A file holds a line of JSON (when the mail came, and the list that the command line named) and then the mail,
//! byte for byte. It appears whole under its name or not at all, and goes only after the commit.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use super::{Options, Outcome, receive};
use crate::{
    domain::{ListId, Timestamp},
    store::{self, Db},
};

/// How the names of mails end; what is still being written begins with a dot and ends otherwise.
const MAIL: &str = "mail";
const UNFINISHED: &str = "part";

/// After how long nobody can still be writing a file: whoever did was killed, and said so to nobody.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The first line of a file.
#[derive(Serialize, Deserialize)]
struct Head {
    /// Microseconds since 1970.
    received: i64,
    list: Option<String>,
}

/// What became of the mails in a spool.
#[derive(Debug, Default)]
pub struct Report {
    /// What became of each mail that was delivered: its file's name, and the outcome.
    pub outcomes: Vec<(String, Outcome)>,
    /// Files that stay because they cannot be read, and why.
    pub trouble: Vec<(String, String)>,
    /// How many files somebody else has in hand.
    pub busy: usize,
}

/// Why a spool could not be emptied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder cannot be read.
    #[error("cannot read the spool {}: {cause}", .folder.display())]
    Folder {
        /// Which one.
        folder: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The database is still away; the mails stay.
    #[error(transparent)]
    Database(#[from] store::Error),
}

/// Puts a mail into a spool. When this returns, it is on the disk.
///
/// # Errors
/// When the folder cannot be written; nothing of the mail stays then.
pub fn put(
    folder: &Path,
    raw: &[u8],
    list: Option<&ListId>,
    received: Timestamp,
) -> io::Result<PathBuf> {
    let name = name(received);
    let unfinished = folder.join(format!(".{name}.{UNFINISHED}"));
    let path = folder.join(format!("{name}.{MAIL}"));
    let head = Head {
        received: received.0,
        list: list.map(|list| list.as_str().to_owned()),
    };
    let done = made(folder)
        .and_then(|()| write(&unfinished, &head, raw))
        .and_then(|()| fs::rename(&unfinished, &path))
        .and_then(|()| sync(folder));
    if done.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    done.map(|()| path)
}

/// Makes the folder where it belongs, if it is not there: what would be the first mail in it must not wait for that.
fn made(folder: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o750).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Names sort by arrival, and no two are the same.
fn name(received: Timestamp) -> String {
    let random = getrandom::u64().unwrap_or_else(|_| u64::from(std::process::id()));
    format!("{:020}-{random:016x}", received.0.max(0))
}

fn write(path: &Path, head: &Head, raw: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    serde_json::to_writer(&mut file, head)?;
    file.write_all(b"\n")?;
    file.write_all(raw)?;
    file.sync_all()
}

/// A new name is on the disk when its folder is.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Says whether mails can be put into a folder, by doing nearly that.
///
/// # Errors
/// Why they cannot.
pub fn try_writing(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".{}.{UNFINISHED}", name(Timestamp(0))));
    let head = Head {
        received: 0,
        list: None,
    };
    write(&path, &head, b"").and_then(|()| fs::remove_file(&path))
}

/// Returns how many mails wait in a spool.
///
/// # Errors
/// When the folder cannot be read.
pub fn count(folder: &Path) -> Result<usize, Error> {
    waiting(folder).map(|files| files.len())
}

/// Delivers what is in a spool, the oldest first; each file goes after the commit of its mail. Several may do this
/// at once: each file is locked while it is in hand.
///
/// # Errors
/// When the folder cannot be read, or the database is away; what was not delivered stays.
pub async fn deliver(db: &Db, folder: &Path, options: &Options) -> Result<Report, Error> {
    let mut report = Report::default();
    for path in waiting(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match claim(&path) {
            Ok(Claim::Mine(file)) => match read(&file) {
                Ok((head, raw)) => {
                    match deliver_one(db, &head, &raw, options).await {
                        Ok(outcome) => report.outcomes.push((name.to_string(), outcome)),
                        Err(away @ store::Error::Away(_)) => return Err(away.into()),
                        Err(error) => {
                            report.trouble.push((name.into_owned(), error.to_string()));
                            continue;
                        }
                    }
                    if let Err(error) = fs::remove_file(&path) {
                        report.trouble.push((name.into_owned(), error.to_string()));
                    }
                }
                Err(error) => report.trouble.push((name.to_string(), error.to_string())),
            },
            Ok(Claim::Taken) => report.busy += 1,
            Ok(Claim::Gone) => {}
            Err(error) => report.trouble.push((name.to_string(), error.to_string())),
        }
    }
    Ok(report)
}

async fn deliver_one(
    db: &Db,
    head: &Head,
    raw: &[u8],
    options: &Options,
) -> store::Result<Outcome> {
    let list = head.list.as_deref().map(ListId::new);
    receive(db, raw, list.as_ref(), options, Timestamp::now()).await
}

/// Returns the mails of a spool, the oldest first, and clears away what was never finished.
fn waiting(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let told = |cause| Error::Folder {
        folder: folder.to_owned(),
        cause,
    };
    let mut files = Vec::new();
    let entries = match fs::read_dir(folder) {
        // No mail has had to wait yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        entries => entries.map_err(told)?,
    };
    for entry in entries {
        let entry = entry.map_err(told)?;
        // A pipe would be waited for.
        if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        match path.extension().and_then(|end| end.to_str()) {
            Some(MAIL) => files.push(path),
            Some(UNFINISHED) if is_abandoned(&path) => {
                let _ = fs::remove_file(&path);
            }
            _ => {}
        }
    }
    files.sort();
    Ok(files)
}

fn is_abandoned(path: &Path) -> bool {
    let written = fs::metadata(path).and_then(|about| about.modified());
    written.is_ok_and(|at| {
        SystemTime::now()
            .duration_since(at)
            .is_ok_and(|age| age > ABANDONED)
    })
}

enum Claim {
    /// The open file; its lock goes with it.
    Mine(File),
    /// Somebody else delivers it at this moment.
    Taken,
    /// Somebody else has delivered it.
    Gone,
}

/// Takes a file in hand. The lock of a process that was killed is gone with it.
fn claim(path: &Path) -> io::Result<Claim> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Claim::Gone),
        opened => opened?,
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(Claim::Taken),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    // Between opening and locking somebody may have finished with it.
    Ok(match file.metadata()?.nlink() {
        0 => Claim::Gone,
        _ => Claim::Mine(file),
    })
}

fn read(mut file: &File) -> io::Result<(Head, Vec<u8>)> {
    let mut whole = Vec::new();
    file.read_to_end(&mut whole)?;
    let end = whole.iter().position(|byte| *byte == b'\n');
    let end = end.ok_or_else(|| io::Error::other("it is no file of this spool"))?;
    let head = serde_json::from_slice(&whole[..end])
        .map_err(|error| io::Error::other(format!("it is no file of this spool: {error}")))?;
    Ok((head, whole.split_off(end + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    #[test]
    fn what_is_put_in_comes_out_in_order() {
        let folder = spool();
        let list = ListId::new("dev.example.org");
        let mail = b"Subject: x\n\n\0\xff\r\n";
        put(folder.path(), b"later", None, Timestamp(2_000_000)).expect("a file");
        put(folder.path(), mail, Some(&list), Timestamp(1_000_000)).expect("a file");
        let files = waiting(folder.path()).expect("a list");
        assert_eq!(files.len(), 2);
        let Ok(Claim::Mine(file)) = claim(&files[0]) else {
            panic!("nobody else has it");
        };
        let (head, raw) = read(&file).expect("a mail");
        assert_eq!(raw, mail);
        assert_eq!(
            (head.received, head.list.as_deref()),
            (1_000_000, Some("dev.example.org"))
        );
    }

    #[test]
    fn a_file_is_in_one_hand() {
        let folder = spool();
        let path = put(folder.path(), b"x", None, Timestamp(1)).expect("a file");
        let Ok(Claim::Mine(held)) = claim(&path) else {
            panic!("nobody else has it");
        };
        assert!(matches!(claim(&path), Ok(Claim::Taken)));
        fs::remove_file(&path).expect("delivered");
        drop(held);
        assert!(matches!(claim(&path), Ok(Claim::Gone)));
    }

    #[test]
    fn what_was_never_finished_is_no_mail_and_goes() {
        let folder = spool();
        let path = folder.path().join(".1-1.part");
        fs::write(&path, "{\"rec").expect("a file");
        assert_eq!(count(folder.path()).expect("a list"), 0);
        assert!(path.exists(), "somebody may still be writing it");
        let old = SystemTime::now() - ABANDONED * 2;
        File::open(&path)
            .and_then(|file| file.set_modified(old))
            .expect("an old file");
        assert_eq!(count(folder.path()).expect("a list"), 0);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_is_made_only_where_it_belongs() {
        let folder = spool();
        let gone = folder.path().join("gone");
        assert!(put(&gone.join("far"), b"x", None, Timestamp(1)).is_err());
        assert!(try_writing(&gone).is_err());
        assert_eq!(count(&gone).expect("no mails"), 0);
        assert!(try_writing(folder.path()).is_ok());
        assert_eq!(fs::read_dir(folder.path()).expect("a list").count(), 0);
    }
}
