//! Bundles: users' ordered collections of patches (`rest.md §8.10`).

use std::{collections::HashMap, sync::Arc};

use super::{
    answer::Reply,
    embed::{self, MailRef, UserRef},
    endpoint::Body,
    error::{Faults, Problem, Result},
    field::{self, Change, Field, Holds, Takes},
    filter::{Filter, Means},
    input::{Input, Text},
    json::Json,
    page::{self, Page},
    patch::known,
    person::users,
    query::some,
    request::{Cx, Projects},
    version::Version::V1_1,
};
use crate::{
    auth::Caller,
    domain::{BundleId, PatchId, Project, bundle::is_name, permission::Scope},
    store::{
        self, Conn, Tx,
        bundle::{Bundle, By, Search},
        patch::search::{self, Brief},
    },
};

/// A bundle as the API shows it.
pub struct Item {
    bundle: Bundle,
    project: Arc<Project>,
    owner: UserRef,
    patches: Vec<MailRef>,
}

impl Item {
    fn path(&self, cx: &Cx<'_>) -> String {
        cx.site
            .links
            .bundle(&self.owner.username, &self.bundle.name)
    }
}

/// The fields of a bundle.
pub const FIELDS: &[Field<Item>] = &[
    Field::<Item>::new("id", Holds::Int, |it, _, json| json.int(it.bundle.id.0)),
    Field::<Item>::new("url", Holds::Url, |it, cx, json| {
        cx.write_url(json, &format!("bundles/{}/", it.bundle.id));
    }),
    Field::<Item>::new("web_url", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&it.path(cx)))
    })
    .since(V1_1),
    Field::<Item>::new("project", Holds::One("Project"), |it, cx, json| {
        field::write(embed::PROJECT, &*it.project, true, cx, json);
    }),
    Field::<Item>::new("name", Holds::Text, |it, _, json| {
        json.text(&it.bundle.name)
    }),
    Field::<Item>::new("owner", Holds::One("User"), |it, cx, json| {
        field::write(embed::USER, &it.owner, true, cx, json);
    }),
    Field::<Item>::new("patches", Holds::Many("Patch"), |it, cx, json| {
        json.list(&it.patches, |json, one| {
            field::write(embed::PATCH, one, true, cx, json)
        });
    }),
    Field::<Item>::new("public", Holds::Bool, |it, _, json| {
        json.bool(it.bundle.public)
    }),
    Field::<Item>::new("mbox", Holds::Url, |it, cx, json| {
        json.text(&cx.web(&format!("{}mbox/", it.path(cx))));
    }),
];

/// What lists may be sorted by.
pub const ORDERS: &[(&str, By)] = &[("id", By::Id), ("name", By::Name), ("owner", By::Owner)];

/// What lists may be filtered by.
pub const FILTERS: &[Filter] = &[
    Filter::new("project", Means::Project),
    Filter::new("owner", Means::User),
    Filter::new("public", Means::Bool),
];

/// What may be written.
pub const CHANGES: &[Change] = &[
    Change::new("name", Takes::Like(ONE_SEGMENT, &["number"], NAME)).required(),
    Change::new("patches", Takes::Ids(1, usize::MAX)).required(),
    Change::new("public", Takes::Flag),
];

/// A part of an address, not blank.
const ONE_SEGMENT: &str = r"^(?!\s*\.\.?\s*$)[^/\n\u0000]*[^\s/\u0000][^/\n\u0000]*$";

/// Answers the bundles that the caller may see.
pub async fn list(cx: &Cx<'_>) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let page = Page::asked(cx)?;
    let projects = cx.projects(&mut conn).await?;
    let owners = cx.users(&mut conn, "owner").await?;
    let search = (|| {
        Some(Search {
            viewer: cx.caller.as_ref().map(|caller| caller.user.id),
            projects: some(projects)?,
            owners: some(owners)?,
            public: cx.query.bool("public"),
            words: cx.query.words(),
        })
    })();
    let Some(search) = search else {
        return page::empty(cx);
    };
    let place = page.within(store::bundle::count(&mut conn, &search).await?)?;
    let order = cx.query.order(ORDERS);
    let found = store::bundle::page(&mut conn, &search, &order, place.window()).await?;
    let items = items(&mut conn, found.rows).await?;
    Ok(place.answer(cx, items, found.next, |json, it| {
        field::write(FIELDS, it, false, cx, json);
    }))
}

