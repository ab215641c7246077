//! `patchwork collectstatic`: our own files in a folder, for a front server to hand out.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Args;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use super::{Common, Outcome, output};
use crate::web::assets;

/// Write style sheets and scripts into a folder for the front server
#[derive(Debug, Args)]
#[command(after_help = "\
Each file is there under the name that pages use, which changes with its content, under its plain name, and compressed \
for servers that hand out NAME.gz. Old ones stay for pages that are still open; --clear removes them. Without this \
command the server hands its files out itself.

Examples:
  patchwork collectstatic /var/www/patchwork
  patchwork collectstatic --clear --noinput")]
pub(super) struct Collectstatic {
    /// Remove files that an earlier call wrote and this one does not
    #[arg(long)]
    clear: bool,
    /// Ask nothing; it never does
    #[arg(long, visible_alias = "no-input")]
    noinput: bool,
    /// The folder, made if it is not there [default: server.static_root]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Which file names which: written last, so whoever finds a file in it finds the file.
const MANIFEST: &str = "manifest.json";

impl Collectstatic {
    pub(super) fn run(self, common: &Common) -> Outcome {
        let loaded = common.settings(Vec::new())?;
        let configured = &loaded.settings.server.static_root;
        let folder = match &self.directory {
            Some(folder) => folder,
            None if !configured.as_os_str().is_empty() => configured,
            None => bail!("where to? Name a folder, or set server.static_root"),
        };
        let written = collect(folder, self.clear)
            .with_context(|| format!("cannot write to {}", folder.display()))?;
        if !common.is_quiet() {
            output::say(&format!("{written} files written to {}.", folder.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes what is not there already; returns how many files those are.
fn collect(folder: &Path, clear: bool) -> io::Result<usize> {
    fs::create_dir_all(folder)?;
    let before = listed(folder);
    let mut files = Vec::new();
    let mut names = serde_json::Map::new();
    let mut written = 0;
    for asset in assets::all() {
        names.insert(asset.plain.to_owned(), asset.name.clone().into());
        let packed = packed(asset.bytes)?;
        for name in [asset.name.as_str(), asset.plain] {
            written += usize::from(put(folder, name, asset.bytes)?);
            let packed_name = format!("{name}.gz");
            written += usize::from(put(folder, &packed_name, &packed)?);
            files.extend([name.to_owned(), packed_name]);
        }
    }
    let gone: Vec<&String> = before.iter().filter(|name| !files.contains(name)).collect();
    if clear {
        for name in &gone {
            match fs::remove_file(folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    let kept = gone.into_iter().filter(|_| !clear).cloned();
    let all: Vec<String> = files.iter().cloned().chain(kept).collect();
    let manifest = json!({ "version": env!("CARGO_PKG_VERSION"), "names": names, "files": all });
    written += usize::from(put(folder, MANIFEST, format!("{manifest:#}\n").as_bytes())?);
    Ok(written)
}

/// Returns what an earlier call wrote: names in this folder and nowhere else.
fn listed(folder: &Path) -> Vec<String> {
    let manifest = fs::read(folder.join(MANIFEST)).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap_or_default();
    let files = manifest["files"].as_array().cloned().unwrap_or_default();
    let name = |file: &Value| file.as_str().map(str::to_owned);
    let is_here = |name: &String| !name.contains('/') && !name.starts_with('.');
    files.iter().filter_map(name).filter(is_here).collect()
}

fn packed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Writes a file if it is another; whoever reads it meanwhile reads the old one or the new one.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<bool> {
    let file = folder.join(name);
    if fs::read(&file).is_ok_and(|there| there == bytes) {
        return Ok(false);
    }
    let part = folder.join(format!(".{name}.{}.part", std::process::id()));
    let done = fs::write(&part, bytes).and_then(|()| fs::rename(&part, &file));
    if done.is_err() {
        // It is not there when it could not be made.
        let _ = fs::remove_file(&part);
    }
    done.map(|()| true)
}
