//! All addresses: what is there, since which version, with which methods (`rest.md §1.2`).

use rocket::http::Method;

use super::{
    answer::Reply,
    bundle, check, comment, comparison, cover,
    error::{Problem, Result},
    event, index, patch, person, project,
    query::number,
    request::Cx,
    series, user,
    version::Version::{self, V1_0, V1_1, V1_2, V1_3, V1_5},
};

/// What an address is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The addresses of the lists.
    Index,
    /// All projects.
    Projects,
    /// One project.
    Project,
    /// All users.
    Users,
    /// One user.
    User,
    /// All people.
    People,
    /// One person.
    Person,
    /// All patches.
    Patches,
    /// One patch.
    Patch,
    /// What changed from one patch to another.
    PatchDiff,
    /// The comments on a patch.
    PatchComments,
    /// One of them.
    PatchComment,
    /// The checks of a patch.
    Checks,
    /// One of them.
    Check,
    /// All cover letters.
    Covers,
    /// One cover letter.
    Cover,
    /// The comments on a cover letter.
    CoverComments,
    /// One of them.
    CoverComment,
    /// All series.
    AllSeries,
    /// One series.
    Series,
    /// What changed from one series to another.
    SeriesDiff,
    /// All bundles that may be seen.
    Bundles,
    /// One bundle.
    Bundle,
    /// What happened.
    Events,
}

/// An address.
pub struct Endpoint {
    /// What is there.
    pub what: What,
    /// Its path after the version; `{id}` stands for digits, `{name}` for any text.
    pub path: &'static str,
    /// Since which version it is there.
    pub since: Version,
    /// The methods besides HEAD and OPTIONS, in the order in which `Allow` has them.
    pub methods: &'static [Method],
    /// Since which version there are other methods than GET.
    pub written_since: Version,
    /// What it is called.
    pub title: &'static str,
}

const READ: &[Method] = &[Method::Get];
const CHANGE: &[Method] = &[Method::Get, Method::Put, Method::Patch];

const fn endpoint(
    what: What,
    path: &'static str,
    methods: &'static [Method],
    title: &'static str,
) -> Endpoint {
    Endpoint {
        what,
        path,
        since: V1_0,
        methods,
        written_since: V1_0,
        title,
    }
}

impl Endpoint {
    const fn since(self, since: Version) -> Endpoint {
        Endpoint { since, ..self }
    }

    const fn written_since(self, written_since: Version) -> Endpoint {
        Endpoint {
            written_since,
            ..self
        }
    }

    /// Says whether it has a method in a version.
    pub fn has(&self, method: Method, version: Version) -> bool {
        let is_known = method == Method::Get || self.written_since <= version;
        is_known && self.methods.contains(&method)
    }

    /// Returns the methods that write in a version.
    pub fn methods_of(&self, version: Version) -> Vec<Method> {
        let methods = self.methods.iter().copied();
        methods
            .filter(|method| *method != Method::Get && self.has(*method, version))
            .collect()
    }

    /// Says whether it is a list.
    pub fn is_list(&self) -> bool {
        self.what != What::Index && !self.path.ends_with("}/")
    }

    /// Returns the header `Allow`. Compatibility: it is the same in every version.
    pub fn allow(&self) -> String {
        let names = self.methods.iter().map(|method| method.as_str());
        let all: Vec<&str> = names.chain(["HEAD", "OPTIONS"]).collect();
        all.join(", ")
    }

    /// Says whether it is for people who are logged in only.
    pub fn is_private(&self) -> bool {
        matches!(
            self.what,
            What::Users | What::User | What::People | What::Person
        )
    }

    /// Returns what stands in the places of the path, if this is the path.
    fn places(&self, segments: &[String]) -> Option<Vec<String>> {
        let mut parts = self.path.split('/').filter(|part| !part.is_empty());
        let mut places = Vec::new();
        for segment in segments {
            match parts.next()? {
                "{id}" => places.extend(Some(number(segment).map(|_| segment.clone())?)),
                // No name has a NUL, and PostgreSQL cannot be asked for one.
                "{name}" if segment.contains('\0') => return None,
                "{name}" => places.push(segment.clone()),
                part if part == segment => {}
                _ => return None,
            }
        }
        parts.next().is_none().then_some(places)
    }
}

