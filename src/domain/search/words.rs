//! Words as the index of texts knows them: what is indexed of a mail, and what a search asks for, cut up in one way.
//!
//! A word is a run of letters and digits, in lower case; whatever stands between only separates, underscores too. So
//! `foo_bar` and `drivers/net/x.c` are phrases of two and four words, and `bar` finds the first. Of scripts written without
//! blanks each character is a word.

use std::fmt::Write;

/// How many words of a mail are indexed: positions end at 16383 in a tsvector.
pub const MOST: usize = 15_000;
/// So long all of them may be together: a tsvector takes 1 MiB with all that it adds.
const ALL_BYTES: usize = 700_000;
/// Longer runs are data, not words.
const MOST_BYTES: usize = 64;

/// Calls `take` with each word of a text, in lower case, and where it stands, until that says that it is enough.
pub fn each(text: &str, mut take: impl FnMut(&str, std::ops::Range<usize>) -> bool) {
    let mut lower = String::new();
    let mut begin = 0;
    while begin < text.len() {
        let plain = plain_word(text, begin);
        // Nearly all words of mails are plain; those are lowered at once.
        let end = match text.as_bytes().get(plain) {
            Some(next) if !next.is_ascii() => any_word(text, begin, &mut lower),
            _ => {
                lower.clear();
                lower.push_str(&text[begin..plain]);
                lower.make_ascii_lowercase();
                plain
            }
        };
        let is_word = !lower.is_empty() && lower.len() <= MOST_BYTES;
        if is_word && !take(&lower, begin..end) {
            return;
        }
        begin = match end > begin {
            true => end,
            false => begin + text[begin..].chars().next().map_or(1, char::len_utf8),
        };
    }
}

/// Returns where a run of letters and digits of ASCII that begins at a place ends.
fn plain_word(text: &str, begin: usize) -> usize {
    let rest = &text.as_bytes()[begin..];
    let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric());
    length.map_or(text.len(), |length| begin + length)
}

/// Lowers the word that begins at a place, of whatever letters. Returns where it ends.
fn any_word(text: &str, begin: usize, lower: &mut String) -> usize {
    lower.clear();
    let mut end = begin;
    for c in text[begin..].chars() {
        if !c.is_alphanumeric() || stands_alone(c) && end > begin {
            break;
        }
        push_lower(lower, c);
        end += c.len_utf8();
        if stands_alone(c) {
            break;
        }
    }
    end
}

fn push_lower(out: &mut String, c: char) {
    match c.is_ascii() {
        true => out.push(c.to_ascii_lowercase()),
        // What only marks a letter separates in the databases, as the dot of İ does.
        false => out.extend(c.to_lowercase().filter(|c| c.is_alphanumeric())),
    }
}

/// Says whether a character is of a script written without blanks.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// Returns the words of a text.
pub fn of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    each(text, |word, _| {
        words.push(word.to_owned());
        true
    });
    words
}

/// A mail about to be indexed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mail<'a> {
    /// The subject; that of a reply says nothing.
    pub subject: &'a str,
    /// The message.
    pub message: &'a str,
    /// Whether it is a reply: what it quotes is not its own.
    pub is_reply: bool,
    /// The diff.
    pub diff: &'a str,
    /// Name and address of who wrote it.
    pub author: [&'a str; 2],
    /// Whole words that are found by none of the texts: which project, which kind.
    pub marks: &'a [(char, i64)],
    /// The words of message and diff, if they have been cut already.
    pub texts: Option<&'a Texts>,
}

/// The words of a message and a diff, cut before it is known what the mail is: that takes the most time.
#[derive(Clone, Debug)]
pub struct Texts {
    words: Words,
    /// How much of what may be indexed they take.
    size: Room,
    is_whole: bool,
    /// As what it was read; nothing where that does not matter.
    is_reply: Option<bool>,
}

impl Texts {
    /// Cuts a message and a diff into words.
    pub fn cut(message: &str, is_reply: bool, diff: &str) -> Texts {
        let mut words = Words::default();
        let mut left = Room::WHOLE;
        texts(message, is_reply, diff, &mut left, &mut words);
        Texts {
            words,
            size: Room {
                words: MOST - left.words,
                bytes: ALL_BYTES - left.bytes,
            },
            is_whole: !left.is_full(),
            is_reply: message.split('\n').any(is_quoted).then_some(is_reply),
        }
    }

