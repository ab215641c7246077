//! What changed from one revision to another: of two series, or of two patches. Only to read.

use std::sync::Arc;

use super::{
    answer::Reply,
    embed::{self, MailRef, SeriesRef},
    error::{Problem, Result},
    field::{self, Field, Holds},
    json::Json,
    request::Cx,
    version::Version::V1_5,
};
use crate::{
    comparison::{self, Kind},
    domain::{PatchId, Project, ProjectId, SeriesId},
    mail::range_diff::{self, Bound, Verdict},
    store::{self, Conn, patch::Detail},
};

/// Two things that were compared.
pub struct Item<T> {
    old: T,
    new: T,
    path: String,
    page: String,
    found: Found,
}

/// What came of it.
struct Found {
    pairs: Vec<Pair>,
    bounds: Vec<Bound>,
}

/// A patch of either side, and what became of it.
pub struct Pair {
    old: Option<(i64, MailRef)>,
    new: Option<(i64, MailRef)>,
    verdict: Verdict,
    diff: String,
}

impl<T> Item<T> {
    const URL: Field<Item<T>> = Field::<Item<T>>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &it.path);
    })
    .since(V1_5);

    const WEB_URL: Field<Item<T>> = Field::<Item<T>>::new("web_url", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&it.page));
    })
    .since(V1_5);

    const TEXT_URL: Field<Item<T>> =
        Field::<Item<T>>::new("text_url", Holds::Url, |it, cx, json| {
            json.text(&cx.web(&format!("{}raw/", it.page)));
        })
        .since(V1_5);

    const PAIRS: Field<Item<T>> =
        Field::<Item<T>>::new("pairs", Holds::Many("Pair"), |it, cx, json| {
            json.list(&it.found.pairs, |json, pair| {
                field::write(PAIR, pair, true, cx, json)
            });
        })
        .since(V1_5);

    const REMARKS: Field<Item<T>> =
        Field::<Item<T>>::new("remarks", Holds::Texts, |it, _, json| {
            json.list(&it.found.bounds, |json, bound| json.text(bound.told()));
        })
        .since(V1_5);
}

/// The fields of a comparison of series.
pub const SERIES: &[Field<Item<SeriesRef>>] = &[
    Item::URL,
    Item::WEB_URL,
    Item::TEXT_URL,
    Field::<Item<SeriesRef>>::new("old", Holds::One("Series"), |it, cx, json| {
        field::write(embed::SERIES, &it.old, true, cx, json);
    })
    .since(V1_5),
    Field::<Item<SeriesRef>>::new("new", Holds::One("Series"), |it, cx, json| {
        field::write(embed::SERIES, &it.new, true, cx, json);
    })
    .since(V1_5),
    Item::PAIRS,
    Item::REMARKS,
];

/// The fields of a comparison of patches.
pub const PATCHES: &[Field<Item<MailRef>>] = &[
    Item::URL,
    Item::WEB_URL,
    Item::TEXT_URL,
    Field::<Item<MailRef>>::new("old", Holds::One("Patch"), |it, cx, json| {
        field::write(embed::PATCH, &it.old, true, cx, json);
    })
    .since(V1_5),
    Field::<Item<MailRef>>::new("new", Holds::One("Patch"), |it, cx, json| {
        field::write(embed::PATCH, &it.new, true, cx, json);
    })
    .since(V1_5),
    Item::PAIRS,
    Item::REMARKS,
];

/// The words for what became of a patch.
const VERDICTS: &[&str] = &["unchanged", "changed", "dropped", "added"];

/// The fields of a pair.
pub const PAIR: &[Field<Pair>] = &[
    Field::<Pair>::new("old", Holds::Optional("Patch"), |it, cx, json| {
        embed::optional(embed::PATCH, patch(&it.old), cx, json);
    })
    .since(V1_5),
    Field::<Pair>::new("new", Holds::Optional("Patch"), |it, cx, json| {
        embed::optional(embed::PATCH, patch(&it.new), cx, json);
    })
    .since(V1_5),
    Field::<Pair>::new("old_number", Holds::OptionalInt, |it, _, json| {
        json.optional_int(place(&it.old));
    })
    .since(V1_5),
    Field::<Pair>::new("new_number", Holds::OptionalInt, |it, _, json| {
        json.optional_int(place(&it.new));
    })
    .since(V1_5),
    Field::<Pair>::new("verdict", Holds::Word(VERDICTS), |it, _, json| {
        json.text(it.verdict.word());
    })
    .since(V1_5),
    Field::<Pair>::new("diff", Holds::Text, |it, _, json| json.text(&it.diff)).since(V1_5),
];