/// Every address.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint(What::Index, "", READ, "Index"),
    endpoint(What::Projects, "projects/", READ, "Projects"),
    endpoint(What::Project, "projects/{name}/", CHANGE, "Project"),
    endpoint(What::Users, "users/", READ, "Users"),
    endpoint(What::User, "users/{id}/", CHANGE, "User"),
    endpoint(What::People, "people/", READ, "People"),
    endpoint(What::Person, "people/{id}/", READ, "Person"),
    endpoint(
        What::Patches,
        "patches/",
        &[Method::Get, Method::Patch],
        "Patches",
    ),
    endpoint(What::Patch, "patches/{id}/", CHANGE, "Patch"),
    endpoint(
        What::PatchDiff,
        "patches/{id}/diff/{id}/",
        READ,
        "What changed between patches",
    )
    .since(V1_5),
    endpoint(
        What::PatchComments,
        "patches/{id}/comments/",
        READ,
        "Comments of a patch",
    )
    .since(V1_1),
    endpoint(
        What::PatchComment,
        "patches/{id}/comments/{id}/",
        CHANGE,
        "Comment of a patch",
    )
    .since(V1_3),
    endpoint(
        What::Checks,
        "patches/{id}/checks/",
        &[Method::Get, Method::Post],
        "Checks",
    ),
    endpoint(What::Check, "patches/{id}/checks/{id}/", READ, "Check"),
    endpoint(What::Covers, "covers/", READ, "Covers"),
    endpoint(What::Cover, "covers/{id}/", READ, "Cover"),
    endpoint(
        What::CoverComments,
        "covers/{id}/comments/",
        READ,
        "Comments of a cover",
    )
    .since(V1_1),
    endpoint(
        What::CoverComment,
        "covers/{id}/comments/{id}/",
        CHANGE,
        "Comment of a cover",
    )
    .since(V1_3),
    endpoint(What::AllSeries, "series/", READ, "Series"),
    endpoint(
        What::Series,
        "series/{id}/",
        &[Method::Get, Method::Patch],
        "Series",
    )
    .written_since(V1_5),
    endpoint(
        What::SeriesDiff,
        "series/{id}/diff/{id}/",
        READ,
        "What changed between series",
    )
    .since(V1_5),
    endpoint(
        What::Bundles,
        "bundles/",
        &[Method::Get, Method::Post],
        "Bundles",
    )
    .written_since(V1_2),
    endpoint(
        What::Bundle,
        "bundles/{id}/",
        &[Method::Get, Method::Put, Method::Patch, Method::Delete],
        "Bundle",
    )
    .written_since(V1_2),
    endpoint(What::Events, "events/", READ, "Events"),
];

/// Returns the address that these segments are, and what stands in its places.
pub fn find(version: Version, segments: &[String]) -> Option<(&'static Endpoint, Vec<String>)> {
    let known = ENDPOINTS.iter().filter(|it| it.since <= version);
    known
        .filter_map(|it| it.places(segments).map(|places| (it, places)))
        .next()
}

