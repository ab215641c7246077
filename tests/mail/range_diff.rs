//! Our comparison of revisions beside that of the real `git range-diff`.

use std::fs;

use patchwork::mail::{
    self, Message,
    commit::{Commit, commit},
    mbox::Splitter,
    range_diff::{self, Comparison, Limits, Patch, told},
};

use super::{LIST, git::Repository};
use crate::support::{fresh_folder, skip};

/// A commit: its message, and what it does as shell.
type Step = (&'static str, &'static str);

const LEAK: Step = (
    "net: fix leak\n\nIt was lost.\n\nSigned-off-by: Ada Example <ada@example.com>",
    "sed -i 's/^line 3$/line three/' a.txt",
);
const CODE: Step = (
    "core: count twice",
    "sed -i 's/^\\tb = 1;$/\\tb = 2;\\n\\tlog(b);/' code.c",
);
const NEW: Step = (
    "doc: describe it",
    "mkdir -p d && seq -f 'text %g' 1 30 > d/doc.txt",
);
const BINARY: Step = ("logo", "printf '\\000\\001' > logo.bin");
const MOVE: Step = (
    "move the numbers",
    "git mv long.txt moved.txt && sed -i 's/^40$/forty/' moved.txt",
);
const MODES: Step = (
    "modes, links, no line end",
    "chmod +x a.txt && ln -s a.txt link && printf 'last' > last.txt",
);
const GONE: Step = ("remove the old one", "git rm -q old.txt");

/// Revisions of one series.
const REVISIONS: [&[Step]; 8] = [
    &[LEAK, CODE, NEW, BINARY, MOVE, MODES, GONE],
    // The order changes, one is left out.
    &[NEW, GONE, LEAK, MOVE, BINARY, MODES],
    // Only messages change; one patch is new in front.
    &[
        ("first of all", "seq 1 9 > first.txt"),
        (
            "net: fix leak\n\nIt was lost, and now it is not.\n\n  indented\n\nReviewed-by: Zoë Smith <zoe@example.org>\nSigned-off-by: Ada Example <ada@example.com>",
            LEAK.1,
        ),
        CODE,
        ("doc: describe all of it", NEW.1),
        BINARY,
    ],
    // Contents change.
    &[
        (LEAK.0, "sed -i 's/^line 3$/line III/' a.txt"),
        (
            CODE.0,
            "sed -i 's/^\\tb = 1;$/\\tb = 3;\\n\\tlog(b);/' code.c",
        ),
        (
            NEW.0,
            "mkdir -p d && seq -f 'text %g' 1 28 | sed 's/^text 7$/seven/;s/^text 20$/twenty/' > d/doc.txt",
        ),
        ("logo", "printf '\\000\\002' > logo.bin"),
        (
            MOVE.0,
            "git mv long.txt moved.txt && sed -i 's/^40$/XL/' moved.txt",
        ),
        (
            MODES.0,
            "chmod +x a.txt && ln -s code.c link && printf 'least' > last.txt",
        ),
        ("remove the other one", "git rm -q code.c"),
    ],
    // Everything is another one under the same names.
    &[
        (LEAK.0, "seq 500 520 > x1"),
        (CODE.0, "seq 600 620 > x2"),
        (NEW.0, "seq 700 730 > x3"),
    ],
    // One is split in two, two become one.
    &[
        (
            "doc: describe it, first part",
            "mkdir -p d && seq -f 'text %g' 1 15 > d/doc.txt",
        ),
        (
            "doc: describe it, second part",
            "seq -f 'text %g' 16 30 >> d/doc.txt",
        ),
        (
            "net and core: all at once",
            "sed -i 's/^line 3$/line three/' a.txt && sed -i 's/^\\tb = 1;$/\\tb = 2;\\n\\tlog(b);/' code.c",
        ),
    ],
    // Code has moved: other line numbers.
    &[
        (
            "lines in front",
            "sed -i '1i front 1\\nfront 2\\nfront 3' a.txt code.c",
        ),
        LEAK,
        CODE,
        (
            "both functions",
            "sed -i 's/^\\tc = 5;$/\\tc = 6;/;s/^\\tz = 0;$/\\tz = 9;/' code.c",
        ),
    ],
    &[
        LEAK,
        (
            "both functions",
            "sed -i 's/^\\tc = 5;$/\\tc = 7;/;s/^\\tz = 0;$/\\tz = 9;\\n\\tz++;/' code.c",
        ),
        MODES,
    ],
];

