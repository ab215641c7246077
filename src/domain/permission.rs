//! Who may do what (`domain.md §3`). Administrators have no more rights here than anybody else: what they may do in the
//! admin console is [`Console`]'s.

use std::collections::BTreeSet;

use super::{Patch, PersonId, ProjectId, UserId};

/// What a user is to projects and people: enough to answer every question below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Who it is.
    pub user: UserId,
    /// The projects that the user maintains.
    pub maintains: Vec<ProjectId>,
    /// The addresses that are the user's.
    pub people: Vec<PersonId>,
}

impl Rights {
    /// Says whether the user maintains a project.
    pub fn maintains(&self, project: ProjectId) -> bool {
        self.maintains.contains(&project)
    }

    /// Says whether an address is the user's.
    pub fn is(&self, person: PersonId) -> bool {
        self.people.contains(&person)
    }

    /// Says whether the user may change a patch and report checks of it: a maintainer, who has it on the desk, or
    /// who sent it.
    pub fn may_edit(&self, patch: &Patch) -> bool {
        self.maintains(patch.project_id)
            || patch.delegate_id == Some(self.user)
            || self.is(patch.submitter_id)
    }

    /// Says whether the user may mark a comment on a patch as addressed: who wrote it, or who may change the patch.
    pub fn may_address(&self, author: PersonId, patch: &Patch) -> bool {
        self.is(author) || self.may_edit(patch)
    }

    /// Says whether the user may promise to review what `submitter` sent: whoever did not send it.
    pub fn may_review(&self, submitter: PersonId) -> bool {
        !self.is(submitter)
    }

    /// Says whether the user may end the promise of `maker` to review something: who made it, and who maintains the project.
    pub fn may_end_review(&self, maker: UserId, project: ProjectId) -> bool {
        self.user == maker || self.maintains(project)
    }

    /// Says whether the user may mark a comment on a cover letter of `submitter` as addressed.
    pub fn may_address_cover(
        &self,
        author: PersonId,
        submitter: PersonId,
        project: ProjectId,
    ) -> bool {
        self.is(author) || self.is(submitter) || self.maintains(project)
    }
}

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reading what its owner may read.
    Read,
    /// Reading, and reporting results of checks.
    Checks,
    /// Whatever its owner may do.
    Write,
}

impl Scope {
    /// All scopes, the narrowest first.
    pub const ALL: [Scope; 3] = [Scope::Read, Scope::Checks, Scope::Write];

    /// Returns the word under which it is kept.
    pub fn word(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Checks => "checks",
            Scope::Write => "write",
        }
    }

    /// Returns the scope that a word means.
    pub fn from_word(word: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.word() == word)
    }
}

/// What can be done with a kind of things in the admin console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Looking at them.
    View,
    /// Making one.
    Add,
    /// Changing one.
    Change,
    /// Deleting one.
    Delete,
}

impl Deed {
    /// All deeds, in the order of tables.
    pub const ALL: [Deed; 4] = [Deed::View, Deed::Add, Deed::Change, Deed::Delete];

    /// Returns the word that names of permissions hold.
    pub fn word(self) -> &'static str {
        match self {
            Deed::View => "view",
            Deed::Add => "add",
            Deed::Change => "change",
            Deed::Delete => "delete",
        }
    }
}

/// Returns the name under which a permission is kept, such as `patchwork.change_patch`. Compatibility: they come from
/// older sites.
pub fn name(app: &str, deed: Deed, model: &str) -> String {
    format!("{app}.{}_{model}", deed.word())
}

/// What somebody may do in the admin console.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Console {
    /// Whether it is everything.
    pub everything: bool,
    /// The names of what else.
    pub granted: BTreeSet<String>,
}

impl Console {
    /// Says whether something may be done with a kind of things. Who may change may look.
    pub fn may(&self, app: &str, deed: Deed, model: &str) -> bool {
        let has = |deed| self.granted.contains(&name(app, deed, model));
        self.everything || has(deed) || (deed == Deed::View && has(Deed::Change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{MessageId, PatchId, StateId, Timestamp};

    fn patch() -> Patch {
        Patch {
            id: PatchId(1),
            project_id: ProjectId(2),
            submitter_id: PersonId(3),
            state_id: StateId(1),
            delegate_id: Some(UserId(4)),
            series_id: None,
            related_id: None,
            number: None,
            archived: false,
            date: Timestamp(0),
            msgid: MessageId::new("<a@example.com>"),
            name: "a".to_owned(),
            hash: None,
            commit_ref: None,
            pull_url: None,
        }
    }

    fn nobody(id: i64) -> Rights {
        Rights {
            user: UserId(id),
            maintains: Vec::new(),
            people: Vec::new(),
        }
    }

    #[test]
    fn a_patch_is_its_maintainers_its_delegates_and_its_submitters() {
        let delegate = nobody(4);
        let nobody = nobody(9);
        let maintainer = Rights {
            maintains: vec![ProjectId(2)],
            ..nobody.clone()
        };
        let foreign = Rights {
            maintains: vec![ProjectId(5)],
            people: vec![PersonId(8)],
            ..nobody.clone()
        };
        let submitter = Rights {
            people: vec![PersonId(3)],
            ..nobody.clone()
        };
        for (rights, may) in [
            (&nobody, false),
            (&foreign, false),
            (&maintainer, true),
            (&submitter, true),
            (&delegate, true),
        ] {
            assert_eq!(rights.may_edit(&patch()), may, "{rights:?}");
        }
        assert!(
            foreign.may_address(PersonId(8), &patch())
                && !foreign.may_address(PersonId(7), &patch())
        );
        for (rights, may_review, may_end) in [
            (&delegate, true, true),
            (&foreign, true, false),
            (&maintainer, true, true),
            (&submitter, false, false),
        ] {
            let (reviews, ends) = (
                rights.may_review(PersonId(3)),
                rights.may_end_review(UserId(4), ProjectId(2)),
            );
            assert_eq!((reviews, ends), (may_review, may_end), "{rights:?}");
        }
        let about = (PersonId(7), PersonId(3), ProjectId(2));
        assert!(submitter.may_address_cover(about.0, about.1, about.2));
        assert!(maintainer.may_address_cover(about.0, about.1, about.2));
        assert!(!delegate.may_address_cover(about.0, about.1, about.2));
    }

    #[test]
    fn who_may_change_may_look_and_superusers_may_everything() {
        let granted = BTreeSet::from(["patchwork.change_patch".to_owned()]);
        let console = Console {
            everything: false,
            granted,
        };
        let may = |deed, model| console.may("patchwork", deed, model);
        assert!(may(Deed::Change, "patch") && may(Deed::View, "patch"));
        assert!(!may(Deed::Delete, "patch") && !may(Deed::View, "cover"));
        let superuser = Console {
            everything: true,
            ..Console::default()
        };
        assert!(superuser.may("auth", Deed::Delete, "user"));
    }
}