    /// Says whether a mail has exactly these words behind those that it has already.
    fn fit(&self, is_reply: bool, left: &Room) -> bool {
        self.is_whole
            && self.is_reply.is_none_or(|as_reply| as_reply == is_reply)
            && self.size.words < left.words
            && self.size.bytes < left.bytes
    }
}

/// The words of a mail, as both engines are given them, separated by blanks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Those of the subject.
    pub subject: String,
    /// Those of the message, but for the list of files above a diff.
    pub body: String,
    /// Those of the lines that a diff changes, of the heads of its hunks, and of its file names.
    pub diff: String,
    /// Those of who wrote it; then, each after a letter and `=`, marks, people, trailers, file names.
    pub extra: String,
}

/// Room for so many words, of so many bytes together with a blank each: words are collected until it is full.
#[derive(Clone, Copy, Debug)]
struct Room {
    words: usize,
    bytes: usize,
}

impl Room {
    /// All the room that a mail has.
    const WHOLE: Room = Room {
        words: MOST,
        bytes: ALL_BYTES,
    };

    fn add(&mut self, out: &mut String, text: &str) {
        self.add_after("", out, text);
    }

    fn add_after(&mut self, prefix: &str, out: &mut String, text: &str) {
        each(text, |word, _| {
            let length = prefix.len() + word.len() + 1;
            if self.is_full() || length > self.bytes {
                self.words = 0;
                return false;
            }
            self.words -= 1;
            self.bytes -= length;
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(prefix);
            out.push_str(word);
            true
        });
    }

    fn is_full(&self) -> bool {
        self.words == 0
    }
}

/// Returns the words of a mail, the first [`MOST`].
pub fn indexed(mail: &Mail) -> Words {
    let mut words = Words::default();
    let mut left = Room::WHOLE;
    left.words -= mail.marks.len();
    for (kind, number) in mail.marks {
        let blank = if words.extra.is_empty() { "" } else { " " };
        write!(words.extra, "{blank}{kind}={number}").expect("a String takes any text");
    }
    for text in mail.author {
        left.add(&mut words.extra, text);
        left.add_after("p=", &mut words.extra, text);
    }
    left.add(&mut words.subject, mail.subject);
    match mail.texts.filter(|texts| texts.fit(mail.is_reply, &left)) {
        Some(Texts { words: cut, .. }) => {
            words.body.push_str(&cut.body);
            words.diff.push_str(&cut.diff);
            let is_between = !(words.extra.is_empty() || cut.extra.is_empty());
            words.extra.push_str(if is_between { " " } else { "" });
            words.extra.push_str(&cut.extra);
        }
        None => texts(
            mail.message,
            mail.is_reply,
            mail.diff,
            &mut left,
            &mut words,
        ),
    }
    words
}

fn texts(message: &str, is_reply: bool, diff: &str, left: &mut Room, words: &mut Words) {
    let mut is_below = false;
    // Of a larger diff not all words may be indexed.
    let is_told = !diff.is_empty() && message.len() + diff.len() <= MOST;
    let lines = message.split('\n');
    for line in lines.filter(|line| !(is_reply && is_quoted(line))) {
        is_below |= line == "---";
        // Of those files the diff tells.
        if is_below && is_told && is_of_diffstat(line) {
            continue;
        }
        left.add(&mut words.body, line);
        if let Some((prefix, who)) = trailer(line) {
            left.add_after(prefix, &mut words.extra, who);
        }
    }
    changed(diff, left, words);
}