/// Answers one bundle.
pub async fn detail(cx: &Cx<'_>, id: i64) -> Result<Reply> {
    let mut conn = cx.reader().await?;
    let bundle = visible(cx, &mut conn, id).await?;
    let (json, _) = told(cx, &mut conn, bundle).await?;
    Ok(Reply::ok(json))
}

/// Returns a bundle; one that may not be seen is not there.
async fn visible(cx: &Cx<'_>, conn: &mut Conn, id: i64) -> Result<Bundle> {
    let bundle = store::bundle::by_id(conn, BundleId(id)).await?;
    let viewer = cx.caller.as_ref().map(|caller| caller.user.id);
    bundle
        .filter(|bundle| bundle.public || viewer == Some(bundle.owner_id))
        .ok_or(Problem::Missing("Bundle"))
}

/// Returns a bundle as JSON, and its address.
async fn told(cx: &Cx<'_>, conn: &mut Conn, bundle: Bundle) -> Result<(String, String)> {
    let url = cx.url(&format!("bundles/{}/", bundle.id));
    let items = items(conn, vec![bundle]).await?;
    let item = items.first().ok_or(Problem::Missing("Bundle"))?;
    let mut json = Json::default();
    field::write(FIELDS, item, true, cx, &mut json);
    Ok((json.into_string(), url))
}

async fn items(conn: &mut Conn, bundles: Vec<Bundle>) -> Result<Vec<Item>> {
    let ids: Vec<BundleId> = bundles.iter().map(|bundle| bundle.id).collect();
    let contents = store::bundle::contents(conn, &ids).await?;
    let patches: Vec<PatchId> = contents.iter().map(|(_, patch)| *patch).collect();
    let found = search::briefs(conn, &patches).await?;
    let briefs: HashMap<PatchId, &Brief> = found.iter().map(|it| (it.id, it)).collect();
    let of_bundles = bundles.iter().map(|bundle| bundle.project_id);
    let of_patches = found.iter().map(|brief| brief.project_id);
    let projects = Projects::read(conn, of_bundles.chain(of_patches).collect()).await?;
    let owners = users(conn, bundles.iter().map(|bundle| bundle.owner_id).collect()).await?;
    let mail = |patch: &PatchId| {
        let brief = briefs.get(patch)?;
        Some(MailRef::patch(brief, projects.get(brief.project_id)?))
    };
    let item = |bundle: Bundle| {
        let own = contents.iter().filter(|(of, _)| *of == bundle.id);
        Some(Item {
            project: projects.get(bundle.project_id)?.clone(),
            owner: owners.get(&bundle.owner_id)?.clone(),
            patches: own.filter_map(|(_, patch)| mail(patch)).collect(),
            bundle,
        })
    };
    Ok(bundles.into_iter().filter_map(item).collect())
}

/// What a body says of a bundle.
#[derive(Default)]
struct Asked {
    name: Option<String>,
    public: Option<bool>,
    patches: Option<Vec<Brief>>,
}

const NAME: Text = Text {
    most: 50,
    blank: false,
    null: false,
};

async fn asked(tx: &mut Tx, input: &Input, is_whole: bool, faults: &mut Faults) -> Result<Asked> {
    let mut asked = Asked::default();
    match input.get("name") {
        Some(given) => asked.name = faults.take("name", given.text(NAME)).flatten(),
        None if is_whole => faults.add("name", "This field is required."),
        None => {}
    }
    if asked.name.as_deref().is_some_and(|name| name.contains('/')) {
        faults.add("name", "Bundle names can't contain slashes");
    } else if asked.name.as_deref().is_some_and(|name| !is_name(name)) {
        faults.add("name", "Not a valid name.");
    }
    match input.get("patches").map(|given| given.ids()) {
        Some(read) => {
            if let Some(ids) = faults.take("patches", read) {
                asked.patches = Some(contents(tx, &ids, faults).await?);
            }
        }
        None if is_whole => faults.add("patches", "This field is required."),
        None => {}
    }
    asked.public = input.flag("public", is_whole, faults);
    Ok(asked)
}

