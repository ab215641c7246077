//! Bundles: a user's ordered collections of patches (`domain.md §1.14`).

/// The most characters of a bundle's name.
const MAX_NAME: usize = 50;

/// Says whether a text may be a bundle's name: it is a part of the bundle's address.
pub fn is_name(text: &str) -> bool {
    // Browsers take dots for a way up.
    !matches!(text, "" | "." | "..")
        && text.chars().count() <= MAX_NAME
        && !text.contains(['/', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parts_of_addresses() {
        assert!(is_name("to review, 2nd round") && is_name(&"ä".repeat(50)));
        assert!(is_name("...") && is_name(".a") && !is_name(".") && !is_name(".."));
        assert!(!is_name("") && !is_name("a/b") && !is_name(&"a".repeat(51)));
    }
}
