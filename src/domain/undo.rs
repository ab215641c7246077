//! Taking a change of patches back: what each patch had before, and what the change gave it.

use serde::{Deserialize, Serialize};

use super::{Patch, PatchId, StateId, UserId, change::PatchChange};

/// For how many minutes a change can be taken back.
pub const MINUTES: i64 = 10;

/// A value before a change, and after it.
type Turn<T> = Option<(T, T)>;

/// What a change did to one patch; `None` for what it left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    patch: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Turn<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delegate: Turn<Option<i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    archived: Turn<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    commit: Turn<Option<String>>,
}

/// Returns what a change did to patches: only those it really changed.
pub fn steps(before: &[Patch], after: &[Patch]) -> Vec<Step> {
    let pairs = before.iter().filter_map(|before| {
        let after = after.iter().find(|after| after.id == before.id)?;
        (before != after).then(|| Step::between(before, after))
    });
    pairs.collect()
}

fn turn<T: PartialEq>(before: T, after: T) -> Turn<T> {
    (before != after).then_some((before, after))
}

impl Step {
    fn between(before: &Patch, after: &Patch) -> Step {
        let desk = |patch: &Patch| patch.delegate_id.map(|user| user.0);
        Step {
            patch: before.id.0,
            state: turn(before.state_id.0, after.state_id.0),
            delegate: turn(desk(before), desk(after)),
            archived: turn(before.archived, after.archived),
            commit: turn(before.commit_ref.clone(), after.commit_ref.clone()),
        }
    }

    /// Returns the step of a patch that got another state, as events tell of it.
    pub fn of_state(patch: PatchId, before: StateId, after: StateId) -> Step {
        Step {
            patch: patch.0,
            state: turn(before.0, after.0),
            delegate: None,
            archived: None,
            commit: None,
        }
    }

    /// Returns the patch it is about.
    pub fn patch(&self) -> PatchId {
        PatchId(self.patch)
    }

    /// Returns the change that takes it back. What somebody has changed since stays as it is.
    pub fn back(&self, now: &Patch) -> PatchChange {
        let desk = now.delegate_id.map(|user| user.0);
        PatchChange {
            state: before(&self.state, &now.state_id.0).map(StateId),
            delegate: before(&self.delegate, &desk).map(|user| user.map(UserId)),
            archived: before(&self.archived, &now.archived),
            commit_ref: before(&self.commit, &now.commit_ref),
            ..PatchChange::default()
        }
    }
}

/// Returns the value before, if the one after is still there.
fn before<T: Clone + PartialEq>(turn: &Turn<T>, now: &T) -> Option<T> {
    let (before, after) = turn.as_ref()?;
    (after == now).then(|| before.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{MessageId, PersonId, ProjectId, Timestamp};

    fn patch(state: i64, delegate: Option<i64>) -> Patch {
        Patch {
            id: PatchId(1),
            project_id: ProjectId(2),
            submitter_id: PersonId(3),
            state_id: StateId(state),
            delegate_id: delegate.map(UserId),
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

    #[test]
    fn what_was_changed_since_stays() {
        let steps = steps(&[patch(1, Some(4))], &[patch(2, None)]);
        let kept = serde_json::to_string(&steps).expect("JSON");
        let read: Vec<Step> = serde_json::from_str(&kept).expect("steps");
        assert_eq!(read, steps);
        assert_eq!(
            read[0].back(&patch(2, None)),
            PatchChange {
                state: Some(StateId(1)),
                delegate: Some(Some(UserId(4))),
                ..PatchChange::default()
            }
        );
        assert_eq!(read[0].back(&patch(3, Some(5))), PatchChange::default());
    }

    #[test]
    fn an_event_tells_of_the_state_before() {
        let step = Step::of_state(PatchId(1), StateId(1), StateId(2));
        let steps = steps(&[patch(1, None)], &[patch(2, None)]);
        assert_eq!(steps, [step]);
    }

    #[test]
    fn what_was_not_changed_is_not_taken_back() {
        assert!(steps(&[patch(1, None)], &[patch(1, None)]).is_empty());
    }
}