/// Says whether a line is of the list of files that git puts below a message: ` src/x.c | 2 +-`, or the sum at its end. Of a file without
/// changed lines, such as a picture, the diff says little: its line is none of these.
fn is_of_diffstat(line: &str) -> bool {
    let Some(line) = line.strip_prefix(' ') else {
        return false;
    };
    let is_digit = |c: char| c.is_ascii_digit();
    let is_file = line.rsplit_once(" | ").is_some_and(|(_, changes)| {
        let changes = changes.trim_start_matches(' ');
        let lines = changes.trim_start_matches(is_digit);
        let signs = lines.trim_start_matches(' ');
        lines.len() < changes.len()
            && signs.starts_with(['+', '-'])
            && signs.trim_matches(['+', '-']).is_empty()
    });
    let sum = line.trim_start_matches(is_digit);
    let is_sum = sum.len() < line.len()
        && (sum.starts_with(" file changed, ") || sum.starts_with(" files changed, "));
    is_file || is_sum
}

fn is_quoted(line: &str) -> bool {
    line.starts_with('>')
}

/// The prefixes of words of trailers.
const TRAILERS: [(&str, &str); 3] = [
    ("reviewed-by:", "r="),
    ("acked-by:", "a="),
    ("tested-by:", "t="),
];

/// Returns the prefix for the words of a trailer such as `reviewed-by`.
pub fn prefix(trailer: super::Trailer) -> &'static str {
    match trailer {
        super::Trailer::Reviewed => "r=",
        super::Trailer::Acked => "a=",
        super::Trailer::Tested => "t=",
    }
}

fn trailer(line: &str) -> Option<(&'static str, &str)> {
    TRAILERS.iter().find_map(|(name, prefix)| {
        let (head, who) = line.split_at_checked(name.len())?;
        head.eq_ignore_ascii_case(name).then_some((*prefix, who))
    })
}

/// What a diff changes: lines that come or go, the heads of hunks, the names of files. What stands around is left out.
fn changed(text: &str, left: &mut Room, words: &mut Words) {
    let mut last = "";
    for line in text.split('\n') {
        if left.is_full() {
            return;
        }
        if let Some(name) = file(line) {
            if name != last {
                left.add_after("f=", &mut words.extra, name);
                left.add(&mut words.diff, name);
                last = name;
            }
        } else if let Some(line) = line.strip_prefix(['+', '-']) {
            left.add(&mut words.diff, line);
        } else if let Some((_, head)) = line
            .strip_prefix("@@ ")
            .and_then(|rest| rest.split_once("@@"))
        {
            left.add(&mut words.diff, head);
        }
    }
}

