//! A comparison as text, readable like what `git range-diff` prints.

use super::{Comparison, Inter, Outer, Pair};
use crate::mail::space::printable;

/// How a patch is called: a name for programs, and its subject.
pub type Called = (String, String);

/// Returns a comparison as text; `old` and `new` are how the patches are called.
pub fn told(comparison: &Comparison, old: &[Called], new: &[Called]) -> String {
    let wide = |names: &[Called]| names.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let name_width = wide(old).max(wide(new)).max(1);
    let place_width = old.len().max(new.len()).to_string().len();
    let side = |at: Option<usize>, names: &[Called]| match at {
        Some(at) => format!("{:>place_width$}:  {:>name_width$}", at + 1, names[at].0),
        None => format!("{:>place_width$}:  {}", "-", "-".repeat(name_width)),
    };
    let mut out = String::new();
    for pair in &comparison.pairs {
        let sign = pair.verdict.sign();
        let subject = subject(pair, old, new);
        out.push_str(&format!(
            "{} {sign} {} {subject}\n",
            side(pair.old, old),
            side(pair.new, new)
        ));
        out.push_str(&changes(pair));
    }
    for bound in &comparison.bounds {
        out.push_str(&format!("# {}\n", bound.told()));
    }
    out
}

/// Returns the subject of a pair: the old one, for what was added the new one.
fn subject(pair: &Pair, old: &[Called], new: &[Called]) -> String {
    let found = pair.old.map(|at| &old[at]);
    let found = found.or_else(|| pair.new.map(|at| &new[at]));
    found
        .map(|(_, subject)| printable(subject))
        .unwrap_or_default()
}

/// Returns what changed in a pair as text, set in as below its heading; empty where nothing did.
pub fn changes(pair: &Pair) -> String {
    let mut out = String::new();
    pair.lines.iter().for_each(|line| push(&mut out, line));
    out
}

fn push(out: &mut String, line: &Inter) {
    out.push_str("    ");
    match line.outer {
        Outer::Head => out.push_str(format!("@@ {}", line.text).trim_end()),
        outer => {
            out.push(outer.sign());
            out.push_str(&line.text);
        }
    }
    out.push('\n');
}
