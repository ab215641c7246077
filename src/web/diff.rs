//! Diffs as pages show them: a fold for each file, numbered lines with anchors, and copying that gives the
//! plain diff back. Reading a diff is `mail`'s.

mod split;

use std::ops::Range;

use maud::{Escaper, Markup, PreEscaped, html};
use std::fmt::Write;

use super::{
    guard::{DIFF, View},
    odd,
    quote::Said,
};
use crate::domain::CommentId;
use crate::mail::outline::{Change, FileDiff, Hunk, Line, LineKind};

/// So many lines are drawn with the page; the rest on demand.
pub const FIRST_LINES: usize = 2000;

/// How many files a page names: nobody reads more, and a hostile mail may hold tens of thousands.
const MOST_FILES: usize = 1000;

/// How old and new lines stand to each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// One below the other, as in the diff.
    #[default]
    Unified,
    /// Side by side, where the page is wide enough.
    Split,
}

impl Layout {
    /// Returns the layout that the address asks for, and has it remembered; else what was chosen before.
    pub fn chosen(view: &View, asked: Option<&str>) -> Layout {
        let known = |text: &str| {
            [Layout::Unified, Layout::Split]
                .into_iter()
                .find(|layout| layout.key() == text)
        };
        match asked.and_then(known) {
            Some(layout) => {
                view.remember(DIFF, layout.key());
                layout
            }
            None => view.remembered(DIFF).and_then(known).unwrap_or_default(),
        }
    }

    /// Returns what addresses and the cookie call it.
    pub fn key(self) -> &'static str {
        match self {
            Layout::Unified => "unified",
            Layout::Split => "split",
        }
    }
}

/// How a diff is shown.
pub struct Shown<'a> {
    /// One below the other, or side by side.
    pub layout: Layout,
    /// The address of the page, to which `?file=7` is added.
    pub address: &'a str,
    /// A file that is wanted whole, counted from 1.
    pub whole: Option<usize>,
    /// What replies say about lines of it.
    pub remarks: &'a [Remark<'a>],
}

/// What a reply says about a line.
pub struct Remark<'a> {
    /// The reply.
    pub comment: CommentId,
    /// Who wrote it.
    pub author: &'a str,
    /// The line, and what is said.
    pub said: Said,
}

/// How much of a file is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    All,
    First(usize),
    Nothing,
}

/// Draws the list of files, each with what comes and goes, as links into the diff.
pub fn contents(files: &[FileDiff]) -> Markup {
    html! {
        nav.files aria-label="Files" { ol {
            @for (at, file) in files.iter().take(MOST_FILES).enumerate() {
                li { a href={ "#f" (at + 1) } { (title(file)) } " " (counts(file)) }
            }
        } }
    }
}

/// Draws a diff, file by file.
pub fn files(files: &[FileDiff], shown: &Shown) -> Markup {
    let shares = shares(
        &files
            .iter()
            .map(|file| file.lines().count())
            .collect::<Vec<_>>(),
        shown.whole,
    );
    html! {
        @for (at, (file, share)) in files.iter().zip(shares).take(MOST_FILES).enumerate() {
            @let number = at + 1;
            details.file id={ "f" (number) } open[share != Share::Nothing] {
                summary { span.path { (title(file)) } " " (notes(file)) (counts(file)) }
                (body(file, number, share, shown))
            }
        }
        @if files.len() > MOST_FILES {
            p.muted { (files.len() - MOST_FILES) " more files are in the diff; download it to see them." }
        }
    }
}

/// Draws what is inside a file's fold: the whole of it, as the answer to "show the rest".
pub fn whole(files: &[FileDiff], number: usize, shown: &Shown) -> Option<Markup> {
    let file = files.get(number.checked_sub(1)?)?;
    Some(lines(file, number, usize::MAX, shown))
}

/// Divides the lines drawn with the page among the files, in order.
fn shares(lengths: &[usize], whole: Option<usize>) -> Vec<Share> {
    let mut left = FIRST_LINES;
    let share = |(at, length): (usize, &usize)| {
        if whole == Some(at + 1) || *length <= left {
            left = left.saturating_sub(*length);
            return Share::All;
        }
        // A stump of a file helps nobody, unless it is the only thing there is to see.
        let first = if at == 0 || left > FIRST_LINES / 2 {
            left
        } else {
            0
        };
        left = 0;
        if first > 0 {
            Share::First(first)
        } else {
            Share::Nothing
        }
    };
    lengths.iter().enumerate().map(share).collect()
}

