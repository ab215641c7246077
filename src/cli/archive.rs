//! Opens an archive: an mbox file, compressed or not, a Maildir, or standard input.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, bail};

use crate::{
    ingest::{MOST_BYTES, archive::Item},
    mail::mbox::{Broken, Splitter},
};

/// How much is read at once.
const BUFFER: usize = 1 << 18;

/// The mails of an archive, one after the other, and how far it has been read.
pub(super) struct Archive {
    /// The mails.
    pub mails: Box<dyn Iterator<Item = Item> + Send>,
    /// How many bytes there are to read, if that is known.
    pub size: Option<u64>,
    /// How many of them have been read.
    pub read: Arc<AtomicU64>,
    /// Why it ended early, once it did.
    pub end: Arc<OnceLock<String>>,
}

/// Opens an archive; `-` is standard input. What is larger than any mail becomes an error; what is only larger than
/// the site takes comes whole, to be set aside.
pub(super) fn open(path: &Path) -> anyhow::Result<Archive> {
    let read = Arc::new(AtomicU64::new(0));
    let end = Arc::new(OnceLock::new());
    if path == Path::new("-") {
        let mails = mbox(Counted::new(io::stdin(), &read), &end)?;
        return Ok(Archive {
            mails,
            size: None,
            read,
            end,
        });
    }
    let about = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    if about.is_dir() {
        let files = maildir(path)?;
        let size = files.iter().map(|(_, size)| size).sum();
        return Ok(Archive {
            mails: Box::new(maildir_mails(files, read.clone())),
            size: Some(size),
            read,
            end,
        });
    }
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mails = mbox(Counted::new(file, &read), &end)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Archive {
        mails,
        // A pipe has no size.
        size: about.is_file().then_some(about.len()),
        read,
        end,
    })
}

fn mbox(
    input: impl Read + Send + 'static,
    end: &Arc<OnceLock<String>>,
) -> io::Result<Box<dyn Iterator<Item = Item> + Send>> {
    let limit = usize::try_from(MOST_BYTES).unwrap_or(usize::MAX);
    let mails = Splitter::new(unpacked(BufReader::with_capacity(BUFFER, input))?, limit);
    let end = end.clone();
    // An archive that cannot be read further is no mail that failed.
    Ok(Box::new(mails.map_while(move |mail| match mail {
        Ok(mail) => Some(Ok(mail)),
        Err(Broken::Io(error)) => {
            let _ = end.set(error.to_string());
            None
        }
        Err(broken @ Broken::TooLarge { .. }) => Some(Err(broken.to_string())),
    })))
}

/// Unpacks what is packed, going by its first bytes; names lie.
fn unpacked(mut input: impl BufRead + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let start = input.fill_buf()?;
    Ok(match start {
        [0x1f, 0x8b, ..] => buffered(flate2::bufread::MultiGzDecoder::new(input)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            buffered(liblzma::bufread::XzDecoder::new_multi_decoder(input))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => buffered(zstd::stream::read::Decoder::with_buffer(input)?),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => {
            return Err(io::Error::other(
                "it is packed with bzip2, which is not read here: unpack it with bunzip2 -c … | patchwork parsearchive -",
            ));
        }
        _ => Box::new(input),
    })
}

fn buffered(input: impl Read + Send + 'static) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(BUFFER, input))
}

/// Returns the mails of a Maildir with their sizes, in the order in which they arrived.
fn maildir(path: &Path) -> anyhow::Result<Vec<(PathBuf, u64)>> {
    let folders = ["cur", "new"].map(|name| path.join(name));
    if !folders.iter().any(|folder| folder.is_dir()) {
        bail!(
            "{} is no Maildir: it has neither cur nor new",
            path.display()
        );
    }
    let mut files = Vec::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        let entries =
            fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let about = entry.metadata()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if about.is_file() && !name.starts_with('.') {
                files.push((arrival(&name), name, entry.path(), about.len()));
            }
        }
    }
    files.sort();
    Ok(files
        .into_iter()
        .map(|(_, _, path, size)| (path, size))
        .collect())
}

/// The name of a mail begins with the second of its arrival.
fn arrival(name: &str) -> u64 {
    let digits = name.split('.').next().unwrap_or_default();
    digits.parse().unwrap_or(u64::MAX)
}

fn maildir_mails(
    files: Vec<(PathBuf, u64)>,
    read: Arc<AtomicU64>,
) -> impl Iterator<Item = Item> + Send {
    files.into_iter().map(move |(path, size)| {
        read.fetch_add(size, Ordering::Relaxed);
        if size > MOST_BYTES {
            return Err(format!(
                "{} has {size} bytes, more than the {MOST_BYTES} that any mail has",
                path.display()
            ));
        }
        fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    })
}

/// A reader that says how far it is.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    fn new(inner: R, read: &Arc<AtomicU64>) -> Self {
        Counted {
            inner,
            read: read.clone(),
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