fn base(repository: &Repository) {
    let lines = |range: std::ops::Range<u32>, word: &str| -> String {
        range.map(|n| format!("{word}{n}\n")).collect()
    };
    let function = |name: &str| -> String {
        let body: String = ('a'..='z')
            .map(|c| format!("\t{c} = {};\n", u32::from(c) % 97 % 25))
            .collect();
        format!("int {name}(void)\n{{\n{body}}}\n\n")
    };
    for (name, content) in [
        ("a.txt", lines(1..30, "line ")),
        (
            "code.c",
            function("one") + &function("two").replace("= ", "= 1"),
        ),
        ("long.txt", lines(1..80, "")),
        ("old.txt", lines(200..240, "old ")),
    ] {
        fs::write(repository.folder.join(name), content).expect("a file");
    }
    step(repository, ("base", "true"), "Ada Example");
    repository.git(&["tag", "base"]);
}

fn step(repository: &Repository, (message, change): Step, author: &str) {
    let script = format!(
        "{change} && git add -A && GIT_AUTHOR_NAME='{author}' GIT_AUTHOR_EMAIL=ada@example.com git commit -q -F -"
    );
    let alias = format!("alias.do=!{script}");
    let output = repository.run(&["-c", &alias, "do"], message.as_bytes());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}: {said}");
}

/// A patch as a mail brought it.
pub struct Sent {
    commit: Commit,
    diff: String,
}

/// Reads what a mail brings.
pub fn sent(message: &Message, list: &str) -> Sent {
    Sent {
        commit: commit(&message.headers, &message.content.message, list),
        diff: message.content.diff.clone().unwrap_or_default(),
    }
}

/// Compares what mails brought.
pub fn compared(old: &[Sent], new: &[Sent]) -> Comparison {
    fn view(sent: &Sent) -> Patch<'_> {
        Patch {
            commit: sent.commit.clone(),
            diff: &sent.diff,
        }
    }
    let [old, new] = [old, new].map(|list| list.iter().map(view).collect::<Vec<_>>());
    // What is compared is the result, not the machine's pace.
    let limits = Limits {
        time: std::time::Duration::from_secs(60),
        ..Limits::default()
    };
    range_diff::compare(&old, &new, &limits)
}

/// Returns a comparison as text, in the form of [`without_ids`].
pub fn text(found: &Comparison, old: &[Sent], new: &[Sent]) -> Vec<String> {
    let called = |list: &[Sent]| -> Vec<range_diff::Called> {
        let one = |sent: &Sent| ("0000000".to_owned(), sent.commit.subject.clone());
        list.iter().map(one).collect()
    };
    without_ids(&told(found, &called(old), &called(new)))
}

/// Returns the lines of what git prints, without ids of commits: `1 ! 2 subject`.
pub fn without_ids(printed: &str) -> Vec<String> {
    let one = |line: &str| match line.starts_with("    ") {
        true => line.to_owned(),
        false => {
            let words: Vec<&str> = line.split_whitespace().collect();
            let kept = words
                .iter()
                .enumerate()
                .filter(|(at, _)| !matches!(at, 1 | 4));
            let kept: Vec<&str> = kept.map(|(_, word)| word.trim_end_matches(':')).collect();
            kept.join(" ")
        }
    };
    printed.lines().map(one).collect()
}

fn mails(repository: &Repository, revision: &str) -> Vec<Sent> {
    let range = format!("base..{revision}");
    let mailbox = repository.git(&["format-patch", "--stdout", "--binary", "-M", "-v3", &range]);
    let mails = Splitter::new(mailbox.as_bytes(), 1 << 20);
    mails
        .map(|mail| sent(&mail::read(&mail.expect("a mail")).expect("a mail"), LIST))
        .collect()
}

#[test]
fn revisions_are_compared_as_git_does() {
    if !super::git::is_installed() {
        return skip("git range-diff", "git is not installed");
    }
    let repository = Repository::new(&fresh_folder().join("revisions"));
    base(&repository);
    for (at, steps) in REVISIONS.iter().enumerate() {
        repository.git(&["checkout", "-q", "-b", &format!("v{at}"), "base"]);
        for one in *steps {
            // Also who wrote it may change.
            let author = if at == 7 { "Bo Example" } else { "Ada Example" };
            step(&repository, *one, author);
        }
    }
    let sent: Vec<Vec<Sent>> = (0..REVISIONS.len())
        .map(|at| mails(&repository, &format!("v{at}")))
        .collect();
    for (a, old) in sent.iter().enumerate() {
        for (b, new) in sent.iter().enumerate() {
            let ranges = [format!("base..v{a}"), format!("base..v{b}")];
            let git = repository.git(&["range-diff", "--no-color", &ranges[0], &ranges[1]]);
            let ours = text(&compared(old, new), old, new);
            assert_eq!(ours, without_ids(&git), "v{a} and v{b}\n{git}");
        }
    }
}