fn body(file: &FileDiff, number: usize, share: Share, shown: &Shown) -> Markup {
    // A browser without cookies is not to get the other layout.
    let layout = match shown.layout {
        Layout::Unified => "",
        Layout::Split => "&view=split",
    };
    let address = format!("{}?file={number}{layout}", shown.address);
    let length = file.lines().count();
    match share {
        Share::All => lines(file, number, usize::MAX, shown),
        Share::First(first) => html! {
            div {
                (lines(file, number, first, shown))
                p.more {
                    a href={ (address) "#f" (number) } hx-get=(address) hx-target="closest div" hx-swap="outerHTML" {
                        "Show all " (length) " lines of this file"
                    }
                }
            }
        },
        Share::Nothing => html! {
            p.more hx-get=(address) hx-trigger="toggle from:closest details once" hx-swap="outerHTML" {
                a href={ (address) "#f" (number) } { "Show the " (length) " lines of this file" }
            }
        },
    }
}

/// Returns the name of a file, both when it moves.
fn title(file: &FileDiff) -> String {
    match (&file.old, &file.new) {
        (Some(old), Some(new)) if old != new => format!("{old} → {new}"),
        _ => file.name().unwrap_or("text").to_owned(),
    }
}

fn counts(file: &FileDiff) -> Markup {
    html! {
        span.counts {
            span.plus { "+" (file.added) span.vh { " added" } } " "
            span.minus { "−" (file.removed) span.vh { " removed" } }
        }
    }
}

fn notes(file: &FileDiff) -> Markup {
    let change = match file.change {
        Change::Modified => None,
        Change::Added => Some("new"),
        Change::Deleted => Some("deleted"),
        Change::Renamed => Some("renamed"),
        Change::Copied => Some("copied"),
    };
    html! {
        @if let Some(change) = change { span.note { (change) } }
        @if file.binary { span.note { "binary" } }
        @match (file.old_mode, file.new_mode) {
            (Some(old), Some(new)) if old != new => span.note { "mode " (old) " → " (new) },
            _ => {},
        }
    }
}

/// Draws the first lines of a file, the head among them.
fn lines(file: &FileDiff, number: usize, first: usize, shown: &Shown) -> Markup {
    let opening = match shown.layout {
        Layout::Unified => UNIFIED,
        Layout::Split if split::has_one_side(file) => split::ONE_SIDE,
        Layout::Split => split::OPENING,
    };
    // What has no link in it can be scrolled by keyboard only if it can be reached.
    let mut out = match file.hunks.is_empty() {
        true => opening.replace('>', " tabindex=\"0\">"),
        false => opening.to_owned(),
    };
    for line in file.head.iter().take(first) {
        draw(&mut out, line, &Look::plain());
    }
    let mut left = first.saturating_sub(file.head.len());
    for (at, hunk) in file.hunks.iter().enumerate() {
        let drawn = Drawn {
            hunk: (number, at + 1),
            lines: &hunk.lines[..left.min(hunk.lines.len())],
            emphasis: emphases(hunk),
            remarks: shown.remarks,
        };
        match shown.layout {
            Layout::Unified => unified(&mut out, &drawn, width(file)),
            Layout::Split => split::draw(&mut out, &drawn, opening),
        }
        left = left.saturating_sub(hunk.lines.len());
    }
    out.push_str("</pre>");
    PreEscaped(out)
}

const UNIFIED: &str = "<pre class=\"diff\">";

/// What is drawn of a hunk.
struct Drawn<'a> {
    /// File and hunk, counted from 1.
    hunk: (usize, usize),
    lines: &'a [Line<'a>],
    /// What changed within each line.
    emphasis: Vec<Option<Range<usize>>>,
    remarks: &'a [Remark<'a>],
}

impl Drawn<'_> {
    fn place(&self, line: usize) -> At {
        (self.hunk.0, self.hunk.1, line)
    }
}

