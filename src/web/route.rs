//! What holds for every route, made from the route table: the closing slash, and methods that are not offered.

use std::collections::BTreeMap;

use rocket::{
    Data, Request, Response, Route,
    http::{Method, Status},
    route::{Handler, Outcome},
};

use rocket_db_pools::Database;

use super::{
    clock, error, guard,
    visit::{self, Visit},
};
use crate::{auth::session, domain::link::slashed, store};

/// Routes of pages: their addresses end in a slash, others are sent there.
pub fn pages(routes: Vec<Route>) -> Vec<Route> {
    let closed = routes.into_iter().map(|mut route| {
        if route.method == Method::Get {
            route.handler = Box::new(Slashed(route.handler));
        }
        route
    });
    files(closed.collect())
}

/// Routes that read the database: without one the answer is a page that says so.
pub fn reading(mut routes: Vec<Route>) -> Vec<Route> {
    for route in &mut routes {
        route.handler = Box::new(Reading(route.handler.clone()));
    }
    routes
}

/// Routes that need no database, but know who is looking if there is one.
pub fn knowing(mut routes: Vec<Route>) -> Vec<Route> {
    for route in &mut routes {
        route.handler = Box::new(Knowing(route.handler.clone()));
    }
    routes
}

/// Routes as they are, and beside each one that refuses all other methods.
pub fn files(mut routes: Vec<Route>) -> Vec<Route> {
    let mut offered: BTreeMap<String, Vec<Method>> = BTreeMap::new();
    for route in &routes {
        offered
            .entry(route.uri.to_string())
            .or_default()
            .push(route.method);
    }
    for (uri, methods) in offered {
        let others = [
            Method::Get,
            Method::Post,
            Method::Put,
            Method::Patch,
            Method::Delete,
            Method::Options,
        ];
        for method in others {
            if !methods.contains(&method) {
                let refuse = Refuse {
                    allow: allow(&methods),
                };
                routes.push(Route::ranked(50, method, &uri, refuse));
            }
        }
    }
    routes
}

fn allow(methods: &[Method]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for method in methods {
        names.push(method.as_str());
        if *method == Method::Get {
            names.push("HEAD");
        }
    }
    names.join(", ")
}

/// Lends the database to a handler.
#[derive(Clone)]
struct Reading(Box<dyn Handler>);

#[rocket::async_trait]
impl Handler for Reading {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        if request.uri().path().raw().as_str().contains("%00") {
            // No name or id has a NUL, and PostgreSQL takes it for an error to ask.
            return Outcome::Success(error::response(request, Status::NotFound, None));
        }
        match guard::lend(request).await {
            Ok(()) => match clock::within(request, self.0.handle(request, data)).await {
                Outcome::Success(response) if response.status() == Status::NotFound => {
                    Outcome::Success(moved(request).await.unwrap_or(response))
                }
                outcome => outcome,
            },
            Err(status) => Outcome::Success(error::response(request, status, None)),
        }
    }
}

/// Leads on from a page of a project that had this name before. Looked up only for pages that are not there.
async fn moved<'r>(request: &'r Request<'_>) -> Option<Response<'r>> {
    if request.method() != Method::Get {
        return None;
    }
    let view = guard::View::of(request);
    let before = error::linkname(&view, request)?;
    let database = store::Database::fetch(request.rocket())?;
    let now = async {
        let mut conn = database.0.reader().await?;
        store::project::renamed(&mut conn, &before).await
    };
    let now = now.await.ok().flatten()?;
    let uri = request.uri();
    let below = uri
        .path()
        .raw()
        .as_str()
        .strip_prefix(view.links().base())?;
    let (_, rest) = below.strip_prefix("/project/")?.split_once('/')?;
    let path = format!("{}{rest}", view.links().project(&now));
    let query = uri.query().map(|query| query.as_str());
    let address = slashed(path.trim_end_matches('/'), query);
    let mut response = Response::new();
    response.set_status(Status::MovedPermanently);
    response.set_raw_header("Location", address);
    Some(response)
}

/// Finds out who is looking, if that is possible.
#[derive(Clone)]
struct Knowing(Box<dyn Handler>);

#[rocket::async_trait]
impl Handler for Knowing {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        if let Some(database) = store::Database::fetch(request.rocket())
            && request.cookies().get(session::COOKIE).is_some()
        {
            let read = async { visit::read(request, &mut database.0.reader().await?).await };
            let visit: Visit = read.await.unwrap_or_default();
            request.local_cache(|| visit);
        }
        clock::within(request, self.0.handle(request, data)).await
    }
}

/// Sends an address without the closing slash to the one with it.
#[derive(Clone)]
struct Slashed(Box<dyn Handler>);

#[rocket::async_trait]
impl Handler for Slashed {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let path = request.uri().path().raw().as_str();
        if path.ends_with('/') {
            return self.0.handle(request, data).await;
        }
        let query = request.uri().query().map(|query| query.raw().as_str());
        let target = slashed(path, query);
        Outcome::Success(
            Response::build()
                .status(Status::MovedPermanently)
                .raw_header("Location", target)
                .finalize(),
        )
    }
}

/// Answers a method that a page does not have.
#[derive(Clone)]
struct Refuse {
    allow: String,
}

#[rocket::async_trait]
impl Handler for Refuse {
    async fn handle<'r>(&self, request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        let mut response = error::response(request, Status::MethodNotAllowed, None);
        response.set_raw_header("Allow", self.allow.clone());
        Outcome::Success(response)
    }
}
