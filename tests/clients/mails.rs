//! The mails and the source tree of the sessions: invented people improve widgets.

use std::{fs, path::Path};

use crate::mail::git::Repository;

/// How many single patches follow, so that lists have more than one page.
pub const MANY: usize = 40;

/// A mail, a part at a time.
struct Mail {
    from: &'static str,
    list: &'static str,
    subject: String,
    id: String,
    minute: usize,
    answers: Option<&'static str>,
    body: String,
}

impl Mail {
    fn new(from: &'static str, subject: &str, id: &str, minute: usize) -> Mail {
        Mail {
            from,
            list: "p",
            subject: subject.to_owned(),
            id: id.to_owned(),
            minute,
            answers: None,
            body: String::new(),
        }
    }

    fn answering(self, id: &'static str) -> Mail {
        Mail {
            answers: Some(id),
            ..self
        }
    }

    fn body(self, body: String) -> Mail {
        Mail { body, ..self }
    }

    /// Adds what a patch has: why, by whom, and what it changes.
    fn changing(self, file: &str, was: usize, is: usize) -> Mail {
        let (from, diff) = (self.from, diff(file, was, is));
        self.body(format!(
            "Nobody could know.\n\nSigned-off-by: {from}\n---\n src/{file}.c | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n\n{diff}-- \n2.43.0\n"
        ))
    }

    fn raw(&self) -> String {
        let list = self.list;
        let (hour, minute) = (10 + self.minute / 60, self.minute % 60);
        let threading = self.answers.map_or(String::new(), |id| {
            format!("In-Reply-To: <{id}>\nReferences: <{id}>\n")
        });
        format!(
            "From: {}\nTo: {list}@example.com\nCc: Grace Hopper <grace@example.com>\nSubject: {}\n\
             Date: Mon, 01 Jan 2024 {hour}:{minute:02}:00 +0000\nMessage-ID: <{}>\n{threading}\
             List-Id: <{list}.example.com>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\
             Content-Transfer-Encoding: 8bit\n\n{}",
            self.from, self.subject, self.id, self.body
        )
    }
}

const ADA: &str = "Ada Lovelace <ada@example.com>";
const GRACE: &str = "Grace Hopper <grace@example.com>";
const CHARLES: &str = "Charles Babbage <charles@example.com>";

/// What a file of the tree says; each patch changes the number in one of them.
fn source(file: &str, number: usize) -> String {
    format!("/* One {file} */\n\nint {file}(void)\n{{\n\treturn {number};\n}}\n")
}

fn diff(file: &str, was: usize, is: usize) -> String {
    format!(
        "diff --git a/src/{file}.c b/src/{file}.c\n--- a/src/{file}.c\n+++ b/src/{file}.c\n@@ -1,6 +1,6 @@\n \
         /* One {file} */\n \n int {file}(void)\n {{\n-\treturn {was};\n+\treturn {is};\n }}\n"
    )
}

/// Makes the tree that the patches are for.
pub fn tree(folder: &Path) {
    let repository = Repository::new(folder);
    fs::create_dir(folder.join("src")).expect("a folder");
    let widgets = (1..=3).map(|n| format!("widget_{n}"));
    let sprockets = (1..=MANY).map(|n| format!("sprocket_{n}"));
    for file in widgets.chain(sprockets).chain(["gear".to_owned()]) {
        let path = folder.join(format!("src/{file}.c"));
        fs::write(path, source(&file, 0)).expect("a file");
    }
    repository.git(&["add", "."]);
    repository.git(&["commit", "-q", "-m", "The tree"]);
    repository.git(&["tag", "base"]);
}

/// Returns the mails whose ids matter, in the order in which they arrive: series 1 with patches 1 to 3, the cover of
/// series 2, patch 4 of somebody else, patches 5 and 6 of series 2, and a reply to patch 1.
pub fn first() -> Vec<String> {
    let widget = |number: usize, what: &str, file: &str| {
        let subject = format!("[PATCH {number}/3] widget: {what}");
        Mail::new(
            ADA,
            &subject,
            &format!("widget-{number}@example.com"),
            number,
        )
        .answering("widget-0@example.com")
        .changing(file, 0, number)
    };
    let harder = |number: usize, file: &str, was: usize| {
        let subject = format!("[PATCH {number}/2] widget: work harder in {file}");
        Mail::new(
            CHARLES,
            &subject,
            &format!("harder-{number}@example.com"),
            10 + number,
        )
        .answering("harder-0@example.com")
        .changing(file, was, 10 * number)
    };
    let mails = [
        Mail::new(
            ADA,
            "[PATCH 0/3] widget: three improvements",
            "widget-0@example.com",
            0,
        )
        .body("All of them are small.\n".to_owned()),
        widget(1, "fix return value of widget_3", "widget_3"),
        widget(2, "let widget_2 count", "widget_2"),
        widget(3, "let widget_1 count", "widget_1"),
        Mail::new(
            CHARLES,
            "[PATCH 0/2] widget: work harder",
            "harder-0@example.com",
            10,
        )
        .body(
            "On top of the three improvements.\n\nDepends-on: <widget-0@example.com>\n".to_owned(),
        ),
        Mail::new(
            GRACE,
            "[PATCH] gear: turn like Müller's",
            "single/slash+1@example.com",
            5,
        )
        .changing("gear", 0, 1),
        // They need what series 1 has changed.
        harder(1, "widget_3", 1),
        harder(2, "widget_2", 2),
        Mail::new(
            GRACE,
            "Re: [PATCH 1/3] widget: fix return value of widget_3",
            "reply@example.com",
            20,
        )
        .answering("widget-1@example.com")
        .body("Good.\n\nReviewed-by: Grace Hopper <grace@example.com>\n".to_owned()),
    ];
    mails.iter().map(Mail::raw).collect()
}

/// Returns an archive of the others: many single patches, a pull request, and a patch for the project `q`.
pub fn archive() -> String {
    let mut mails: Vec<Mail> = (1..=MANY)
        .map(|n| {
            let subject = format!("[PATCH] sprocket: smoother sprocket_{n}");
            Mail::new(
                CHARLES,
                &subject,
                &format!("sprocket-{n}@example.com"),
                30 + n,
            )
            .changing(&format!("sprocket_{n}"), 0, n)
        })
        .collect();
    mails.push(
        Mail::new(ADA, "[GIT PULL] widgets for everybody", "pull@example.com", 90).body(
            "The following changes since commit 1111111111111111111111111111111111111111:\n\n  \
             The tree (2024-01-01 00:00:00 +0000)\n\nare available in the Git repository at:\n\n  \
             https://git.example.com/widgets.git tags/for-everybody\n\nfor you to fetch changes up to \
             2222222222222222222222222222222222222222:\n\n  widget: all of them\n"
                .to_owned(),
        ),
    );
    let mut elsewhere =
        Mail::new(GRACE, "[PATCH] lever: pull", "lever@example.com", 100).changing("lever", 0, 1);
    elsewhere.list = "q";
    mails.push(elsewhere);
    let with_envelope = |mail: &Mail| {
        let raw = mail.raw();
        format!("From someone@example.com Mon Jan  1 10:00:00 2024\n{raw}\n")
    };
    mails.iter().map(with_envelope).collect()
}
