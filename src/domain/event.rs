//! Events: what happened, to be told in the transaction that makes it happen (`domain.md §5`).

use super::{
    CheckId, CommentId, CoverId, Patch, PatchId, ProjectId, SeriesId, StateId, Timestamp, UserId,
    change::Actor, comment::Parent,
};

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// A cover letter arrived.
    CoverCreated,
    /// A patch arrived.
    PatchCreated,
    /// A patch got another state.
    PatchStateChanged,
    /// A patch got another delegate, its first, or none any more.
    PatchDelegated,
    /// A patch joined or left a relation.
    PatchRelationChanged,
    /// A patch and all its predecessors in the series are there.
    PatchCompleted,
    /// The first mail of a series arrived.
    SeriesCreated,
    /// As many patches as announced are there.
    SeriesCompleted,
    /// A reply to a cover letter arrived.
    CoverCommentCreated,
    /// A reply to a patch arrived.
    PatchCommentCreated,
    /// CI reported a result.
    CheckCreated,
}

impl Category {
    /// All categories.
    pub const ALL: [Category; 11] = [
        Self::CoverCreated,
        Self::PatchCreated,
        Self::PatchStateChanged,
        Self::PatchDelegated,
        Self::PatchRelationChanged,
        Self::PatchCompleted,
        Self::SeriesCreated,
        Self::SeriesCompleted,
        Self::CoverCommentCreated,
        Self::PatchCommentCreated,
        Self::CheckCreated,
    ];

    /// Returns the category that a word of the API means.
    pub fn from_word(word: &str) -> Option<Category> {
        Category::ALL.into_iter().find(|it| it.word() == word)
    }

    /// Returns what a reply to this is told as.
    pub fn of_reply_to(parent: Parent) -> Category {
        match parent {
            Parent::Patch(_) => Category::PatchCommentCreated,
            Parent::Cover(_) => Category::CoverCommentCreated,
        }
    }

    /// Returns the word the API uses.
    pub fn word(self) -> &'static str {
        match self {
            Self::CoverCreated => "cover-created",
            Self::PatchCreated => "patch-created",
            Self::PatchStateChanged => "patch-state-changed",
            Self::PatchDelegated => "patch-delegated",
            Self::PatchRelationChanged => "patch-relation-changed",
            Self::PatchCompleted => "patch-completed",
            Self::SeriesCreated => "series-created",
            Self::SeriesCompleted => "series-completed",
            Self::CoverCommentCreated => "cover-comment-created",
            Self::PatchCommentCreated => "patch-comment-created",
            Self::CheckCreated => "check-created",
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What kind of thing.
    pub category: Category,
    /// In which project.
    pub project: ProjectId,
    /// When we did it; not when the mail was written.
    pub date: Timestamp,
    /// The patch it is about.
    pub patch: Option<PatchId>,
    /// The series it is about.
    pub series: Option<SeriesId>,
    /// The cover letter it is about.
    pub cover: Option<CoverId>,
    /// The comment it is about.
    pub comment: Option<CommentId>,
    /// The check it is about.
    pub check: Option<CheckId>,
    /// Who did it; mails have no actor.
    pub actor: Option<UserId>,
    /// The state a patch had.
    pub previous_state: Option<StateId>,
    /// The state it got.
    pub current_state: Option<StateId>,
    /// The delegate a patch had.
    pub previous_delegate: Option<UserId>,
    /// The delegate it got.
    pub current_delegate: Option<UserId>,
}

impl Event {
    fn new(category: Category, project: ProjectId, date: Timestamp) -> Self {
        Event {
            category,
            project,
            date,
            patch: None,
            series: None,
            cover: None,
            comment: None,
            check: None,
            actor: None,
            previous_state: None,
            current_state: None,
            previous_delegate: None,
            current_delegate: None,
        }
    }

    /// Tells that a patch arrived.
    pub fn patch_created(project: ProjectId, patch: PatchId, date: Timestamp) -> Self {
        Event {
            patch: Some(patch),
            ..Event::new(Category::PatchCreated, project, date)
        }
    }

    /// Tells that a cover letter arrived.
    pub fn cover_created(project: ProjectId, cover: CoverId, date: Timestamp) -> Self {
        Event {
            cover: Some(cover),
            ..Event::new(Category::CoverCreated, project, date)
        }
    }

    /// Tells that a series began.
    pub fn series_created(project: ProjectId, series: SeriesId, date: Timestamp) -> Self {
        Event {
            series: Some(series),
            ..Event::new(Category::SeriesCreated, project, date)
        }
    }

