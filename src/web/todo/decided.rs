//! What the reader has decided lately, patches of one act and one series together, each with a way back.

use super::*;
use crate::store::dashboard::Decided;

/// How many changes of states are looked at.
const LOOKED_AT: i64 = 200;
/// More decisions are not shown.
const MOST: usize = 20;
/// Decisions of so many days are shown.
const DAYS: i64 = 14;

pub(super) async fn load(db: &mut Db<'_>, user: UserId) -> Result<Vec<Decided>> {
    let since = Timestamp::now().plus_minutes(-DAYS * 24 * 60);
    Ok(store::dashboard::decided(db, user, since, LOOKED_AT).await?)
}

/// Puts together what was decided at once of one series, and in the same way.
fn acts(decided: &[Decided]) -> Vec<&[Decided]> {
    let is_one_act = |a: &Decided, b: &Decided| {
        let of = |one: &Decided| (one.date, one.series_id, one.current_state_id);
        of(a) == of(b) && a.series_id.is_some()
    };
    decided.chunk_by(is_one_act).collect()
}

pub(super) fn drawn(view: &View, vocabulary: &Vocabulary, decided: &[Decided]) -> Markup {
    let acts = acts(decided);
    html! {
        @if !acts.is_empty() {
            section #decided {
                h2 { "Recently decided" span.n { (acts.len().min(MOST)) @if acts.len() > MOST { "+" } } }
                p.muted { "By you, in the last two weeks, where nobody has decided otherwise since." }
                ul.news { @for act in acts.iter().take(MOST) { (one(view, vocabulary, act)) } }
            }
        }
    }
}

fn one(view: &View, vocabulary: &Vocabulary, act: &[Decided]) -> Markup {
    let first = &act[0];
    let events: Vec<String> = act.iter().map(|one| one.id.to_string()).collect();
    let mut fields: Vec<(&str, &str)> = events.iter().map(|id| ("event", id.as_str())).collect();
    let next = everything(view);
    fields.push(("next", &next));
    html! {
        li {
            @match first.series_id.filter(|_| act.len() > 1) {
                Some(id) => {
                    @let name = series::shown(first.series_name.as_deref(), id);
                    a href=(view.links().series(&first.linkname, id)) { (parts::cut(parts::title(&name)).0) }
                    span.n { (act.len()) " patches" }
                }
                None => {
                    @let name = parts::named(&first.name);
                    a href=(view.links().patch(&first.linkname, &first.msgid)) { (parts::cut(&name).0) }
                }
            }
            " "
            @if let Some(state) = vocabulary.state(first.current_state_id) { (parts::state(&state.name, state.action_required)) }
            " " span.muted { (parts::day(first.date)) }
            (field::button(view, &view.links().undo_decision(), "Undo", &fields))
        }
    }
}
