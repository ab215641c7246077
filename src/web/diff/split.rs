//! A diff side by side: what goes at the left, what comes at the right, what stays at both.
//!
//! The lines stand in the order of the diff, and the style sheet puts them into two columns that are filled from above. So
//! a copy is the plain diff, and a narrow page shows the lines one below the other. What is at the right of a line that
//! stays, and what fills the shorter side, is not part of the diff: it can neither be copied nor heard.

use super::{
    At, Drawn, FileDiff, Line, LineKind, Look, content, digits, draw as line_drawn, remarked,
};

/// What a diff side by side begins with.
pub(super) const OPENING: &str = "<pre class=\"diff split\">";
/// The same for a file that has lines on one side only: it takes the whole width.
pub(super) const ONE_SIDE: &str = "<pre class=\"diff split one\">";

/// Says whether all lines of a file are new, or all are gone: the other half would be empty.
pub(super) fn has_one_side(file: &FileDiff) -> bool {
    let has = |kind| file.lines().any(|line| line.kind == kind);
    !has(LineKind::Context) && has(LineKind::Added) != has(LineKind::Removed)
}

/// Where a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Old,
    New,
    Both,
    /// Across both columns.
    Whole,
}

fn side(kind: LineKind, before: Side) -> Side {
    match kind {
        LineKind::Removed => Side::Old,
        LineKind::Added => Side::New,
        LineKind::Context => Side::Both,
        // It is about the line before.
        LineKind::NoNewline => before,
        LineKind::HunkHead | LineKind::Header | LineKind::Binary | LineKind::Text => Side::Whole,
    }
}

/// Draws a hunk of a diff that begins with `opening`.
pub(super) fn draw(out: &mut String, drawn: &Drawn, opening: &'static str) {
    let mut run = Run::new(opening);
    let mut before = Side::Whole;
    for (at, line) in drawn.lines.iter().enumerate() {
        let side = side(line.kind, before);
        if matches!(side, Side::Both | Side::Whole) {
            run.close(out, drawn);
        }
        one(out, drawn, line, at, side);
        run.add(side, drawn.place(at));
        before = side;
    }
    run.close(out, drawn);
}

fn one(out: &mut String, drawn: &Drawn, line: &Line, at: usize, side: Side) {
    let look = Look {
        at: Some(drawn.place(at)),
        numbers: digits(if side == Side::New {
            line.new
        } else {
            line.old
        }),
        emphasis: drawn.emphasis[at].clone(),
        side: match (line.kind, side) {
            (LineKind::NoNewline, Side::New) => " r",
            _ => "",
        },
    };
    line_drawn(out, line, &look);
    if side == Side::Both {
        copy(out, line);
    }
}

/// Draws a line that stays once more, at the right.
fn copy(out: &mut String, line: &Line) {
    out.push_str("<span class=\"c\" aria-hidden=\"true\" data-n=\"");
    out.push_str(&digits(line.new));
    out.push_str("\">");
    content(out, line, None, None);
    out.push_str("</span>");
}

/// Lines that come and go in one place.
struct Run {
    /// What the diff begins with.
    opening: &'static str,
    old: usize,
    new: usize,
    places: Vec<At>,
}

impl Run {
    fn new(opening: &'static str) -> Run {
        Run {
            opening,
            old: 0,
            new: 0,
            places: Vec::new(),
        }
    }

    fn add(&mut self, side: Side, place: At) {
        match side {
            Side::Old => self.old += 1,
            Side::New => self.new += 1,
            Side::Both | Side::Whole => {}
        }
        self.places.push(place);
    }

    /// Fills the shorter side, and draws what was said about the lines.
    fn close(&mut self, out: &mut String, drawn: &Drawn) {
        let (short, count) = match self.old < self.new {
            true => ("<span class=\"x\"></span>", self.new - self.old),
            false => ("<span class=\"x r\"></span>", self.old - self.new),
        };
        if self.opening == OPENING {
            (0..count).for_each(|_| out.push_str(short));
        }
        remarked(out, drawn.remarks, &self.places, self.opening);
        *self = Run::new(self.opening);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Layout, Remark, Shown, whole};
    use crate::{domain::CommentId, mail, web::quote::Said};

    const DIFF: &str = "--- a/x\n+++ b/x\n@@ -1,4 +1,3 @@ f\n a\n-b old\n-c\n+b <new>\t\n d\n\\ No newline at end of file\n";

    fn drawn(remarks: &[Remark]) -> String {
        let outline = mail::outline(DIFF);
        let shown = Shown {
            layout: Layout::Split,
            address: "/p/",
            whole: None,
            remarks,
        };
        whole(&outline, 1, &shown).expect("a file").into_string()
    }

    #[test]
    fn what_can_be_copied_is_the_diff() {
        let page = scraper::Html::parse_fragment(&drawn(&[]));
        let lines = scraper::Selector::parse("pre > span:not(.c, .x)").expect("a selector");
        let text: String = page.select(&lines).flat_map(|line| line.text()).collect();
        let text = text.replace("added ", "").replace("removed ", "");
        assert_eq!(text, DIFF);
    }

    #[test]
    fn the_sides_are_of_one_height() {
        let html = drawn(&[]);
        let count = |text| html.matches(text).count();
        assert_eq!(
            (count("class=\"x r\""), count("class=\"x\"")),
            (1, 0),
            "{html}"
        );
        // Both lines that stay, and what is said of the last.
        assert_eq!(count("class=\"c\""), 3, "{html}");
        assert!(
            html.contains("<span class=\"a\" id=\"f1-h1-l4\" data-n=\"2\">"),
            "{html}"
        );
        assert!(html.contains("<u>\t</u>"), "{html}");
    }

    #[test]
    fn a_file_with_one_side_has_no_empty_half() {
        let shown = Shown {
            layout: Layout::Split,
            address: "/p/",
            whole: None,
            remarks: &[],
        };
        let new = "--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+a\n+b\n";
        let gone = "--- a/x\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n";
        for diff in [new, gone] {
            let outline = mail::outline(diff);
            let html = whole(&outline, 1, &shown).expect("a file").into_string();
            assert!(html.starts_with("<pre class=\"diff split one\">"), "{html}");
            assert!(!html.contains("class=\"x"), "{html}");
        }
        assert!(drawn(&[]).starts_with("<pre class=\"diff split\">"));
    }

    #[test]
    fn what_was_said_stands_below_the_change() {
        let said = Said {
            place: (1, 1, 2),
            text: "Why?".to_owned(),
        };
        let remark = Remark {
            comment: CommentId(7),
            author: "Ann",
            said,
        };
        let html = drawn(&[remark]);
        let (before, after) = html.split_once("<div class=\"remark\">").expect("a remark");
        assert!(
            before.contains("f1-h1-l4") && !before.contains("f1-h1-l5"),
            "{html}"
        );
        assert!(after.contains("<pre class=\"diff split\">"), "{html}");
    }
}
