//! A Maildir as a way in: what stands in `new/` is taken, and moves to `cur/` once it is safe.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs, io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use super::{
    MOST_BYTES,
    taker::{GivenBack, Taker},
};
use crate::domain::ListId;

/// A Maildir that is watched.
#[derive(Debug)]
pub struct Maildir {
    folder: PathBuf,
    /// What is safe and could not be moved; it must not be taken again and again.
    stuck: HashSet<PathBuf>,
    /// What could not be read the last time. It is told of once, and tried again each time.
    unread: HashSet<PathBuf>,
}

impl Maildir {
    /// Opens a folder that has a `new/`; makes `cur/` where it is missing.
    ///
    /// # Errors
    /// When it is no Maildir, or not ours to change.
    pub fn open(folder: &Path) -> io::Result<Maildir> {
        let new = folder.join("new");
        if !new.is_dir() {
            return Err(io::Error::other(format!(
                "{} is no Maildir: it has no new/",
                folder.display()
            )));
        }
        let cur = folder.join("cur");
        if !cur.is_dir() {
            fs::create_dir(&cur)?;
        }
        Ok(Maildir {
            folder: folder.to_owned(),
            stuck: HashSet::new(),
            unread: HashSet::new(),
        })
    }

    /// Returns how many mails could not be read the last time.
    pub fn unread(&self) -> usize {
        self.unread.len()
    }

    /// Takes all that has arrived, the oldest first, and returns how many mails that were. `is_over` is asked before each.
    /// A mail that cannot be read stays where it is, and those after it are taken all the same.
    ///
    /// A process that dies between storing a mail and moving it finds the mail again, and then it is known.
    ///
    /// # Errors
    /// When a mail is given back; it stays where it is, and so do those after it.
    pub async fn take(
        &mut self,
        taker: &Taker,
        list: Option<&ListId>,
        is_over: impl Fn() -> bool,
    ) -> Result<usize, GivenBack> {
        let mut count = 0;
        let arrived = self.arrived()?;
        self.unread.retain(|path| arrived.contains(path));
        for path in arrived {
            if is_over() {
                break;
            }
            count += usize::from(self.take_one(taker, list, path).await?);
        }
        Ok(count)
    }

    async fn take_one(
        &mut self,
        taker: &Taker,
        list: Option<&ListId>,
        path: PathBuf,
    ) -> Result<bool, GivenBack> {
        let raw = match read(&path) {
            // Somebody else reads here too.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => {
                if self.unread.insert(path.clone()) {
                    tracing::error!("cannot read {}: {error}; it stays there", path.display());
                }
                return Ok(false);
            }
            Ok(raw) => raw,
        };
        self.unread.remove(&path);
        let Some(raw) = raw else {
            tracing::error!(
                "{} is larger than any mail; it is flagged and left out",
                path.display()
            );
            self.file(&path, "FS");
            return Ok(false);
        };
        let taken = taker.take(raw, list.cloned()).await?;
        tracing::info!("{}: {taken:?}", path.display());
        self.file(&path, "S");
        Ok(true)
    }

    /// Returns what is new, the oldest first: a name begins with the second of arrival.
    fn arrived(&self) -> Result<Vec<PathBuf>, GivenBack> {
        let new = self.folder.join("new");
        let mut found = Vec::new();
        for entry in fs::read_dir(&new).map_err(|error| trouble(&new, &error))? {
            let entry = entry.map_err(|error| trouble(&new, &error))?;
            let name = entry.file_name();
            let path = entry.path();
            let is_mail = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_mail && !name.as_bytes().starts_with(b".") && !self.stuck.contains(&path) {
                found.push((second(name.as_bytes()), name, path));
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, _, path)| path).collect())
    }

    /// Moves a mail to those that were seen.
    fn file(&mut self, path: &Path, flags: &str) {
        let target = free(&self.folder.join("cur"), path, flags);
        match fs::rename(path, &target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::error!(
                    "{} is stored but cannot be moved to cur/: {error}",
                    path.display()
                );
                self.stuck.insert(path.to_owned());
            }
            _ => {}
        }
    }
}

/// Reads a mail; none: it is larger than any.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    if fs::metadata(path)?.len() > MOST_BYTES {
        return Ok(None);
    }
    fs::read(path).map(Some)
}

/// The name of a mail begins with the second of its arrival.
fn second(name: &[u8]) -> u64 {
    let digits = name.split(|byte| *byte == b'.').next().unwrap_or_default();
    let digits = str::from_utf8(digits).unwrap_or_default();
    digits.parse().unwrap_or(u64::MAX)
}

/// Returns where a mail moves to: its name, whatever bytes that has, with other flags, and a number where another mail
/// has that name.
fn free(cur: &Path, path: &Path, flags: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let end = name.windows(3).position(|some| some == b":2,");
    let bare = &name[..end.unwrap_or(name.len())];
    let target = |more: &str| {
        let name = [bare, more.as_bytes(), b":2,", flags.as_bytes()].concat();
        cur.join(OsString::from_vec(name))
    };
    let mut found = target("");
    let mut number = 1;
    while found.symlink_metadata().is_ok() {
        found = target(&format!("_{number}"));
        number += 1;
    }
    found
}

fn trouble(path: &Path, error: &io::Error) -> GivenBack {
    GivenBack(format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_bytes_and_take_no_other_mails_place() {
        let cur = tempfile::tempdir().expect("a folder");
        let named = |bytes: &[u8]| Path::new("new").join(OsString::from_vec(bytes.to_vec()));
        for (name, expected) in [
            (&b"1.a"[..], &b"1.a:2,S"[..]),
            (b"1.a:2,R", b"1.a_1:2,S"),
            (b"1.a:2,", b"1.a_2:2,S"),
            (b"1.\xff", b"1.\xff:2,S"),
            (b"1.\xfe", b"1.\xfe:2,S"),
        ] {
            let target = free(cur.path(), &named(name), "S");
            assert_eq!(target.file_name().expect("a name").as_bytes(), expected);
            fs::write(target, "").expect("a file");
        }
        assert_eq!(second(b"17.\xff"), 17);
        assert_eq!(second(b"\xff.17"), u64::MAX);
    }
}
