//! What others rely on, as far as it belongs to no single page (`web.md`, rows marked [C]): addresses, names of cookies and
//! fields, what a list's keys mean, what downloads are called.

use patchwork::{
    auth,
    store::{Db, sql},
};
use rocket::{
    http::{ContentType, Cookie, Header, Method},
    local::asynchronous::Client,
};

use super::{
    admin,
    browser::Browser,
    letters,
    people::world,
    seed::{self, Patch, Seen, get, get_with},
};

const PASSWORD: &str = "low-tide-at-noon";
const NAMES: &str = "td.c-name a";

/// Addresses of pages with their methods, as the site has them.
fn routes(site: &Client, method: Method) -> Vec<String> {
    let routes = site.rocket().routes();
    let own = routes.filter(|route| route.method == method && route.rank < 50);
    own.map(|route| route.uri.to_string()).collect()
}

/// Returns an address of this shape.
fn filled(uri: &str) -> String {
    let part = |part: &'_ str| match part {
        "<linkname>" => "one".to_owned(),
        "<_..>" => "a@h".to_owned(),
        part if part.starts_with('<') => "1".to_owned(),
        part => part.to_owned(),
    };
    uri.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// §1.1, §2: every page ends in a slash and is found without one; forms are taken with and without.
pub async fn addresses_end_in_a_slash(db: &Db) {
    let project = seed::project(db, "one").await;
    seed::any_patch(db, project).await;
    let user = seed::user(db, "ann", None).await;
    let site = seed::site(db, |options| options.rest_api = true).await;
    let browser = Browser::of(&site, db, user).await;
    let files = [
        "/static/", "/favicon", "/robots", "/healthz", "/readyz", "/metrics",
    ];
    let is_file = |uri: &String| {
        uri == "/" || uri.ends_with(".atom") || files.iter().any(|file| uri.starts_with(file))
    };
    for uri in routes(&site, Method::Get) {
        if is_file(&uri) || uri.starts_with("/-/") {
            continue;
        }
        let path = filled(&uri);
        let seen = browser.get(&format!("{path}?a=b&c=%26")).await;
        let expected = format!("{path}/?a=b&c=%26");
        assert_eq!(
            (seen.status, seen.header("Location")),
            (301, expected.as_str()),
            "{uri}"
        );
    }
    for uri in routes(&site, Method::Post) {
        let path = filled(&uri);
        // That a form comes from nowhere is seen before anything else, and only by what takes it. Mail programs send one
        // from wherever they are (RFC 8058): its key is the proof, and 1 is none.
        let refused = match uri.as_str() {
            "/mail/unsubscribe/<key>" => 404,
            // So do those who mail to us, who have a secret; without one nothing is there.
            uri if uri.starts_with("/inbound/") => 404,
            _ => 403,
        };
        for path in [path.clone(), format!("{path}/")] {
            let seen = browser.post_plainly(&path, &[]).await;
            assert_eq!(seen.status, refused, "{path}");
        }
    }
    // A form that is taken without the slash does what it does with it.
    let made = [
        ("form_name", "createbundleform"),
        ("name", "x"),
        ("project", "1"),
    ];
    assert_eq!(browser.post("/user/bundles", &made).await.status, 303);
    assert_eq!(letters::count(db, "SELECT count(*) FROM bundle").await, 1);
}

/// §1.1: a project that is not there has no pages, whoever asks.
pub async fn projects_that_are_not_there_have_no_pages(db: &Db) {
    let root = admin::superuser(db, "root").await;
    let site = seed::site(db, |options| options.rest_api = true).await;
    let browser = Browser::of(&site, db, root).await;
    for method in [Method::Get, Method::Post] {
        let uris = routes(&site, method);
        let own = uris.iter().filter(|uri| uri.contains("<linkname>"));
        for uri in own {
            let mut path = filled(uri);
            if !path.ends_with(".atom") {
                path.push('/');
            }
            let seen = match method {
                Method::Get => browser.get(&path).await,
                _ => browser.post(&path, &[]).await,
            };
            assert_eq!(seen.status, 404, "{method} {path}");
        }
    }
}

