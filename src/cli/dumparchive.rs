//! `patchwork dumparchive`: projects as mailboxes, in one tar archive.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Seek, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use flate2::{Compression, write::GzEncoder};
use indicatif::ProgressBar;

use super::{Common, Outcome, block_on, database, long, output, parsemail::list_id};
use crate::{
    domain::{Project, Timestamp},
    store::{self, Conn, Db, patch::walk},
    web::download,
};

/// Write projects as mailboxes into a tar archive
#[derive(Debug, Args)]
#[command(after_help = "\
Makes patchwork_dump_DATE_TIME.tar in the current directory, with a mailbox for each project: its patches by date, as \
their pages offer them for download. The archive appears when it is complete.

Examples:
  patchwork dumparchive
  patchwork dumparchive -c tidepool.lists.example.org")]
pub(super) struct Dumparchive {
    /// Compress with gzip
    #[arg(short, long)]
    compress: bool,
    /// The lists whose projects are wanted [default: all]
    #[arg(value_name = "LISTID")]
    lists: Vec<String>,
}

impl Dumparchive {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let now = Timestamp::now();
        let ending = match self.compress {
            true => "tar.gz",
            false => "tar",
        };
        let name = format!("patchwork_dump_{}.{ending}", now.format("%Y_%m_%d_%H%M%S"));
        let code = block_on(async {
            let db = database::ready(&loaded.settings).await?;
            let projects = projects(&mut db.reader().await?, &self.lists).await?;
            let bar = long::bar(common, patches(&db, &projects).await?);
            let code = long::or_interrupted(self.write(&db, &projects, &name, now, &bar)).await;
            bar.finish_and_clear();
            db.close().await;
            code
        })?;
        if code == ExitCode::SUCCESS && !common.is_quiet() {
            output::say(&format!("Wrote {name}"))?;
        }
        Ok(code)
    }

    async fn write(
        &self,
        db: &Db,
        projects: &[Project],
        name: &str,
        now: Timestamp,
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        let unfinished = Unfinished::create(name)?;
        let file = BufWriter::new(unfinished.file.try_clone()?);
        let mut file = match self.compress {
            true => {
                let packed = GzEncoder::new(file, Compression::default());
                members(db, projects, packed, now, bar).await?.finish()?
            }
            false => members(db, projects, file, now, bar).await?,
        };
        file.flush()?;
        unfinished.finish(Path::new(name))
    }
}

/// Returns the projects of these lists, all for none, each once.
async fn projects(conn: &mut Conn, lists: &[String]) -> anyhow::Result<Vec<Project>> {
    if lists.is_empty() {
        return Ok(store::project::all(conn).await?);
    }
    let mut found: Vec<Project> = Vec::new();
    for list in lists {
        let projects = store::project::by_list_id(conn, &list_id(list)).await?;
        if projects.is_empty() {
            bail!("no project has the list id '{list}'");
        }
        for store::project::Listed { project, .. } in projects {
            if found.iter().all(|known| known.id != project.id) {
                found.push(project);
            }
        }
    }
    Ok(found)
}

async fn patches(db: &Db, projects: &[Project]) -> store::Result<i64> {
    let mut conn = db.reader().await?;
    let mut sum = 0;
    for project in projects {
        sum += walk::count(&mut conn, project.id).await?;
    }
    Ok(sum)
}

/// Writes a member for each project.
async fn members<W: Write + Send + 'static>(
    db: &Db,
    projects: &[Project],
    out: W,
    now: Timestamp,
    bar: &ProgressBar,
) -> anyhow::Result<W> {
    let mut archive = tar::Builder::new(out);
    for project in projects {
        let mailbox = mailbox(db, project, bar).await?;
        let name = format!("{}.mbox", project.linkname);
        // Not on this thread: Ctrl-C has to be heard while gigabytes are compressed.
        let appended = tokio::task::spawn_blocking(move || {
            append(&mut archive, &name, mailbox, now).map(|()| archive)
        });
        archive = appended.await?.context("cannot write the archive")?;
    }
    archive.into_inner().context("cannot write the archive")
}

fn append<W: Write>(
    archive: &mut tar::Builder<W>,
    name: &str,
    mut mailbox: File,
    now: Timestamp,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(mailbox.stream_position()?);
    header.set_mode(0o644);
    header.set_mtime(u64::try_from(now.0 / 1_000_000).unwrap_or_default());
    mailbox.rewind()?;
    archive.append_data(&mut header, name, mailbox)
}

/// Writes a project's mailbox into a file without a name: a tar archive has to know how long a member is
/// before it begins.
async fn mailbox(db: &Db, project: &Project, bar: &ProgressBar) -> anyhow::Result<File> {
    let file = nameless().context("cannot write into the current directory")?;
    let mut out = BufWriter::new(file);
    let mut conn = db.reader().await?;
    let mut after = None;
    loop {
        let patches = walk::details(&mut conn, project.id, after).await?;
        let Some(last) = patches.last() else { break };
        after = Some((last.patch.date, last.patch.id));
        let ids: Vec<_> = patches.iter().map(|detail| detail.patch.id).collect();
        let replies = store::patch::replies(&mut conn, &ids).await?;
        for patch in &patches {
            out.write_all(&download::patch_mail(project, patch, &replies))?;
            out.write_all(b"\n")?;
        }
        bar.inc(patches.len() as u64);
    }
    Ok(out.into_inner().map_err(io::IntoInnerError::into_error)?)
}

/// Makes a file that goes away when it is closed, however that comes about.
fn nameless() -> io::Result<File> {
    let path = format!(".patchwork_dump_{}", std::process::id());
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

/// An archive that is not complete: under a name of its own, and gone if it does not get complete.
struct Unfinished {
    file: File,
    path: PathBuf,
}

impl Unfinished {
    fn create(name: &str) -> anyhow::Result<Self> {
        let path = PathBuf::from(format!("{name}.part"));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Unfinished { file, path })
    }

    fn finish(self, name: &Path) -> anyhow::Result<()> {
        self.file.sync_all()?;
        // A link, unlike a rename, replaces nothing that is there; the unfinished name goes in any case.
        fs::hard_link(&self.path, name).with_context(|| format!("cannot make {}", name.display()))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // The finished archive has another name.
        let _ = fs::remove_file(&self.path);
    }
}
