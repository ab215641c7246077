//! The same patch in other revisions of its series.

use super::*;
use crate::{
    domain::{
        MessageId, Patch, SeriesId, Timestamp,
        revision::{Kept, label, pair},
    },
    store::revision::ChainPatch,
};

/// Another revision of the series, and the patch in it that this one was or became.
pub(super) struct Other {
    series: SeriesId,
    label: String,
    date: Timestamp,
    /// The patch; none where it did not exist yet, or no more.
    patch: Option<MessageId>,
    /// Whether it is the revision of this page.
    is_here: bool,
    /// Whether nothing of the diff has changed.
    is_same: bool,
}

/// Finds a patch in the other revisions of its series, the earliest first.
pub(super) fn others(patch: &Patch, series: SeriesId, chain: Vec<ChainPatch>) -> Vec<Other> {
    let revisions: Vec<&[ChainPatch]> = chain.chunk_by(|a, b| a.series_id == b.series_id).collect();
    let Some(own) = revisions.iter().find(|one| one[0].series_id == series) else {
        return Vec::new();
    };
    let Some(here) = own.iter().position(|one| one.msgid == patch.msgid) else {
        return Vec::new();
    };
    let other = |patches: &&[ChainPatch]| {
        let first = &patches[0];
        let found = match first.series_id == series {
            true => Some(here),
            false => pair(&kept(patches), &kept(own))[here],
        };
        let found = found.map(|at| &patches[at]);
        Other {
            series: first.series_id,
            label: label(first.version, first.minor),
            date: first.date,
            patch: found.map(|found| found.msgid.clone()),
            is_here: first.series_id == series,
            is_same: found
                .is_some_and(|found| found.hash.is_some() && found.hash == own[here].hash),
        }
    };
    revisions.iter().map(other).collect()
}

fn kept(patches: &[ChainPatch]) -> Vec<Kept> {
    let one = |patch: &ChainPatch| Kept {
        hash: patch.hash.clone(),
        name: patch.name.clone(),
    };
    patches.iter().map(one).collect()
}

/// Draws the revisions, each with the patch in it.
pub(super) fn drawn(view: &View, page: &Page) -> Markup {
    if page.revisions.len() < 2 {
        return html! {};
    }
    let here = page.revisions.iter().position(|one| one.is_here);
    html! {
        section.members #revisions {
            h2 { "Revisions" }
            ol { @for (at, other) in page.revisions.iter().enumerate() {
                // Keys lead to the revisions beside this one.
                @let key = match here {
                    Some(here) if at + 1 == here => Some("{"),
                    Some(here) if at == here + 1 => Some("}"),
                    _ => None,
                };
                li {
                    span.no { (other.label) }
                    @match &other.patch {
                        _ if other.is_here => strong aria-current="true" { (parts::day(other.date)) ", this one" },
                        Some(msgid) => {
                            a href=(view.links().patch(&page.project.linkname, msgid)) data-key=[key] { (parts::day(other.date)) }
                            @if other.is_same { " " span.muted { "same diff" } }
                            " " (compare(view, page, other, msgid, here > Some(at)))
                        }
                        None => {
                            a href=(view.links().series(&page.project.linkname, other.series)) data-key=[key] { (parts::day(other.date)) }
                            " " span.muted { "without this patch" }
                        }
                    }
                }
            } }
        }
    }
}

/// The way to what changed between this patch and another revision of it, from the earlier to the later.
fn compare(view: &View, page: &Page, other: &Other, msgid: &MessageId, earlier: bool) -> Markup {
    let own = &page.detail.patch.msgid;
    let (old, new) = if earlier { (msgid, own) } else { (own, msgid) };
    let address = view.links().patch_diff(&page.project.linkname, old, new);
    html! { a.compare href=(address) { "compare" span.vh { " with " (other.label) } } }
}