/// §2: every address of the map with its methods, and none is missing.
pub async fn the_map_is_complete(db: &Db) {
    let site = seed::site(db, |options| options.rest_api = true).await;
    let (read, written) = (routes(&site, Method::Get), routes(&site, Method::Post));
    let both = [
        "/project/<linkname>/list",
        "/project/<linkname>/bundles",
        "/project/<linkname>/filter",
        "/project/<linkname>/filter/<id>",
        "/project/<linkname>/patch/<_..>",
        "/project/<linkname>/cover/<_..>",
        "/project/<linkname>/series/<id>",
        "/bundle/<username>/<name>",
        "/user",
        "/user/todo",
        "/user/todo/<linkname>",
        "/user/bundles",
        "/user/link",
        "/user/unlink/<id>",
        "/user/addresses",
        "/user/display",
        "/user/second-factor",
        "/user/delete",
        "/user/login",
        "/user/login/code",
        "/user/logout",
        "/user/password-change",
        "/user/password-reset",
        "/user/password-reset/<uid>/<token>",
        "/register",
        "/confirm/<key>",
        "/mail",
        "/mail/optout",
        "/mail/optin",
        "/mail/unsubscribe/<key>",
    ];
    for uri in both {
        assert!(read.contains(&uri.to_owned()), "GET {uri}");
        assert!(written.contains(&uri.to_owned()), "POST {uri}");
    }
    let only_read = [
        "/",
        "/project/<linkname>",
        "/project/<linkname>/pwclientrc",
        "/project/<linkname>/people/<id>",
        "/project/<linkname>/feed.atom",
        "/patch/<id>",
        "/patch/<id>/raw",
        "/patch/<id>/mbox",
        "/cover/<id>",
        "/cover/<id>/mbox",
        "/series/<id>",
        "/series/<id>/mbox",
        "/bundle/<username>/<name>/mbox",
        "/user/bundle/<id>",
        "/user/bundle/<id>/mbox",
        "/user/tokens",
        "/user/account",
        "/user/deleted",
        "/user/password-change/done",
        "/user/password-reset/mail-sent",
        "/about",
        "/search",
        "/news/list/<linkname>",
        "/news/patch/<id>",
        "/news/cover/<id>",
        "/news/series/<id>",
        "/search/help",
        "/submitter",
        "/delegate",
        "/help",
        "/help/about",
        "/help/pwclient",
        "/static/<name>",
        "/healthz",
        "/readyz",
        "/metrics",
        "/robots.txt",
        "/favicon.ico",
    ];
    for uri in only_read {
        assert!(read.contains(&uri.to_owned()), "GET {uri}");
        assert!(!written.contains(&uri.to_owned()), "POST {uri}");
    }
    for uri in [
        "/user/generate-token",
        "/inbound/mail",
        "/inbound/mail/mime",
    ] {
        assert!(written.contains(&uri.to_owned()), "POST {uri}");
        assert!(!read.contains(&uri.to_owned()), "GET {uri}");
    }
}

/// §1.4: what belongs to a user leads to the login and back.
pub async fn pages_of_users_lead_to_the_login(db: &Db) {
    let project = seed::project(db, "one").await;
    seed::any_patch(db, project).await;
    let site = seed::site(db, |options| options.rest_api = true).await;
    let anonymous = Browser::new(&site);
    anonymous.get("/user/login/").await;
    for path in [
        "/user/",
        "/user/todo/",
        "/user/todo/one/",
        "/user/bundles/",
        "/project/one/bundles/",
        "/user/link/",
        "/user/addresses/",
        "/user/display/",
        "/user/tokens/",
        "/user/account/",
        "/user/second-factor/",
        "/user/delete/",
        "/user/password-change/",
        "/admin/",
    ] {
        let seen = anonymous.get(path).await;
        let login = format!("/user/login/?next={path}");
        assert_eq!(
            (seen.status, seen.header("Location")),
            (302, login.as_str()),
            "{path}"
        );
    }
    for path in [
        "/user/",
        "/user/todo/",
        "/user/bundles/",
        "/user/link/",
        "/user/unlink/1/",
        "/user/generate-token/",
        "/user/password-change/",
        "/project/one/list/",
        "/project/one/patch/a@h/",
    ] {
        let seen = anonymous.post(path, &[]).await;
        let login = format!("/user/login/?next={path}");
        assert_eq!(
            (seen.status, seen.header("Location")),
            (302, login.as_str()),
            "{path}"
        );
    }
}

