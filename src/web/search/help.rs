//! What can be asked, with examples.

use maud::{Markup, html};
use rocket::get;

use super::{
    super::{
        answer::Answer,
        guard::View,
        layout::{self, Frame},
    },
    encoded,
};

/// An example, and what it finds.
type Example = (&'static str, &'static str);

const WORDS: &[Example] = &[
    (
        "leak",
        "mails with this word, whole, in any text: subject, message, diff, comment, names",
    ),
    ("use after free", "mails with all three words, anywhere"),
    (
        "\"use after free\"",
        "mails with these words, one after the other",
    ),
    ("lock*", "mails with a word that begins so"),
    (
        "foo_bar",
        "the words foo and bar, one after the other: what is no letter or digit separates words",
    ),
    (
        "leak -rfc",
        "mails with the first word and without the second",
    ),
    ("leak OR overflow", "mails with one of them"),
    (
        "(leak OR overflow) net",
        "brackets hold together what belongs together",
    ),
];

const TEXTS: &[Example] = &[
    ("subject:mm", "in the subject of a patch or a cover letter"),
    (
        "body:\"tested on\"",
        "in the message of a patch or a cover letter",
    ),
    (
        "diff:kfree",
        "in the lines that a diff changes, and in the heads of its hunks",
    ),
    (
        "file:drivers/net",
        "in the name of a file that a diff touches",
    ),
    ("comment:nack", "in a comment, but for what it quotes"),
];

const PEOPLE: &[Example] = &[
    (
        "from:ann",
        "written by somebody whose name or address has a word that begins so",
    ),
    ("from:me", "written by you"),
    (
        "delegate:mara",
        "on the desk of somebody; also me and nobody",
    ),
    (
        "reviewed-by:ann",
        "with this trailer; also acked-by: and tested-by:",
    ),
];

const STANDING: &[Example] = &[
    ("state:new", "about a patch in this state"),
    (
        "is:open",
        "about a patch on which somebody has to act; also is:closed and is:archived",
    ),
    ("is:patch", "patches only; also is:cover and is:comment"),
    (
        "has:checks-fail",
        "about a patch with a check that failed; also has:checks-none",
    ),
    (
        "has:open-comments",
        "about a patch with a comment that asks for action; also has:comments",
    ),
];

const WHERE: &[Example] = &[
    ("after:2024-03-05", "written on this day or later, in UTC"),
    ("before:2024-03-05", "written earlier"),
    ("project:demo", "of this project"),
    ("msgid:20240305.1@example.org", "the mail with this id"),
];

const ALL: &[(&str, &[Example])] = &[
    ("Words", WORDS),
    ("Texts", TEXTS),
    ("People", PEOPLE),
    ("Standing", STANDING),
    ("When and where", WHERE),
];

#[get("/search/help")]
pub(super) fn help(view: View<'_>) -> Answer {
    Answer::Page(layout::page(
        &view,
        &Frame::site("What can be asked"),
        html! {
            header.heading { h1 { "What can be asked" } }
            div.prose {
                p {
                    a href=(view.links().search()) { "The search" } " goes through the patches, cover letters and comments of all \
                    projects and shows the newest first. A minus before anything leaves out what has it; several things have to hold together."
                }
                @for (title, examples) in ALL { (section(&view, title, examples)) }
                h2 { "Going there at once" }
                p {
                    "A message id, the address of a mail in an archive, the number of a patch, the id of a commit, or the address of \
                    a list leads to what it names."
                }
                h2 { "On lists" }
                p {
                    "The box above a list understands the same but " code { "OR" } " and brackets. There, words without an operator are \
                    looked for in the names of patches, parts of words too."
                }
                h2 { "What is not found" }
                p {
                    "Of each mail the first 15,000 words are indexed. Lines around a change, what a comment quotes, and words of more than \
                    64 letters are left out. Names are those under which the mails were written."
                }
            }
        },
    ))
}

fn section(view: &View, title: &str, examples: &[Example]) -> Markup {
    html! {
        h2 { (title) }
        dl.wide {
            @for (asked, finds) in examples {
                dt { a href={ (view.links().search()) "?q=" (encoded(asked)) } { code { (asked) } } }
                dd { (finds) }
            }
        }
    }
}

/// What is shown before anything is asked.
pub(super) fn short(view: &View) -> Markup {
    html! {
        div.prose {
            p {
                "Patches, cover letters and comments of all projects. A pasted message id, an address or the id of a commit leads there."
            }
            dl.wide {
                @for (asked, finds) in [WORDS[1], TEXTS[3], PEOPLE[0], STANDING[1], WHERE[0]] {
                    dt { code { (asked) } } dd { (finds) }
                }
            }
            p { a href=(view.links().search_help()) { "All that can be asked" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::search::{OPERATORS, Query};

    #[test]
    fn examples_are_read_as_what_they_show() {
        let examples = ALL.iter().flat_map(|(_, examples)| *examples);
        for (asked, _) in examples.clone() {
            let query = Query::parse(asked).unwrap_or_else(|fault| panic!("{asked}: {fault}"));
            assert_eq!(query.to_string(), *asked);
        }
        let told: Vec<String> = examples
            .map(|(asked, finds)| format!("{asked} {finds}"))
            .collect();
        for operator in OPERATORS {
            let operator = format!("{operator}:");
            assert!(
                told.iter().any(|text| text.contains(&operator)),
                "{operator}"
            );
        }
    }
}
