//! Trees that patches apply to, made up from the patches: what a hunk takes stands where the hunk says,
//! with other lines in between.

use std::{collections::HashSet, io::Write};

use patchwork::mail::{
    self,
    hunk::HunkHead,
    name::{marked, without_first},
    outline::{Change, FileDiff, LineKind},
};

/// Files longer than this are not made up.
const MAX_LINES: u64 = 1 << 20;

/// A file as it was before a patch, as far as the patch tells.
pub struct Before {
    path: String,
    mode: String,
    content: Vec<u8>,
}

/// Returns the files a patch needs; none if it has no text hunk, or needs what it does not tell.
pub fn files_before(diff: &str) -> Option<Vec<Before>> {
    let files = mail::outline(diff);
    if files.iter().all(|file| file.hunks.is_empty()) {
        return None;
    }
    let changed = files.iter().filter(|file| file.change != Change::Added);
    let before: Option<Vec<Before>> = changed.map(before).collect();
    let mut paths = HashSet::new();
    before.filter(|files| files.iter().all(|file| paths.insert(file.path.clone())))
}

fn before(file: &FileDiff) -> Option<Before> {
    let mode = mode(file);
    let path = path(file)?;
    let sound = path
        .split('/')
        .all(|part| !matches!(part, "" | "." | ".." | ".git"));
    if file.binary || mode == "160000" || !sound {
        return None;
    }
    Some(Before {
        path,
        mode,
        content: content(file)?,
    })
}

/// The name git looks for: the line `--- ` without its first folder, else what git's header tells.
fn path(file: &FileDiff) -> Option<String> {
    let git = file
        .head
        .iter()
        .any(|line| line.text.starts_with("diff --git "));
    let old = file
        .head
        .iter()
        .find_map(|line| line.text.strip_prefix("--- "));
    let name = old.map(|rest| marked(rest, git));
    let name = name.filter(|name| name != "/dev/null");
    let name = name.map(|name| without_first(&name).to_owned());
    name.or_else(|| file.old.clone())
}

/// Returns the mode that a file had before.
pub fn mode(file: &FileDiff) -> String {
    let index = file
        .head
        .iter()
        .find_map(|line| line.text.strip_prefix("index "));
    let mode = index
        .and_then(|rest| rest.trim_end().split_once(' '))
        .map(|(_, mode)| mode);
    file.old_mode.or(mode).unwrap_or("100644").to_owned()
}

fn content(file: &FileDiff) -> Option<Vec<u8>> {
    let (mut text, mut lines) = (String::new(), 0);
    if file.hunks.is_empty() && file.change != Change::Deleted {
        text.push_str("something\n");
    }
    for hunk in &file.hunks {
        let head = HunkHead::read(hunk.lines.first()?.text)?;
        let first = head.starts().0 + u64::from(head.counts().0 == 0);
        if first <= lines && head.counts().0 > 0 || first > MAX_LINES {
            return None;
        }
        while lines + 1 < first {
            lines += 1;
            text.push_str(&format!("other line {lines}\n"));
        }
        for line in &hunk.lines {
            match line.kind {
                LineKind::Context | LineKind::Removed => {
                    let bare = line.text.trim_end_matches('\n');
                    text.push_str(bare.get(1..).unwrap_or_default());
                    text.push('\n');
                    lines += 1;
                }
                LineKind::NoNewline if !added_before(hunk, line) => {
                    text.pop();
                }
                _ => {}
            }
        }
    }
    Some(text.into_bytes())
}

/// Tells whether the marker is about a line that only the new file has.
fn added_before(hunk: &mail::outline::Hunk, marker: &mail::outline::Line) -> bool {
    let at = hunk
        .lines
        .iter()
        .position(|line| std::ptr::eq(line, marker));
    let previous = at.and_then(|at| hunk.lines.get(at.checked_sub(1)?));
    previous.is_some_and(|line| line.kind == LineKind::Added)
}

/// Appends a commit of these files alone, in the form that `git fast-import` reads.
pub fn push_commit(files: &[Before], name: &str, stream: &mut Vec<u8>) {
    let head = format!("commit {name}\ncommitter C <c@example.org> 0 +0000\ndata 0\n");
    stream.extend_from_slice(head.as_bytes());
    for file in files {
        let path = file.path.replace('\\', "\\\\").replace('"', "\\\"");
        write!(
            stream,
            "M {} inline \"{path}\"\ndata {}\n",
            file.mode,
            file.content.len()
        )
        .expect("memory");
        stream.extend_from_slice(&file.content);
        stream.push(b'\n');
    }
    stream.push(b'\n');
}
