//! A Maildir as a way in: what stands in `new/` is taken, and moves to `cur/` once it is safe.

use std::{
    collections::HashSet,
    fs, io,
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
        })
    }

    /// Takes all that has arrived, the oldest first, and returns how many mails that were. `is_over` is asked before each.
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
        for path in self.arrived()? {
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
        let about = match fs::metadata(&path) {
            // Somebody else reads here too.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            about => about.map_err(|error| trouble(&path, &error))?,
        };
        if about.len() > MOST_BYTES {
            tracing::error!(
                "{} is larger than any mail; it is flagged and left out",
                path.display()
            );
            self.file(&path, "FS");
            return Ok(false);
        }
        let raw = fs::read(&path).map_err(|error| trouble(&path, &error))?;
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
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            let is_mail = entry.file_type().is_ok_and(|kind| kind.is_file());
            if is_mail && !name.starts_with('.') && !self.stuck.contains(&path) {
                let second = name.split('.').next().unwrap_or_default();
                found.push((second.parse().unwrap_or(u64::MAX), name, path));
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, _, path)| path).collect())
    }

    /// Moves a mail to those that were seen.
    fn file(&mut self, path: &Path, flags: &str) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bare = name.split(":2,").next().unwrap_or_default();
        let target = self.folder.join("cur").join(format!("{bare}:2,{flags}"));
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

fn trouble(path: &Path, error: &io::Error) -> GivenBack {
    GivenBack(format!("cannot read {}: {error}", path.display()))
}
