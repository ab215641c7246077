//! Bundles: a user's ordered collections of patches (`domain.md §1.14`).

use std::collections::{HashSet, VecDeque};

use super::PatchId;

/// The most characters of what a bundle is for.
pub const MAX_DESCRIPTION: usize = 2000;
/// The most characters of a bundle's name.
const MAX_NAME: usize = 50;

/// Says whether a text may be a bundle's name: it is a part of the bundle's address.
pub fn is_name(text: &str) -> bool {
    // Browsers take dots for a way up.
    !matches!(text, "" | "." | "..")
        && text.chars().count() <= MAX_NAME
        && !text.contains(['/', '\n'])
}

/// Returns the order of a bundle after some of its patches were put in the order `wanted`: they share the places
/// they had, all others stay where they are. What is not in the bundle does not count.
pub fn reordered(current: &[PatchId], wanted: &[PatchId]) -> Vec<PatchId> {
    let mut seen = HashSet::new();
    let mut wanted = wanted
        .iter()
        .copied()
        .filter(|patch| current.contains(patch) && seen.insert(*patch))
        .collect::<VecDeque<_>>();
    let moving: HashSet<PatchId> = wanted.iter().copied().collect();
    let place = |patch: &PatchId| match moving.contains(patch) {
        true => wanted.pop_front().unwrap_or(*patch),
        false => *patch,
    };
    current.iter().map(place).collect()
}

/// Returns the order of a bundle after a patch was moved to a place, counted from 1.
pub fn moved(current: &[PatchId], patch: PatchId, place: usize) -> Vec<PatchId> {
    let mut order: Vec<PatchId> = current.iter().copied().filter(|it| *it != patch).collect();
    if order.len() < current.len() {
        order.insert(place.saturating_sub(1).min(order.len()), patch);
    }
    order
}

/// Returns what is wrong with a bundle's name, if anything is.
pub fn fault(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("A bundle needs a name."),
        name if name.contains('/') => Some("The name of a bundle cannot hold a slash."),
        name if name.contains(char::is_control) => {
            Some("The name of a bundle cannot hold control characters.")
        }
        name if !is_name(name) => Some("The name of a bundle has 50 characters at most."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[i64]) -> Vec<PatchId> {
        ids.iter().copied().map(PatchId).collect()
    }

    #[test]
    fn a_part_is_put_in_order_within_its_places() {
        for (wanted, expected) in [
            (vec![], [1, 2, 3, 4, 5]),
            (vec![5, 4, 3, 2, 1], [5, 4, 3, 2, 1]),
            (vec![4, 2, 3], [1, 4, 2, 3, 5]),
            (vec![5, 1], [5, 2, 3, 4, 1]),
            (vec![5, 9, 5, 1], [5, 2, 3, 4, 1]),
        ] {
            assert_eq!(
                reordered(&ids(&[1, 2, 3, 4, 5]), &ids(&wanted)),
                ids(&expected)
            );
        }
    }

    #[test]
    fn a_patch_is_moved_to_a_place() {
        for (patch, place, expected) in [
            (1, 3, [2, 3, 1]),
            (3, 1, [3, 1, 2]),
            (2, 0, [2, 1, 3]),
            (1, 99, [2, 3, 1]),
            (7, 1, [1, 2, 3]),
        ] {
            assert_eq!(
                moved(&ids(&[1, 2, 3]), PatchId(patch), place),
                ids(&expected)
            );
        }
    }

    #[test]
    fn names_are_parts_of_addresses() {
        assert!(is_name("to review, 2nd round") && is_name(&"ä".repeat(50)));
        assert!(is_name("...") && is_name(".a") && !is_name(".") && !is_name(".."));
        assert!(!is_name("") && !is_name("a/b") && !is_name(&"a".repeat(51)));
    }
}
