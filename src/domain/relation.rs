//! Relations: sets of patches that belong together (`domain.md §1.15`).

use super::RelationId;

/// The patches to be related belong to more than one relation; none is moved silently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the patches belong to different relations already")]
pub struct Conflict;

/// Returns the one relation that some of these patches are in, if any is.
///
/// # Errors
/// When they are in several.
pub fn common(
    memberships: impl IntoIterator<Item = Option<RelationId>>,
) -> Result<Option<RelationId>, Conflict> {
    let mut relations = memberships.into_iter().flatten();
    let first = relations.next();
    match relations.all(|relation| Some(relation) == first) {
        true => Ok(first),
        false => Err(Conflict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_of_two_relations_conflict() {
        let [one, two] = [1, 2].map(|id| Some(RelationId(id)));
        assert_eq!(common([None, None]), Ok(None));
        assert_eq!(common([None, one, one]), Ok(one));
        assert_eq!(common([one, None, two]), Err(Conflict));
    }
}