/// Sends a form as a script does: cookies by hand, nothing of a browser.
async fn scripted(
    site: &Client,
    path: &str,
    cookies: &[(&str, &str)],
    body: &str,
    headers: &[(&'static str, &str)],
) -> Seen {
    let mut request = site.post(path.to_owned()).header(ContentType::Form);
    for (name, value) in cookies {
        request = request.cookie(Cookie::new((*name).to_owned(), (*value).to_owned()));
    }
    for (name, value) in headers {
        request.add_header(Header::new(*name, (*value).to_owned()));
    }
    Seen::of(request.body(body).dispatch().await).await
}

fn cookie(seen: &Seen, name: &str) -> String {
    let begin = format!("{name}=");
    let set = seen
        .headers("Set-Cookie")
        .find(|set| set.starts_with(&begin));
    set.expect("a cookie").to_owned()
}

fn value(cookie: &str) -> &str {
    let (pair, _) = cookie.split_once(';').expect("attributes");
    pair.split_once('=').expect("a value").1
}

/// §1.3: scripts open the login, copy the cookie into the field, and send the form.
pub async fn scripts_log_in_as_they_always_did(db: &Db) {
    let ann = seed::user(db, "ann", None).await;
    let hash = auth::hash_password(PASSWORD).expect("a hash");
    admin::run(db, sql("UPDATE account SET password = $1").bind(hash)).await;
    let site = seed::site(db, |_| {}).await;
    let page = get(&site, "/user/login/").await;
    let set = cookie(&page, "csrftoken");
    assert!(
        set.contains("SameSite=Lax") && set.contains("Max-Age=31536000"),
        "{set}"
    );
    assert!(
        !set.contains("HttpOnly") && !set.contains("Secure"),
        "{set}"
    );
    let token = value(&set);
    let body = format!("csrfmiddlewaretoken={token}&username=ann&password={PASSWORD}");
    let referer = [("Referer", "http://localhost/user/login/")];
    let done = scripted(
        &site,
        "/user/login/",
        &[("csrftoken", token)],
        &body,
        &referer,
    )
    .await;
    assert_eq!((done.status, done.header("Location")), (303, "/user/"));
    let set = cookie(&done, "sessionid");
    for part in ["HttpOnly", "SameSite=Lax", "Max-Age=1209600", "Path=/"] {
        assert!(set.contains(part), "{part}: {set}");
    }
    // The header is as good as the field.
    let cookies = [("csrftoken", token), ("sessionid", value(&set))];
    let settings = "items_per_page=42";
    let refused = scripted(&site, "/user/", &cookies, settings, &[]).await;
    assert_eq!(refused.status, 403);
    let wrong = [("X-CSRFToken", "0".repeat(64))];
    let wrong = [(wrong[0].0, wrong[0].1.as_str())];
    let refused = scripted(&site, "/user/", &cookies, settings, &wrong).await;
    assert_eq!(refused.status, 403);
    let taken = scripted(
        &site,
        "/user/",
        &cookies,
        settings,
        &[("X-CSRFToken", token)],
    )
    .await;
    assert_eq!(taken.status, 303);
    let items = letters::count(db, "SELECT items_per_page FROM account").await;
    assert_eq!((items, ann), (42, 1));
}

/// §13.2: old links to log out show a button; opening a link logs nobody out.
pub async fn a_link_logs_nobody_out(db: &Db) {
    let ann = seed::user(db, "ann", None).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    let page = browser.get("/user/logout/").await;
    assert_eq!(
        page.values("main form[method=post]", "action"),
        ["/user/logout/"]
    );
    assert_eq!(browser.get("/user/").await.status, 200);
    let out = browser.post("/user/logout/", &[]).await;
    assert_eq!((out.status, out.header("Location")), (303, "/"));
    assert_eq!(browser.get("/user/").await.status, 302);
    assert_eq!(browser.get("/user/logout/").await.header("Location"), "/");
}

/// §1.3: cookies keep to https where the site or the request does.
pub async fn cookies_keep_to_https(db: &Db) {
    let plain = seed::site(db, |_| {}).await;
    let forced = seed::site(db, |options| options.force_https = true).await;
    let named = seed::site(db, |options| {
        options.site_url = Some("https://h.example".into())
    })
    .await;
    for (site, headers, is_secure) in [
        (&plain, &[][..], false),
        (&plain, &[("X-Forwarded-Proto", "https")][..], true),
        (&plain, &[("X-Forwarded-Proto", "http")][..], false),
        (&forced, &[][..], true),
        (&named, &[][..], true),
    ] {
        let page = get_with(site, "/user/login/", headers).await;
        let set = cookie(&page, "csrftoken");
        assert_eq!(set.contains("Secure"), is_secure, "{headers:?}: {set}");
    }
}

async fn names(site: &Client, query: &str) -> String {
    let page = get(site, &format!("/project/one/list/?{query}")).await;
    assert_eq!(page.status, 200, "{query}");
    page.texts(NAMES).join(" ")
}

/// §6.1: filters go together, the last value counts, blanks around it do not, a person is everything a user is.
pub async fn filters_mean_what_they_always_did(db: &Db) {
    let project = seed::project(db, "one").await;
    let zoe = seed::user(db, "zoe", None).await;
    let of = |name, msgid, from, day, state| Patch {
        project,
        name,
        msgid,
        from,
        day,
        state,
        ..Patch::default()
    };
    seed::patches(
        db,
        &[
            of("home", "<1@h>", ("Zoe", "zoe@home.example"), 1, 1),
            of("work", "<2@h>", ("Z. Ebb", "ebb@work.example"), 2, 1),
            of("other", "<3@h>", ("Zoe", "zoe@other.example"), 3, 1),
            of("done", "<4@h>", ("Zoe", "zoe@home.example"), 4, 3),
        ],
    )
    .await;
    let own =
        "UPDATE person SET account_id = $1 WHERE email IN ('zoe@home.example', 'ebb@work.example')";
    admin::run(db, sql(own).bind(zoe)).await;
    let id = letters::count(db, "SELECT id FROM person WHERE email = 'ebb@work.example'").await;
    let other = letters::count(
        db,
        "SELECT id FROM person WHERE email = 'zoe@other.example'",
    )
    .await;
    let site = seed::site(db, |_| {}).await;
    for (query, expected) in [
        (format!("submitter={id}"), "work home"),
        (format!("submitter={other}"), "other"),
        (format!("submitter={id}&state=*&q=o"), "done work home"),
        ("submitter=zoe&state=3&q=one".into(), "done"),
        ("submitter=zoe&state=3&q=home".into(), ""),
        ("q=work&q=home".into(), "home"),
        ("archive=both&archive=true".into(), ""),
        ("submitter=ebb&submitter=zoe".into(), "other home"),
        ("q=+home+&submitter=++zoe+".into(), "home"),
        ("state=+3+".into(), "done"),
        ("state=99".into(), "other work home"),
        ("state=".into(), "other work home"),
        ("delegate=&archive=&q=&series=".into(), "other work home"),
        ("series=77".into(), ""),
    ] {
        assert_eq!(names(&site, &query).await, expected, "{query}");
    }
    let page = get(&site, "/project/one/list/?state=99").await;
    assert_eq!(page.texts(".chip.warning"), ["there is no state “99” ×"]);
    // What the form sends: all keys, those without a value too.
    let page = get(&site, "/project/one/list/").await;
    let sent = page.form("form.filters");
    for key in ["series", "submitter", "state", "q", "archive", "delegate"] {
        assert!(
            sent.contains(&(key.to_owned(), String::new())),
            "{key}: {sent:?}"
        );
    }
}

/// §6.2, §6.3: what is equal is in order of date, then of arrival; pages lose nothing; links keep filters and order.
pub async fn pages_are_stable_and_keep_their_filters(db: &Db) {
    let world = world(db).await;
    let texts: Vec<String> = (1..=9).map(|n| format!("s{n}")).collect();
    let patches: Vec<Patch> = texts
        .iter()
        .zip(1..)
        .map(|(msgid, n)| Patch {
            project: world.one,
            name: "Same",
            msgid,
            day: 20 + n / 3,
            ..Patch::default()
        })
        .collect();
    seed::patches(db, &patches).await;
    let set = "UPDATE account SET items_per_page = 2, show_ids = TRUE WHERE id = $1";
    admin::run(db, sql(set).bind(world.user)).await;
    let site = seed::site(db, |options| options.items_per_page = 3).await;
    let user = Browser::of(&site, db, world.user).await;
    for order in [
        "name",
        "-name",
        "submitter",
        "-state",
        "delegate",
        "date",
        "-date",
    ] {
        let mut links = Vec::new();
        for page in 1..=3 {
            let query = format!("?q=same&order={order}&page={page}");
            let seen = get(&site, &format!("/project/one/list/{query}")).await;
            let shown = seen.values(NAMES, "href");
            assert_eq!(shown.len(), 3, "{query}");
            links.extend(shown);
            for link in seen.values(".pager a", "href") {
                let kept = format!("?q=same&order={order}&page=");
                assert!(link.starts_with(&kept), "{link}");
            }
            for link in seen.values("thead a", "href") {
                assert!(
                    link.starts_with("?q=same&order=") && !link.contains("page"),
                    "{link}"
                );
            }
        }
        let mut once = links.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), 9, "{order}: {links:?}");
    }
    // Under an ascending key the newest first, under a descending one the oldest.
    for order in ["name", "-name"] {
        let page = get(&site, &format!("/project/one/list/?q=same&order={order}")).await;
        let mut days = page.texts("td.c-date");
        if order == "name" {
            days.reverse();
        }
        assert!(days.is_sorted() && days[0] != days[2], "{order}: {days:?}");
    }
    // As many rows as the reader wants, with their numbers if the reader wants them.
    let page = user.get("/project/one/list/").await;
    assert_eq!(page.texts(NAMES).len(), 2);
    let ids = page.values("tr[data-patch-id]", "data-patch-id");
    assert_eq!(page.values("td.c-id button", "data-copy"), ids);
    let rows: Vec<String> = ids.iter().map(|id| format!("patch-row:{id}")).collect();
    assert_eq!(page.values("tr[data-patch-id]", "id"), rows);
    assert!(
        get(&site, "/project/one/list/")
            .await
            .texts("td.c-id")
            .is_empty()
    );
}

