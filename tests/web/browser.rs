//! A browser as far as servers know one: it keeps cookies, sends forms, follows where it is sent.

use std::{cell::RefCell, collections::BTreeMap};

use patchwork::{
    auth::{
        self,
        session::{self, Browser as About},
    },
    domain::{Timestamp, UserId},
    store::Db,
};
use rocket::{
    http::{ContentType, Cookie, Header},
    local::asynchronous::Client,
};

use super::seed::Seen;

/// A browser with its cookies.
pub struct Browser<'a> {
    client: &'a Client,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    /// One that was never here.
    pub fn new(client: &'a Client) -> Browser<'a> {
        Browser {
            client,
            cookies: RefCell::default(),
        }
    }

    /// One in which a user is logged in.
    pub async fn of(client: &'a Client, db: &Db, user: i64) -> Browser<'a> {
        let key = session::new_key().expect("a key");
        let mut tx = db.begin().await.expect("a transaction");
        let now = Timestamp::now();
        session::begin(&mut tx, &key, UserId(user), About::default(), now)
            .await
            .expect("a session");
        tx.commit().await.expect("a commit");
        let browser = Browser::new(client);
        browser.keep(session::COOKIE, &key);
        browser.keep(auth::csrf::COOKIE, &"0".repeat(64));
        browser
    }

    /// Has a cookie from now on.
    pub fn keep(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.borrow_mut();
        cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Returns a cookie it has; empty for none.
    pub fn cookie(&self, name: &str) -> String {
        self.cookies.borrow().get(name).cloned().unwrap_or_default()
    }

    pub async fn get(&self, path: &str) -> Seen {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&'static str, &str)]) -> Seen {
        let mut request = self.client.get(path.to_owned());
        for (name, value) in headers {
            request.add_header(Header::new(*name, (*value).to_owned()));
        }
        self.send(request).await
    }

    /// Sends a form with the token of its page.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        self.post_with(path, fields, &[]).await
    }

    /// Sends a form with the token of its page, and with headers.
    pub async fn post_with(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&'static str, &str)],
    ) -> Seen {
        let token = self.cookie(auth::csrf::COOKIE);
        let mut all = vec![(auth::csrf::FIELD, token.as_str())];
        all.extend_from_slice(fields);
        self.send_form(path, &all, headers).await
    }

    /// Sends a form without a token.
    pub async fn post_plainly(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        self.send_form(path, fields, &[]).await
    }

    async fn send_form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&'static str, &str)],
    ) -> Seen {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut request = self
            .client
            .post(path.to_owned())
            .header(ContentType::Form)
            .body(body);
        for (name, value) in headers {
            request.add_header(Header::new(*name, (*value).to_owned()));
        }
        self.send(request).await
    }

    /// Sends a form and opens what it leads to.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let seen = self.post(path, fields).await;
        assert_eq!(seen.status, 303, "{path}: {}", seen.body);
        // What follows # stays with the browser.
        let address = seen.header("Location").split('#').next();
        self.get(address.unwrap_or_default()).await
    }

    async fn send(&self, mut request: rocket::local::asynchronous::LocalRequest<'_>) -> Seen {
        for (name, value) in self.cookies.borrow().iter() {
            request = request.cookie(Cookie::new(name.clone(), value.clone()));
        }
        let seen = Seen::of(request.dispatch().await).await;
        for set in seen.headers("Set-Cookie") {
            let cookie = Cookie::parse_encoded(set).expect("a cookie");
            match cookie.value() {
                "" => drop(self.cookies.borrow_mut().remove(cookie.name())),
                value => self.keep(cookie.name(), value),
            }
        }
        seen
    }
}