/// Returns the name of a file on a line that has one. A removed line may look like one; that does no harm.
fn file(line: &str) -> Option<&str> {
    let marked = ["+++ ", "--- ", "rename from ", "rename to "];
    let name = marked.iter().find_map(|mark| line.strip_prefix(mark))?;
    let name = name.split('\t').next().unwrap_or(name);
    let name = name
        .strip_prefix("a/")
        .or(name.strip_prefix("b/"))
        .unwrap_or(name);
    (name != "/dev/null").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_cut_into_words() {
        for (text, expected) in [
            ("", ""),
            ("Fix foo_bar()", "fix foo bar"),
            ("drivers/net/x.c", "drivers net x c"),
            ("a->b = 0x1F;", "a b 0x1f"),
            ("Grüße, İstanbul", "grüße istanbul"),
            ("修复 bug修", "修 复 bug 修"),
            (&"x".repeat(65), ""),
        ] {
            assert_eq!(of(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn of_a_mail_its_own_words_are_indexed() {
        let words = indexed(&Mail {
            subject: "net: fix it",
            message: "Why.\n\nReviewed-by: Bo <bo@example.org>\n",
            diff: "diff --git a/x/y.c b/x/y.c\n--- a/x/y.c\n+++ b/x/y.c\n@@ -1,2 +1,2 @@ int main(void)\n around\n-old\n+new_one\n",
            author: ["Ann", "ann@example.com"],
            marks: &[('j', 7)],
            ..Mail::default()
        });
        assert_eq!(words.subject, "net fix it");
        assert_eq!(words.body, "why reviewed by bo bo example org");
        assert_eq!(words.diff, "x y c int main void old new one");
        assert_eq!(
            words.extra,
            "j=7 ann p=ann ann example com p=ann p=example p=com r=bo r=bo r=example r=org f=x f=y f=c"
        );
    }

    #[test]
    fn the_list_of_files_is_left_to_the_diff() {
        let body = |diff: &str| {
            let message = "Why | 1 +\n---\n a table | 2 ms\n src/x.c |  2 +-\n y.png | Bin 0 -> 9 bytes\n z.sh | 0\n 2 files changed, 1 insertion(+)\n more files changed, too\n";
            let mail = Mail {
                message,
                diff,
                ..Mail::default()
            };
            indexed(&mail).body
        };
        let told = "why 1 a table 2 ms y png bin 0 9 bytes z sh 0 more files changed too";
        assert_eq!(body("+new"), told);
        let whole = "why 1 a table 2 ms src x c 2 y png bin 0 9 bytes z sh 0 2 files changed 1 insertion more files changed too";
        assert_eq!(body(""), whole);
        assert_eq!(body(&"+new\n".repeat(5_000)), whole);
    }

    #[test]
    fn what_a_reply_quotes_is_not_its_own() {
        let reply = |is_reply| {
            let message = "Ann wrote:\n> quoted\nanswer";
            let mail = Mail {
                message,
                is_reply,
                ..Mail::default()
            };
            indexed(&mail).body
        };
        assert_eq!(reply(true), "ann wrote answer");
        assert_eq!(reply(false), "ann wrote quoted answer");
    }

    /// Lines such as mails and diffs have.
    fn lines() -> impl Strategy<Value = String> {
        let line = prop::sample::select(vec![
            "",
            "> quoted",
            "answer",
            "Acked-by: Bo <bo@example.org>",
            "---",
            " x.c | 2 +-",
            "+++ b/x.c",
            "@@ -1 +1 @@ f()",
            "+new_one",
            "-old",
        ]);
        prop::collection::vec(line, 0..8)
            .prop_map(|lines| lines.iter().map(|line| format!("{line}\n")).collect())
    }

    #[test]
    fn huge_mails_are_cut() {
        let diff = "+word\n".repeat(20_000);
        let words = indexed(&Mail {
            diff: &diff,
            ..Mail::default()
        });
        assert_eq!(words.diff.split(' ').count(), MOST);
        let lines = (0..20_000).map(|number| format!("+{number:x>60}\n"));
        let diff: String = lines.collect();
        let words = indexed(&Mail {
            diff: &diff,
            ..Mail::default()
        });
        assert!(words.diff.len() <= ALL_BYTES, "{}", words.diff.len());
    }

    /// Cuts a text character by character.
    fn slowly(text: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        for c in text.chars() {
            let is_apart = !c.is_alphanumeric() || stands_alone(c);
            if is_apart {
                words.push(String::new());
            }
            if c.is_alphanumeric() {
                push_lower(words.last_mut().expect("one is there"), c);
            }
            if is_apart {
                words.push(String::new());
            }
        }
        words.retain(|word| !word.is_empty() && word.len() <= MOST_BYTES);
        words
    }

    proptest! {
        #[test]
        fn plain_words_are_cut_as_all_others(text in "[a-zA-Z0-9 _.éİßÄ修复\u{307}—]{0,60}") {
            prop_assert_eq!(of(&text), slowly(&text));
        }

        /// Words cut ahead are those that are cut when they are needed, however many there are.
        #[test]
        fn words_may_be_cut_ahead(message in lines(), diff in lines(), is_reply in any::<bool>(), as_reply in any::<bool>(),
                                  many in prop::sample::select(vec![1, 40, MOST / 3, MOST])) {
            let (message, diff) = (message, diff.repeat(many));
            let texts = Texts::cut(&message, as_reply, &diff);
            let mail = Mail {
                subject: "net: fix it",
                message: &message,
                is_reply,
                diff: &diff,
                author: ["Ann", "ann@example.com"],
                marks: &[('j', 7)],
                ..Mail::default()
            };
            let ahead = Mail { texts: Some(&texts), ..mail };
            prop_assert!(indexed(&ahead) == indexed(&mail));
        }

        #[test]
        fn words_are_plain_and_stand_where_they_are_said_to(text in any::<String>()) {
            each(&text, |word, at| {
                assert!(word.chars().all(char::is_alphanumeric));
                assert!(text.get(at).is_some_and(|part| !part.is_empty()));
                true
            });
        }
    }
}
