//! Which tables belong to which address.

use crate::api::{
    bundle, check, comment, cover, endpoint::What, event, field::Change, filter::Filter, patch,
    person, project, series, user,
};

/// What an address tells of.
#[derive(Default)]
pub struct Resource {
    /// What operations on it begin with.
    pub name: &'static str,
    /// What its things are called.
    pub thing: &'static str,
    /// What its list may be sorted by.
    pub orders: Vec<&'static str>,
    /// What its list may be filtered by.
    pub filters: &'static [Filter],
    /// Whether its list can be searched.
    pub has_words: bool,
    /// What may be written.
    pub changes: Vec<&'static Change>,
}

impl Resource {
    fn new<T>(name: &'static str, thing: &'static str, orders: &[(&'static str, T)]) -> Resource {
        Resource {
            name,
            thing,
            orders: orders.iter().map(|(name, _)| *name).collect(),
            has_words: true,
            ..Resource::default()
        }
    }

    fn filtered(self, filters: &'static [Filter]) -> Resource {
        Resource { filters, ..self }
    }

    fn without_words(self) -> Resource {
        Resource {
            has_words: false,
            ..self
        }
    }

    fn changed(self, changes: impl IntoIterator<Item = &'static Change>) -> Resource {
        Resource {
            changes: changes.into_iter().collect(),
            ..self
        }
    }

    /// Returns what is at an address.
    pub fn of(what: What) -> Resource {
        let comments =
            |name| Resource::new(name, "Comment", comment::ORDERS).changed(comment::CHANGES);
        let patches = || Resource::new("patches", "Patch", patch::ORDERS).filtered(patch::FILTERS);
        match what {
            What::Index => Resource::new::<()>("api", "Index", &[]),
            What::Projects | What::Project => {
                Resource::new("projects", "Project", project::ORDERS).changed(project::CHANGES)
            }
            What::Users | What::User => {
                Resource::new("users", "User", user::ORDERS).changed(user::CHANGES)
            }
            What::People | What::Person => Resource::new("people", "Person", person::ORDERS),
            What::Patches => patches().changed(patch::changes_of_many()),
            What::Patch => patches().changed(patch::CHANGES),
            What::PatchDiff => Resource::new::<()>("patch_diff", "PatchComparison", &[]),
            What::PatchComments | What::PatchComment => comments("patch_comments"),
            What::CoverComments | What::CoverComment => comments("cover_comments"),
            What::Checks | What::Check => Resource::new("checks", "Check", check::ORDERS)
                .filtered(check::FILTERS)
                .without_words()
                .changed(check::CHANGES),
            What::Covers | What::Cover => {
                Resource::new("covers", "Cover", cover::ORDERS).filtered(cover::FILTERS)
            }
            What::AllSeries | What::Series => Resource::new("series", "Series", series::ORDERS)
                .filtered(series::FILTERS)
                .changed(series::CHANGES),
            What::SeriesDiff => Resource::new::<()>("series_diff", "SeriesComparison", &[]),
            What::Bundles | What::Bundle => Resource::new("bundles", "Bundle", bundle::ORDERS)
                .filtered(bundle::FILTERS)
                .changed(bundle::CHANGES),
            What::Events => Resource::new("events", "Event", event::ORDERS)
                .filtered(event::FILTERS)
                .without_words(),
        }
    }
}
