//! Regular expressions that people type into settings of the site: tags, and subjects of projects.

use regex::{Regex, RegexBuilder};

/// How much memory one compiled expression may take; what is typed into a form must not fill the machine.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles an expression as all of ours are applied: line by line, ignoring case.
///
/// # Errors
/// One sentence that says what is wrong with it.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern)
        .multi_line(true)
        .case_insensitive(true)
        .size_limit(SIZE_LIMIT)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the expression is too large".to_owned(),
        // The library draws the expression and an arrow over several lines; its last line says what is wrong.
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_match_lines_in_any_case() {
        let tag = compile("^Acked-by:").expect("an expression");
        assert!(tag.is_match("text\nacked-BY: a"));
        assert!(!tag.is_match("text acked-by: a"));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        assert_eq!(compile("(a").expect_err("no"), "unclosed group");
        assert_eq!(
            compile(r"(\w{100}){100}").expect_err("no"),
            "the expression is too large"
        );
    }
}