/// §7.5: names, types and headers of everything that can be saved.
pub async fn downloads_are_called_as_clients_expect(db: &Db) {
    let project = seed::project(db, "one").await;
    let cover = seed::cover(db, project, "<0@h>", "[0/1] \"quoted\"; x=y").await;
    let series = seed::series(db, project, "☃", 1, Some(cover)).await;
    let unnamed = Patch {
        project,
        name: "☃ ☃",
        msgid: "<☃/1@h>",
        series: Some((series, 1)),
        ..Patch::default()
    };
    let id = seed::patch(db, unnamed).await;
    let owner = seed::user(db, "ann", None).await;
    let bundle = "INSERT INTO bundle (owner_id, project_id, name, public) VALUES ($1, $2, 'a \"b\"; ☃', TRUE)";
    admin::run(db, sql(bundle).bind(owner).bind(project)).await;
    let bundle = letters::count(db, "SELECT max(id) FROM bundle").await;
    let site = seed::site(db, |_| {}).await;
    let patch = "/project/one/patch/%E2%98%83%2F1@h";
    for (path, kind, file) in [
        (
            format!("{patch}/raw/"),
            "text/x-patch; charset=utf-8",
            format!("patch-{id}.diff"),
        ),
        (
            format!("{patch}/mbox/"),
            "text/plain; charset=utf-8",
            format!("patch-{id}.patch"),
        ),
        (
            format!("{patch}/mbox/?series=*"),
            "text/plain; charset=utf-8",
            format!("patch-{id}.patch"),
        ),
        (
            "/project/one/cover/0@h/mbox/".into(),
            "text/plain; charset=utf-8",
            "0-1-quoted-x-y.mbox".into(),
        ),
        (
            format!("/series/{series}/mbox/"),
            "text/plain; charset=utf-8",
            format!("series-{series}.patch"),
        ),
        (
            "/bundle/ann/a%20%22b%22;%20%E2%98%83/mbox/".into(),
            "text/plain; charset=utf-8",
            format!("bundle-{bundle}-a-b.mbox"),
        ),
    ] {
        // Whoever asks for a part gets all of it: what is made anew each time has no parts.
        let seen = get_with(&site, &path, &[("Range", "bytes=0-1")]).await;
        assert_eq!(
            (seen.status, seen.header("Content-Range")),
            (200, ""),
            "{path}"
        );
        assert_ne!(seen.header("Accept-Ranges"), "bytes", "{path}");
        assert_eq!(seen.header("Content-Type"), kind, "{path}");
        let disposition = seen.header("Content-Disposition");
        assert_eq!(
            disposition,
            format!("attachment; filename={file}"),
            "{path}"
        );
        let (_, name) = disposition.split_once("filename=").expect("a name");
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        assert!(name.chars().all(is_plain), "{name}");
        assert_eq!(seen.header("X-Content-Type-Options"), "nosniff", "{path}");
        let known = get_with(&site, &path, &[("If-None-Match", seen.header("ETag"))]).await;
        assert_eq!((known.status, known.body.as_str()), (304, ""), "{path}");
    }
    // git-pw finds the diff where it finds the mailbox.
    let page = get(&site, &format!("{patch}/")).await;
    let links = page.values("a[href]", "href");
    let mbox = links.iter().find(|link| link.ends_with("/mbox/"));
    let mbox = mbox.expect("a mailbox");
    assert_eq!(mbox.matches("mbox").count(), 1, "{mbox}");
    assert_eq!(
        get(&site, &mbox.replace("mbox", "raw")).await.body,
        seed::DIFF
    );
}