fn unified(out: &mut String, drawn: &Drawn, width: usize) {
    for (at, line) in drawn.lines.iter().enumerate() {
        let place = drawn.place(at);
        let numbers = match (line.old, line.new) {
            (None, None) => String::new(),
            (old, new) => format!("{:>width$} {:>width$}", digits(old), digits(new)),
        };
        let look = Look {
            at: Some(place),
            numbers,
            emphasis: drawn.emphasis[at].clone(),
            side: "",
        };
        draw(out, line, &look);
        remarked(out, drawn.remarks, &[place], UNIFIED);
    }
}

fn digits(number: Option<u64>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// Draws what was said about some lines below them; the rest of the diff begins anew, as `opening` says.
fn remarked(out: &mut String, remarks: &[Remark], places: &[At], opening: &str) {
    let about = remarks
        .iter()
        .filter(|remark| places.contains(&remark.said.place));
    let mut about = about.peekable();
    if about.peek().is_none() {
        return;
    }
    out.push_str("</pre>");
    for remark in about {
        let drawn = html! {
            div.remark {
                p { strong { (odd::shown(remark.author)) } " " a href={ "#" (remark.comment) } { "in the reply" } }
                p.said { (odd::shown(&remark.said.text)) }
            }
        };
        out.push_str(&drawn.into_string());
    }
    out.push_str(opening);
}

/// Returns how many digits the largest line number has.
fn width(file: &FileDiff) -> usize {
    let last = file
        .hunks
        .iter()
        .flat_map(|hunk| hunk.lines.iter().rev().take(3));
    let largest = last
        .filter_map(|line| line.old.max(line.new))
        .max()
        .unwrap_or(1);
    largest.to_string().len().max(2)
}

/// File, hunk and line, counted from 1; the opening line of a hunk is its line 0.
type At = (usize, usize, usize);

/// How a line is drawn, beside its text.
struct Look {
    at: Option<At>,
    /// What stands in the gutter.
    numbers: String,
    emphasis: Option<Range<usize>>,
    /// A class that names its side, after a blank; may be empty.
    side: &'static str,
}

impl Look {
    fn plain() -> Look {
        Look {
            at: None,
            numbers: String::new(),
            emphasis: None,
            side: "",
        }
    }
}

fn draw(out: &mut String, line: &Line, look: &Look) {
    let (class, word) = match line.kind {
        LineKind::Added => ("a", "added"),
        LineKind::Removed => ("d", "removed"),
        LineKind::HunkHead => ("h", ""),
        LineKind::Context => ("", ""),
        LineKind::NoNewline => ("n", ""),
        LineKind::Header | LineKind::Binary | LineKind::Text => ("m", ""),
    };
    out.push_str("<span");
    let side = look.side;
    if !class.is_empty() || !side.is_empty() {
        push(out, format_args!(" class=\"{class}{side}\""));
    }
    if let Some((file, hunk, number)) = look.at {
        match number {
            0 => push(out, format_args!(" id=\"f{file}-h{hunk}\"")),
            _ => push(out, format_args!(" id=\"f{file}-h{hunk}-l{number}\"")),
        }
    }
    if !look.numbers.is_empty() {
        push(out, format_args!(" data-n=\"{}\"", look.numbers));
    }
    out.push('>');
    if !word.is_empty() {
        push(out, format_args!("<i>{word} </i>"));
    }
    content(out, line, look.at, look.emphasis.clone());
    out.push_str("</span>");
}

fn content(out: &mut String, line: &Line, at: Option<At>, emphasis: Option<Range<usize>>) {
    let text = line.text.strip_suffix('\n').unwrap_or(line.text);
    let end = &line.text[text.len()..];
    if let (LineKind::HunkHead, Some((file, hunk, _))) = (line.kind, at) {
        push(out, format_args!("<a href=\"#f{file}-h{hunk}\">"));
        escape(out, text);
        out.push_str("</a>");
    } else if matches!(line.kind, LineKind::Added | LineKind::Removed) {
        changed(out, text, line.kind == LineKind::Added, emphasis);
    } else {
        escape(out, text);
    }
    out.push_str(end);
}

/// Draws a line that comes or goes: what changed within it stressed, blanks at its end made visible.
fn changed(out: &mut String, text: &str, added: bool, emphasis: Option<Range<usize>>) {
    let (text, cr) = match text.strip_suffix('\r') {
        Some(text) => (text, true),
        None => (text, false),
    };
    let solid = 1 + text[1..].trim_end_matches([' ', '\t']).len();
    let shown = if added { solid } else { text.len() };
    match emphasis.filter(|range| range.end <= shown) {
        Some(range) => {
            escape(out, &text[..range.start]);
            out.push_str("<b>");
            escape(out, &text[range.clone()]);
            out.push_str("</b>");
            escape(out, &text[range.end..shown]);
        }
        None => escape(out, &text[..shown]),
    }
    if shown < text.len() {
        out.push_str("<u>");
        escape(out, &text[shown..]);
        out.push_str("</u>");
    }
    if cr {
        out.push_str("<u class=\"cr\">&#13;</u>");
    }
}

fn push(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("a String takes any text");
}

/// Escapes a text. Characters that cannot be seen stay in it, and are named beside it: a copy is still the plain diff.
pub fn escape(out: &mut String, text: &str) {
    let mut from = 0;
    for (at, c) in odd::places(text) {
        let end = at + c.len_utf8();
        escape_plain(out, &text[from..at]);
        push(
            out,
            format_args!("<u class=\"odd\" data-u=\"U+{:04X}\">", u32::from(c)),
        );
        escape_plain(out, &text[at..end]);
        out.push_str("</u>");
        from = end;
    }
    escape_plain(out, &text[from..]);
}

/// Escapes a text; a carriage return would be lost to the reader of HTML.
fn escape_plain(out: &mut String, text: &str) {
    let mut parts = text.split('\r');
    let first = parts.next().unwrap_or_default();
    Escaper::new(out)
        .write_str(first)
        .expect("a String takes any text");
    for part in parts {
        out.push_str("&#13;");
        Escaper::new(out)
            .write_str(part)
            .expect("a String takes any text");
    }
}

/// Returns for each line of a hunk the part that differs from its counterpart: where as many lines come as go.
fn emphases(hunk: &Hunk) -> Vec<Option<Range<usize>>> {
    let mut out = vec![None; hunk.lines.len()];
    let mut at = 0;
    while at < hunk.lines.len() {
        let run = |from: usize, kind| {
            hunk.lines[from..]
                .iter()
                .take_while(|line| line.kind == kind)
                .count()
        };
        let removed = run(at, LineKind::Removed);
        let added = run(at + removed, LineKind::Added);
        if removed > 0 && removed == added && removed <= 40 {
            for pair in at..at + removed {
                let (old, new) = (hunk.lines[pair].text, hunk.lines[pair + removed].text);
                if let Some((before, after)) = difference(old.trim_end(), new.trim_end()) {
                    out[pair] = Some(before);
                    out[pair + removed] = Some(after);
                }
            }
        }
        at += (removed + added).max(1);
    }
    out
}

/// Returns the middle in which two lines differ, if they have something in common around it.
fn difference(old: &str, new: &str) -> Option<(Range<usize>, Range<usize>)> {
    let (a, b) = (old.get(1..)?, new.get(1..)?);
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut start: usize = a
        .chars()
        .zip(b.chars())
        .take_while(|(x, y)| x == y)
        .map(|(c, _)| c.len_utf8())
        .sum();
    // Back to the beginning of the word, so that whole words are stressed.
    while let Some(c) = a[..start].chars().next_back().filter(|c| word(*c)) {
        start -= c.len_utf8();
    }
    let (rest_a, rest_b) = (&a[start..], &b[start..]);
    let mut end: usize = rest_a
        .chars()
        .rev()
        .zip(rest_b.chars().rev())
        .take_while(|(x, y)| x == y)
        .map(|(c, _)| c.len_utf8())
        .sum();
    while let Some(c) = rest_a[rest_a.len() - end..]
        .chars()
        .next()
        .filter(|c| word(*c))
    {
        end -= c.len_utf8();
    }
    let same = a[..start].trim_start().len() + end;
    let long = a.trim().len().max(b.trim().len());
    (same * 3 >= long && a != b)
        .then(|| (1 + start..1 + a.len() - end, 1 + start..1 + b.len() - end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail;

    const DIFF: &str = "diff --git a/x.c b/x.c\n--- a/x.c\n+++ b/x.c\n@@ -9,3 +9,3 @@ int main()\n a\n--- <b>old</b>\n+int <i>new</i> \r\n c\n";

    fn shown<'a>(layout: Layout, remarks: &'a [Remark<'a>]) -> Shown<'a> {
        Shown {
            layout,
            address: "/p/",
            whole: None,
            remarks,
        }
    }

    fn drawn(diff: &str) -> String {
        let outline = mail::outline(diff);
        files(&outline, &shown(Layout::Unified, &[])).into_string()
    }

    #[test]
    fn lines_are_numbered_anchored_and_escaped() {
        let html = drawn(DIFF);
        assert!(
            html.contains(r##"<a href="#f1-h1">@@ -9,3 +9,3 @@ int main()</a>"##),
            "{html}"
        );
        assert!(
            html.contains(r#"<span class="d" id="f1-h1-l2" data-n="10   ">"#),
            "{html}"
        );
        assert!(html.contains("<i>removed </i>") && html.contains("<i>added </i>"));
        assert!(!html.contains("<i>new"), "{html}");
        assert!(
            html.contains(r#"<u> </u><u class="cr">&#13;</u>"#),
            "{html}"
        );
    }

    #[test]
    fn what_cannot_be_seen_is_named() {
        let html = drawn(&DIFF.replace("old", "o\u{202e}ld"));
        let expected = "o<u class=\"odd\" data-u=\"U+202E\">\u{202e}</u>ld";
        assert!(html.contains(expected), "{html}");
    }

    #[test]
    fn its_text_is_the_diff() {
        let html = drawn(DIFF);
        let page = scraper::Html::parse_fragment(&html);
        let pre = scraper::Selector::parse("pre.diff").expect("a selector");
        let text: String = page.select(&pre).flat_map(|pre| pre.text()).collect();
        let text = text.replace("added ", "").replace("removed ", "");
        assert_eq!(text, DIFF);
    }

    #[test]
    fn what_was_said_stands_below_its_line() {
        let outline = mail::outline(DIFF);
        let remark = Remark {
            comment: CommentId(7),
            author: "Ann <b>",
            said: Said {
                place: (1, 1, 2),
                text: "Why <i>?".to_owned(),
            },
        };
        let remarks = [remark];
        let shown = shown(Layout::Unified, &remarks);
        let html = whole(&outline, 1, &shown).expect("a file").into_string();
        let (before, after) = html.split_once("<div class=\"remark\">").expect("a remark");
        assert!(
            before.contains("f1-h1-l2") && !before.contains("f1-h1-l3"),
            "{html}"
        );
        assert!(
            after.contains("Ann &lt;b&gt;") && after.contains("Why &lt;i&gt;?"),
            "{html}"
        );
        assert!(after.contains("href=\"#7\""), "{html}");
    }

    #[test]
    fn long_diffs_are_drawn_in_part() {
        use Share::{All, First, Nothing};
        assert_eq!(shares(&[10, 20], None), [All, All]);
        assert_eq!(shares(&[3000, 20], None), [First(2000), Nothing]);
        assert_eq!(shares(&[1500, 900, 20], None), [All, Nothing, Nothing]);
        assert_eq!(shares(&[1500, 900, 20], Some(2)), [All, All, Nothing]);
    }

    #[test]
    fn what_changed_within_a_line_is_stressed() {
        let part = |old: &'static str, new: &'static str| {
            difference(old, new).map(|(a, b)| (&old[a], &new[b]))
        };
        assert_eq!(
            part("-int foo_bar(int a)", "+int foo_baz(int a)"),
            Some(("foo_bar", "foo_baz"))
        );
        assert_eq!(part("-return x;", "+return x + 1;"), Some(("x", "x + 1")));
        assert_eq!(part("-abc", "+xyz"), None);
        assert_eq!(part("-é1 same same", "+é2 same same"), Some(("é1", "é2")));
    }
}
