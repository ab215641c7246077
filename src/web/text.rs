//! Messages as pages show them: escaped, with quotes, trailers, links, and long quotes folded (`web.md §7.4`).

use maud::{Markup, PreEscaped, html};

use super::{odd, parts};
use crate::domain::project::Project;

/// So many quoted lines are shown before they are folded.
const SHOWN_QUOTE: usize = 12;

const TRAILERS: [&str; 14] = [
    "Signed-off-by",
    "Acked-by",
    "Nacked-by",
    "Tested-by",
    "Reviewed-by",
    "Reported-by",
    "Suggested-by",
    "Co-developed-by",
    "From",
    "Fixes",
    "Closes",
    "Link",
    "Cc",
    "Debugged-by",
];

/// Draws a message.
pub fn message(text: &str, project: &Project) -> Markup {
    let (shown, rest) = beginning(text.trim_end());
    let lines: Vec<&str> = shown.lines().collect();
    html! {
        @for block in lines.chunk_by(|a, b| is_quote(a) == is_quote(b)).fold(Vec::new(), gather) {
            @if block.folded {
                details.quote {
                    summary { (block.lines.len()) " quoted lines" }
                    pre.text tabindex=[stop(&block.lines)] { (drawn(&block.lines, project)) }
                }
            } @else {
                pre.text tabindex=[stop(&block.lines)] { (drawn(&block.lines, project)) }
            }
        }
        @if !rest.is_empty() {
            p.muted { "The text goes on for " (rest.len() / 1000 + 1) " kB; the mbox has all of it." }
        }
    }
}

/// How much of a text a page shows, in bytes: a long letter has a tenth of it.
const MOST_TEXT: usize = 256_000;

/// Splits a text that is too long for a page, at the end of a line if there is one.
fn beginning(text: &str) -> (&str, &str) {
    if text.len() <= MOST_TEXT {
        return (text, "");
    }
    let end = text.floor_char_boundary(MOST_TEXT);
    text.split_at(text[..end].rfind('\n').unwrap_or(end))
}

/// Draws a text as it is.
pub fn plain(text: &str) -> Markup {
    html! { pre.text tabindex=[stop(&text.lines().collect::<Vec<_>>())] { (text) } }
}

/// Makes a text with lines that hardly fit reachable by keyboard, so that it can be scrolled.
fn stop(lines: &[&str]) -> Option<&'static str> {
    lines
        .iter()
        .any(|line| line.chars().count() > 90)
        .then_some("0")
}

struct Block<'a> {
    folded: bool,
    lines: Vec<&'a str>,
}

/// Adds a run of lines: long quotes stand alone, everything between them stays together.
fn gather<'a>(mut blocks: Vec<Block<'a>>, run: &[&'a str]) -> Vec<Block<'a>> {
    let folded = is_quote(run[0]) && run.len() > SHOWN_QUOTE;
    match blocks.last_mut() {
        Some(last) if !last.folded && !folded => last.lines.extend_from_slice(run),
        _ => blocks.push(Block {
            folded,
            lines: run.to_vec(),
        }),
    }
    blocks
}

fn is_quote(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn drawn(lines: &[&str], project: &Project) -> Markup {
    html! { @for line in lines { (self::line(line, project)) "\n" } }
}

fn line(line: &str, project: &Project) -> Markup {
    if is_quote(line) {
        return html! { span.q { (linked(line)) } };
    }
    match trailer(line) {
        Some(name) if name.eq_ignore_ascii_case("fixes") => {
            html! { span.t { (fixes(line, project)) } }
        }
        Some(_) => html! { span.t { (linked(line)) } },
        None => linked(line),
    }
}

fn trailer(line: &str) -> Option<&str> {
    let name = line.trim_start().split_once(':')?.0;
    TRAILERS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .map(|_| name)
}

/// Draws a line that names the commit it repairs, with a link if the project says where commits are.
fn fixes(line: &str, project: &Project) -> Markup {
    let Some((before, rest)) = line.split_once(':') else {
        return linked(line);
    };
    let blanks = rest.len() - rest.trim_start().len();
    let (gap, rest) = rest.split_at(blanks);
    let end = rest
        .find(|c: char| !c.is_ascii_hexdigit())
        .unwrap_or(rest.len());
    let (commit, after) = rest.split_at(end);
    match project.commit_url(commit) {
        Some(url) if (7..=64).contains(&commit.len()) => {
            html! { (before) ":" (gap) (parts::outside(&url, commit)) (linked(after)) }
        }
        _ => linked(line),
    }
}

/// Draws a text with its addresses as links. They end at a blank, `<`, `>`, `)` or a quote; punctuation after
/// one belongs to the sentence.
pub fn linked(text: &str) -> Markup {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = next_address(rest) {
        let end = rest[at..]
            .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ')' | '"'))
            .map_or(rest.len(), |end| at + end);
        let url = rest[at..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ']']);
        out.push_str(&escaped(&rest[..at]));
        out.push_str(&html! { a href=(url) rel="nofollow noopener" { (url) } }.into_string());
        rest = &rest[at + url.len()..];
    }
    out.push_str(&escaped(rest));
    PreEscaped(out)
}