/// §5: one section, whatever else stands there is a comment.
pub async fn settings_of_pwclient_have_one_section(db: &Db) {
    seed::project(db, "one").await;
    let ann = seed::user(db, "ann", None).await;
    let site = seed::site(db, |options| options.rest_api = true).await;
    let browser = Browser::of(&site, db, ann).await;
    let file = browser.get("/project/one/pwclientrc/").await;
    assert!(file.header("Content-Type").starts_with("text/plain"));
    let lines = file.body.lines().map(str::trim);
    let told: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(told[0], "[one]");
    let keys = told[1..]
        .iter()
        .map(|line| line.split_once(" = ").expect("a pair"));
    let keys: Vec<(&str, &str)> = keys.collect();
    assert_eq!(
        keys.iter().map(|(key, _)| *key).collect::<Vec<_>>(),
        ["backend", "url", "username", "password"]
    );
    assert!(keys[3].1.starts_with('<') && keys[3].1.ends_with('>'));
}

/// §14: keys of mailed links are 40 hex digits.
pub async fn mailed_keys_look_as_ever(db: &Db) {
    let ann = seed::user(db, "ann", None).await;
    let site = seed::site(db, |_| {}).await;
    let browser = Browser::of(&site, db, ann).await;
    browser
        .post("/user/link/", &[("email", "x@example.org")])
        .await;
    let path = letters::last(db).await.path("http://example.com/confirm/");
    let key = path
        .strip_prefix("/confirm/")
        .and_then(|rest| rest.strip_suffix('/'));
    let key = key.expect("a key");
    let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    assert!(key.len() == 40 && key.chars().all(is_hex), "{key}");
}