async fn contents(tx: &mut Tx, ids: &[i64], faults: &mut Faults) -> Result<Vec<Brief>> {
    if ids.is_empty() {
        faults.add("patches", "Bundles cannot be empty");
    }
    let found = known(tx, "patches", ids, faults).await?;
    let mut projects = found.iter().map(|brief| brief.project_id);
    let first = projects.next();
    if projects.any(|project| Some(project) != first) {
        faults.add("patches", "Bundle patches must belong to the same project");
    }
    Ok(found)
}

/// Makes a bundle.
pub async fn create(cx: &Cx<'_>, body: Body) -> Result<Reply> {
    let caller = cx.writer(Scope::Write)?;
    let input = body.read().await?;
    let mut tx = cx.begin().await?;
    let mut faults = Faults::default();
    let asked = asked(&mut tx, &input, true, &mut faults).await?;
    let asked = faults.none(asked)?;
    let patches = asked.patches.unwrap_or_default();
    let name = asked.name.unwrap_or_default();
    let Some(project) = patches.first().map(|brief| brief.project_id) else {
        return Err(Faults::one("patches", "Bundles cannot be empty"));
    };
    let public = asked.public.unwrap_or_default();
    free(&mut tx, caller, &name, None).await?;
    let id = store::bundle::insert(&mut tx, caller.user.id, project, &name, public)
        .await
        .map_err(refused)?;
    let ids: Vec<PatchId> = patches.iter().map(|brief| brief.id).collect();
    store::bundle::append(&mut tx, id, &ids).await?;
    let bundle = visible(cx, &mut tx, id.0).await?;
    let (json, location) = told(cx, &mut tx, bundle).await?;
    tx.commit().await?;
    Ok(Reply::created(json, location))
}

/// Sees that the owner has no other bundle of this name.
async fn free(tx: &mut Tx, caller: &Caller, name: &str, own: Option<BundleId>) -> Result<()> {
    let other = store::bundle::by_name(tx, &caller.user.username, name).await?;
    match other.filter(|other| Some(other.id) != own) {
        None => Ok(()),
        Some(_) => Err(taken()),
    }
}

fn taken() -> Problem {
    Faults::one("name", "A bundle with this name already exists.")
}

/// Somebody else may have taken the name since it was seen to be free.
fn refused(error: store::Error) -> Problem {
    match error.is_duplicate() {
        true => taken(),
        false => error.into(),
    }
}

/// Returns a bundle that the caller may change.
async fn own<'a>(cx: &'a Cx<'_>, tx: &mut Tx, id: i64) -> Result<(Bundle, &'a Caller)> {
    let bundle = visible(cx, tx, id).await?;
    let caller = cx.writer(Scope::Write)?;
    match caller.user.id == bundle.owner_id {
        true => Ok((bundle, caller)),
        false => Err(Problem::Forbidden),
    }
}

/// Changes a bundle.
pub async fn update(cx: &Cx<'_>, id: i64, body: Body, is_put: bool) -> Result<Reply> {
    let mut tx = cx.begin().await?;
    let (mut bundle, caller) = own(cx, &mut tx, id).await?;
    let input = body.read().await?;
    let mut faults = Faults::default();
    let asked = asked(&mut tx, &input, is_put, &mut faults).await?;
    let asked = faults.none(asked)?;
    bundle.public = asked.public.unwrap_or(bundle.public);
    if let Some(name) = asked.name {
        free(&mut tx, caller, &name, Some(bundle.id)).await?;
        bundle.name = name;
    }
    if let Some(patches) = &asked.patches {
        let ids: Vec<PatchId> = patches.iter().map(|brief| brief.id).collect();
        store::bundle::overwrite(&mut tx, bundle.id, &ids).await?;
        bundle.project_id = patches
            .first()
            .map_or(bundle.project_id, |it| it.project_id);
    }
    store::bundle::update(&mut tx, &bundle)
        .await
        .map_err(refused)?;
    let (json, _) = told(cx, &mut tx, bundle).await?;
    tx.commit().await?;
    Ok(Reply::ok(json))
}

/// Deletes a bundle.
pub async fn delete(cx: &Cx<'_>, id: i64) -> Result<Reply> {
    let mut tx = cx.begin().await?;
    let (bundle, _) = own(cx, &mut tx, id).await?;
    store::bundle::delete(&mut tx, bundle.id).await?;
    tx.commit().await?;
    Ok(Reply::gone())
}