fn next_address(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].find("://") {
        let colon = from + at;
        let scheme = ["https", "http", "git", "ftp"].into_iter().find(|scheme| {
            let Some(start) = colon.checked_sub(scheme.len()) else {
                return false;
            };
            let here =
                text.is_char_boundary(start) && text[start..colon].eq_ignore_ascii_case(scheme);
            here && !text[..start].ends_with(|c: char| c.is_alphanumeric())
        });
        let more = text[colon + 3..].starts_with(|c: char| c.is_alphanumeric() || c == '[');
        if let Some(scheme) = scheme
            && more
        {
            return Some(colon - scheme.len());
        }
        from = colon + 3;
    }
    None
}

fn escaped(text: &str) -> String {
    html! { (odd::shown(text)) }.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ListId, ProjectId};

    fn project() -> Project {
        Project {
            id: ProjectId(1),
            linkname: "x".into(),
            name: "X".into(),
            list_id: ListId::new("x.example"),
            list_email: String::new(),
            subject_match: String::new(),
            web_url: String::new(),
            scm_url: String::new(),
            webscm_url: String::new(),
            list_archive_url: String::new(),
            list_archive_url_format: String::new(),
            commit_url_format: "https://git.example/c/{}".into(),
            send_notifications: false,
            show_dependencies: false,
            use_tags: true,
            supersede: false,
        }
    }

    #[test]
    fn a_text_too_long_for_a_page_is_cut_at_a_line() {
        let text = "é line\n".repeat(MOST_TEXT / 4);
        let (shown, rest) = beginning(&text);
        assert!(shown.len() <= MOST_TEXT && shown.ends_with("line") && rest.starts_with('\n'));
        assert_eq!(beginning("short"), ("short", ""));
        assert!(beginning(&"é".repeat(MOST_TEXT)).0.len() <= MOST_TEXT);
    }

    #[test]
    fn addresses_become_links_and_nothing_else_does() {
        let cases = [
            (
                "see https://a.example/x?y=1&z=2.",
                r#"see <a href="https://a.example/x?y=1&amp;z=2" rel="nofollow noopener">https://a.example/x?y=1&amp;z=2</a>."#,
            ),
            (
                "(http://a.example/b)",
                r#"(<a href="http://a.example/b" rel="nofollow noopener">http://a.example/b</a>)"#,
            ),
            (
                "<git://a/b>",
                r#"&lt;<a href="git://a/b" rel="nofollow noopener">git://a/b</a>&gt;"#,
            ),
            ("javascript://x", "javascript://x"),
            ("xhttp://y :// <b>", "xhttp://y :// &lt;b&gt;"),
            ("é://x https://", "é://x https://"),
        ];
        for (text, expected) in cases {
            assert_eq!(linked(text).into_string(), expected);
        }
    }

    #[test]
    fn trailers_and_quotes_are_marked() {
        let html = message(
            "Hi\n  reviewed-by: A <a@b>\nFixes: 0123456789ab (\"<x>\")\n> said",
            &project(),
        )
        .into_string();
        assert!(
            html.contains(r#"<span class="t">  reviewed-by: A &lt;a@b&gt;</span>"#),
            "{html}"
        );
        assert!(
            html.contains(r#"href="https://git.example/c/0123456789ab""#),
            "{html}"
        );
        assert!(
            html.contains(r#"<span class="q">&gt; said</span>"#),
            "{html}"
        );
        assert!(!html.contains("<x>"));
    }

    #[test]
    fn long_quotes_are_folded() {
        let quote = "> a\n".repeat(13);
        let html = message(&format!("Ann wrote:\n{quote}\nYes."), &project()).into_string();
        assert!(
            html.contains("13 quoted lines") && html.matches("<pre").count() == 3,
            "{html}"
        );
        let html = message(&"> a\n".repeat(12), &project()).into_string();
        assert!(!html.contains("<details"));
    }
}