    /// Tells that a reply arrived.
    pub fn comment_created(
        project: ProjectId,
        parent: Parent,
        comment: CommentId,
        date: Timestamp,
    ) -> Self {
        let (patch, cover) = parent.split();
        Event {
            patch,
            cover,
            comment: Some(comment),
            ..Event::new(Category::of_reply_to(parent), project, date)
        }
    }
}

impl Event {
    /// Tells that CI reported a result.
    pub fn check_created(
        project: ProjectId,
        patch: PatchId,
        check: CheckId,
        reporter: UserId,
        date: Timestamp,
    ) -> Self {
        Event {
            patch: Some(patch),
            check: Some(check),
            actor: Some(reporter),
            ..Event::new(Category::CheckCreated, project, date)
        }
    }
}

/// Returns the events of a change of a patch: one for another state, delegate and relation each. The other
/// fields raise none. Which relations it left and joined is not told; compatibility.
pub fn between(before: &Patch, after: &Patch, by: &Actor) -> Vec<Event> {
    let of = |category| Event {
        patch: Some(after.id),
        actor: by.user,
        ..Event::new(category, after.project_id, by.at)
    };
    let mut events = Vec::new();
    if before.state_id != after.state_id {
        events.push(Event {
            previous_state: Some(before.state_id),
            current_state: Some(after.state_id),
            ..of(Category::PatchStateChanged)
        });
    }
    if before.delegate_id != after.delegate_id {
        events.push(Event {
            previous_delegate: before.delegate_id,
            current_delegate: after.delegate_id,
            ..of(Category::PatchDelegated)
        });
    }
    if before.related_id != after.related_id {
        events.push(of(Category::PatchRelationChanged));
    }
    events
}

/// A patch's arrival in a series, as [`after_joining`] needs it.
#[derive(Clone, Debug)]
pub struct Joining {
    /// The series joined.
    pub series: SeriesId,
    /// How many patches it announces.
    pub total: i64,
    /// Every numbered patch in it, the new one included.
    pub members: Vec<(i64, PatchId)>,
    /// The number of the new one.
    pub number: i64,
}

/// Returns the events of a patch joining a series: each patch that is now complete, then the series if
/// as many as announced are there. Every further patch completes the series once more; that is wanted.
pub fn after_joining(joining: &Joining, project: ProjectId, date: Timestamp) -> Vec<Event> {
    let mut events: Vec<Event> = newly_complete(joining)
        .into_iter()
        .map(|patch| Event {
            patch: Some(patch),
            series: Some(joining.series),
            ..Event::new(Category::PatchCompleted, project, date)
        })
        .collect();
    if joining.members.len() as i64 >= joining.total {
        events.push(Event {
            series: Some(joining.series),
            ..Event::new(Category::SeriesCompleted, project, date)
        });
    }
    events
}

/// Returns the new patch and its successors up to a gap, if all its predecessors are there.
fn newly_complete(joining: &Joining) -> Vec<PatchId> {
    let mut members = joining.members.clone();
    members.sort_unstable();
    let before = members
        .iter()
        .filter(|(number, _)| *number < joining.number)
        .count() as i64;
    if before != joining.number - 1 {
        return Vec::new();
    }
    members
        .into_iter()
        .filter(|(number, _)| *number >= joining.number)
        .enumerate()
        .take_while(|(step, (number, _))| *number == joining.number + *step as i64)
        .map(|(_, (_, patch))| patch)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(numbers: &[i64], number: i64) -> Vec<i64> {
        let members = numbers.iter().map(|n| (*n, PatchId(*n))).collect();
        newly_complete(&Joining {
            series: SeriesId(1),
            total: 9,
            members,
            number,
        })
        .into_iter()
        .map(|p| p.0)
        .collect()
    }

    #[test]
    fn a_patch_completes_itself_and_its_successors_up_to_a_gap() {
        assert_eq!(completed(&[1], 1), [1]);
        assert_eq!(completed(&[2], 2), Vec::<i64>::new());
        assert_eq!(completed(&[3, 2], 2), Vec::<i64>::new());
        assert_eq!(completed(&[3, 2, 1], 1), [1, 2, 3]);
        assert_eq!(completed(&[1, 2, 4], 2), [2]);
    }

    #[test]
    fn a_series_completes_with_its_last_patch_and_again_with_each_further_one() {
        let joining = |numbers: &[i64], number| Joining {
            series: SeriesId(5),
            total: 2,
            members: numbers.iter().map(|n| (*n, PatchId(*n))).collect(),
            number,
        };
        let words = |joining: Joining| -> Vec<&str> {
            let events = after_joining(&joining, ProjectId(1), Timestamp(0));
            events.iter().map(|event| event.category.word()).collect()
        };
        assert_eq!(words(joining(&[2], 2)), Vec::<&str>::new());
        assert_eq!(
            words(joining(&[2, 1], 1)),
            ["patch-completed", "patch-completed", "series-completed"]
        );
        assert_eq!(
            words(joining(&[2, 1, 3], 3)),
            ["patch-completed", "series-completed"]
        );
    }
}