fn patch(side: &Option<(i64, MailRef)>) -> Option<&MailRef> {
    side.as_ref().map(|(_, patch)| patch)
}

fn place(side: &Option<(i64, MailRef)>) -> Option<i64> {
    side.as_ref().map(|(place, _)| *place)
}

/// Answers what changed from one series to another of the same project.
pub async fn of_series(cx: &Cx<'_>, old: i64, new: i64) -> Result<Reply> {
    let ids = [SeriesId(old), SeriesId(new)];
    let mut conn = cx.reader().await?;
    let sides = comparison::sides(&mut conn, ids).await?;
    let [old, new] = sides.ok_or(Problem::Missing("Series"))?;
    let project = project(&mut conn, old.sent.series.project_id).await?;
    drop(conn);
    let page = cx.site.links.series_diff(&project.linkname, ids[0], ids[1]);
    let patches = [&old, &new].map(|side| side.patches.clone());
    let item = Item {
        path: format!("series/{}/diff/{}/", ids[0], ids[1]),
        page,
        found: Found::of(&project, Kind::Series, patches).await?,
        old: SeriesRef::new(old.sent.series, &project),
        new: SeriesRef::new(new.sent.series, &project),
    };
    Ok(reply(cx, SERIES, &item))
}

/// Answers what changed from one patch to another of the same project.
pub async fn of_patches(cx: &Cx<'_>, old: i64, new: i64) -> Result<Reply> {
    let ids = [PatchId(old), PatchId(new)];
    let mut conn = cx.reader().await?;
    let details = store::patch::details(&mut conn, &ids).await?;
    let by_id = |id| details.iter().find(|it| it.patch.id == id).cloned();
    let both = by_id(ids[0]).zip(by_id(ids[1]));
    let (old, new) = both
        .filter(|(old, new)| old.patch.project_id == new.patch.project_id)
        .ok_or(Problem::Missing("Patch"))?;
    let project = project(&mut conn, old.patch.project_id).await?;
    drop(conn);
    let (links, linkname) = (&cx.site.links, &project.linkname);
    let item = Item {
        path: format!("patches/{}/diff/{}/", ids[0], ids[1]),
        page: links.patch_diff(linkname, &old.patch.msgid, &new.patch.msgid),
        old: mail(&old, &project),
        new: mail(&new, &project),
        found: Found::of(
            &project,
            Kind::Patches,
            [old, new].map(|it| Arc::new(vec![it])),
        )
        .await?,
    };
    Ok(reply(cx, PATCHES, &item))
}

fn mail(detail: &Detail, project: &Arc<Project>) -> MailRef {
    MailRef {
        id: detail.patch.id.0,
        project: project.clone(),
        msgid: detail.patch.msgid.clone(),
        date: detail.patch.date,
        name: detail.patch.name.clone(),
    }
}

async fn project(conn: &mut Conn, id: ProjectId) -> Result<Arc<Project>> {
    let project = store::project::by_id(conn, id).await?;
    project.map(Arc::new).ok_or(Problem::Missing("Project"))
}

impl Found {
    async fn of(
        project: &Arc<Project>,
        kind: Kind,
        [old, new]: [Arc<Vec<Detail>>; 2],
    ) -> Result<Found> {
        let made = comparison::of(project, kind, old.clone(), new.clone()).await;
        let made = made.ok_or(Problem::Busy("The comparison could not be made."))?;
        let side = |patches: &[Detail], at: Option<usize>| {
            let detail = patches.get(at?)?;
            Some((at? as i64 + 1, mail(detail, project)))
        };
        let pair = |pair: &range_diff::Pair| Pair {
            old: side(&old, pair.old),
            new: side(&new, pair.new),
            verdict: pair.verdict,
            diff: range_diff::changes(pair),
        };
        Ok(Found {
            pairs: made.pairs.iter().map(pair).collect(),
            bounds: made.bounds.clone(),
        })
    }
}

/// What ran out of time may be whole the next time.
fn reply<T>(cx: &Cx<'_>, fields: &[Field<Item<T>>], item: &Item<T>) -> Reply {
    let mut json = Json::default();
    field::write(fields, item, true, cx, &mut json);
    Reply {
        is_passing: item.found.bounds.contains(&Bound::Time),
        ..Reply::ok(json.into_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_its_word() {
        use Verdict::{Added, Changed, Dropped, Same};
        assert_eq!([Same, Changed, Dropped, Added].map(Verdict::word), VERDICTS);
    }
}