/// Answers a request for an address.
///
/// # Errors
/// When it is not answered as asked.
pub async fn run(
    what: What,
    places: &[String],
    method: Method,
    cx: &Cx<'_>,
    body: Body,
) -> Result<Reply> {
    let id = |place: usize| places.get(place).and_then(|text| number(text)).unwrap_or(0);
    let is_put = method == Method::Put;
    match (what, method) {
        (What::Index, _) => Ok(index::detail(cx)),
        (What::Projects, _) => project::list(cx).await,
        (What::Project, Method::Get) => project::detail(cx, &places[0]).await,
        (What::Project, _) => project::update(cx, &places[0], body, is_put).await,
        (What::Users, _) => user::list(cx).await,
        (What::User, Method::Get) => user::detail(cx, id(0)).await,
        (What::User, _) => user::update(cx, id(0), body, is_put).await,
        (What::People, _) => person::list(cx).await,
        (What::Person, _) => person::detail(cx, id(0)).await,
        (What::Patches, Method::Get) => patch::list(cx).await,
        (What::Patches, _) => patch::update_many(cx, body).await,
        (What::Patch, Method::Get) => patch::detail(cx, id(0)).await,
        (What::Patch, _) => patch::update(cx, id(0), body, is_put).await,
        (What::PatchDiff, _) => comparison::of_patches(cx, id(0), id(1)).await,
        (What::PatchComments, _) => comment::of_patch(cx, id(0)).await,
        (What::PatchComment, Method::Get) => comment::detail_of_patch(cx, id(0), id(1)).await,
        (What::PatchComment, _) => comment::update_of_patch(cx, id(0), id(1), body).await,
        (What::Checks, Method::Get) => check::list(cx, id(0)).await,
        (What::Checks, _) => check::create(cx, id(0), body).await,
        (What::Check, _) => check::detail(cx, id(0), id(1)).await,
        (What::Covers, _) => cover::list(cx).await,
        (What::Cover, _) => cover::detail(cx, id(0)).await,
        (What::CoverComments, _) => comment::of_cover(cx, id(0)).await,
        (What::CoverComment, Method::Get) => comment::detail_of_cover(cx, id(0), id(1)).await,
        (What::CoverComment, _) => comment::update_of_cover(cx, id(0), id(1), body).await,
        (What::AllSeries, _) => series::list(cx).await,
        (What::Series, Method::Get) => series::detail(cx, id(0)).await,
        (What::Series, _) => series::update(cx, id(0), body).await,
        (What::SeriesDiff, _) => comparison::of_series(cx, id(0), id(1)).await,
        (What::Bundles, Method::Get) => bundle::list(cx).await,
        (What::Bundles, _) => bundle::create(cx, body).await,
        (What::Bundle, Method::Get) => bundle::detail(cx, id(0)).await,
        (What::Bundle, Method::Delete) => bundle::delete(cx, id(0)).await,
        (What::Bundle, _) => bundle::update(cx, id(0), body, is_put).await,
        (What::Events, _) => event::list(cx).await,
    }
}

/// The body of a request, not read yet: whether it makes sense is only asked of those who may send it.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// What it says it is.
    pub kind: Option<String>,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether there were more bytes than the site takes.
    pub is_cut: bool,
}

impl Body {
    /// Reads it.
    ///
    /// # Errors
    /// When it is too large, of no known type, or not of its type.
    pub async fn read(self) -> Result<super::input::Input> {
        match self.is_cut {
            true => Err(Problem::TooLarge),
            false => super::input::Input::read(self.kind.as_deref(), self.bytes).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_by_version() {
        let of = |version, path: &str| {
            let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
            find(version, &segments).map(|(it, places)| (it.what, places))
        };
        let places = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(of(V1_0, "patches"), Some((What::Patches, vec![])));
        assert_eq!(of(V1_0, "patches/7"), Some((What::Patch, places(&["7"]))));
        assert_eq!(of(V1_0, "patches/x"), None);
        assert_eq!(
            of(V1_0, "projects/dev"),
            Some((What::Project, places(&["dev"])))
        );
        assert_eq!(of(V1_0, "patches/1/comments"), None);
        assert_eq!(
            of(V1_1, "patches/1/comments"),
            Some((What::PatchComments, places(&["1"])))
        );
        assert_eq!(of(V1_2, "patches/1/comments/2"), None);
        assert_eq!(
            of(V1_3, "patches/1/comments/2"),
            Some((What::PatchComment, places(&["1", "2"])))
        );
        assert_eq!(of(V1_3, "nosuch"), None);
        assert_eq!(find(V1_0, &[]).map(|(it, _)| it.what), Some(What::Index));
    }
}