/// §21: markup in what only some patches have: the commit, the address to pull from.
pub async fn commits_and_pulls_are_escaped(db: &Db) {
    let project = seed::project(db, "one").await;
    let patch = seed::any_patch(db, project).await;
    let set = "UPDATE patch SET commit_ref = '<b>c0ffee', pull_url = 'https://h.example/<b>?a&b' WHERE id = $1";
    admin::run(db, sql(set).bind(patch)).await;
    let mara = seed::user(db, "mara", Some(project)).await;
    let format =
        "UPDATE project SET commit_url_format = 'https://c.example/?id={}&x' WHERE id = $1";
    let site = seed::site(db, |_| {}).await;
    for with_format in [false, true] {
        if with_format {
            admin::run(db, sql(format).bind(project)).await;
        }
        for page in [
            get(&site, "/project/one/patch/a@h/").await,
            Browser::of(&site, db, mara)
                .await
                .get("/project/one/patch/a@h/")
                .await,
        ] {
            assert_eq!(page.status, 200);
            assert!(
                page.body.contains("c0ffee") && page.body.contains("h.example"),
                "shown"
            );
            assert!(
                !page.body.contains("<b>c0ffee") && !page.body.contains("/<b>?"),
                "{}",
                page.body
            );
        }
    }
}

/// §18: who asks too often waits.
pub async fn suggestions_have_a_pace(db: &Db) {
    seed::project(db, "one").await;
    seed::user(db, "mara", Some(1)).await;
    let site = seed::site(db, |_| {}).await;
    let ask = async |path: &'static str, from: &str| {
        let mut request = site.get(path);
        request
            .inner_mut()
            .set_remote(from.parse().expect("an address"));
        Seen::of(request.dispatch().await).await
    };
    for _ in 0..60 {
        for path in ["/submitter/?q=mara", "/delegate/?q=mara"] {
            assert_eq!(ask(path, "192.0.2.1:1").await.status, 200);
        }
    }
    let refused = ask("/delegate/?q=mara", "192.0.2.1:2").await;
    let seconds: i64 = refused.header("Retry-After").parse().expect("seconds");
    assert!(refused.status == 429 && (1..=60).contains(&seconds));
    assert_eq!(ask("/submitter/?q=mara", "192.0.2.2:1").await.status, 200);
    // What finds nobody costs nothing.
    assert_eq!(ask("/submitter/?q=ma", "192.0.2.1:1").await.body, "[]");
}
