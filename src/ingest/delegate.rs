//! Whose turn a new patch is (`mail.md §13`).

use regex::Regex;

use super::delivery::{Delivery, Mail};
use crate::{
    domain::UserId,
    mail,
    store::{self, Result, delegation::Rule},
};

/// Returns the user the sender asked for, else the one to whom the rules give every file of the diff.
pub async fn of(d: &mut Delivery<'_>, mail: &Mail<'_>) -> Result<Option<UserId>> {
    if let Some(email) = &mail.message.hints.delegate
        && let Some(user) = store::delegation::user_by_email(d.tx, email).await?
    {
        return Ok(Some(user));
    }
    let Some(diff) = &mail.message.content.diff else {
        return Ok(None);
    };
    let rules = d.rulebook.rules(d.tx, mail.project.id).await?;
    if rules.is_empty() {
        return Ok(None);
    }
    Ok(by_rules(&rules, mail::files::files(diff)))
}

/// Returns the user to whom rules give these files: every file must match a rule, and all must give the same user.
pub fn by_rules(rules: &[Rule], files: impl IntoIterator<Item = String>) -> Option<UserId> {
    let rules: Vec<(Regex, UserId)> = rules
        .iter()
        .filter_map(|rule| Some((glob(&rule.path)?, rule.account_id)))
        .collect();
    let user = |file: &String| {
        rules
            .iter()
            .find(|(path, _)| path.is_match(file))
            .map(|(_, user)| *user)
    };
    let users: Option<Vec<UserId>> = files.into_iter().map(|file| user(&file)).collect();
    let users = users?;
    let first = *users.first()?;
    users.iter().all(|user| *user == first).then_some(first)
}

/// Returns the rule that decides about a file: the first that matches.
pub fn fires<'a>(rules: &'a [Rule], file: &str) -> Option<&'a Rule> {
    let matches = |rule: &&Rule| glob(&rule.path).is_some_and(|path| path.is_match(file));
    rules.iter().find(matches)
}

/// Compiles a shell pattern: `*` any run, slashes included, `?` one character, `[seq]`, `[!seq]`; nothing
/// escapes, an unclosed `[` is itself.
fn glob(pattern: &str) -> Option<Regex> {
    let mut text = String::from("(?s)\\A");
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '*' => text.push_str(".*"),
            '?' => text.push('.'),
            '[' => match class(rest) {
                Some((class, after)) => {
                    text.push_str(&class);
                    rest = after;
                }
                None => text.push_str("\\["),
            },
            c => text.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    text.push_str("\\z");
    regex::RegexBuilder::new(&text)
        .size_limit(1 << 20)
        .build()
        .ok()
}

/// Splits off a character class after its `[`, as a regular expression; `]` in first place is a member.
fn class(rest: &str) -> Option<(String, &str)> {
    let (negated, body) = match rest.strip_prefix('!') {
        Some(body) => ("^", body),
        None => ("", rest),
    };
    let first = body.chars().next()?.len_utf8();
    let end = first + body.get(first..)?.find(']')?;
    let mut members = String::new();
    for c in body[..end].chars() {
        if !c.is_alphanumeric() && c != '-' {
            members.push('\\');
        }
        members.push(c);
    }
    Some((format!("[{negated}{members}]"), &body[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UserId;

    #[test]
    fn shell_patterns_match_whole_names() {
        let cases = [
            ("*.c", "a/b.c", true),
            ("a/*", "a/b/c", true),
            ("a", "a/b", false),
            ("a/**/b", "a/b", false),
            ("a/**/b", "a/x/b", true),
            ("x?z", "xyz", true),
            ("[ab].c", "b.c", true),
            ("[!ab].c", "b.c", false),
            ("[!ab].c", "c.c", true),
            ("[]x]", "]", true),
            ("a[b", "a[b", true),
            ("a\\*", "a\\b", true),
            ("{a,b}", "a", false),
            ("A.c", "a.c", false),
        ];
        for (pattern, name, expected) in cases {
            let glob = glob(pattern).expect("a pattern that compiles");
            assert_eq!(glob.is_match(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn all_files_must_agree() {
        let rule = |path: &str, user| Rule {
            path: path.into(),
            account_id: UserId(user),
        };
        let rules = [rule("net/special.c", 2), rule("net/*", 1), rule("doc/*", 1)];
        let of = |files: &[&str]| {
            by_rules(&rules, files.iter().map(|f| (*f).to_string())).map(|user| user.0)
        };
        assert_eq!(of(&["net/a.c", "doc/b"]), Some(1));
        assert_eq!(of(&["net/special.c"]), Some(2));
        assert_eq!(of(&["net/a.c", "net/special.c"]), None);
        assert_eq!(of(&["net/a.c", "other"]), None);
        assert_eq!(of(&[]), None);
    }
}
