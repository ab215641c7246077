//! The demo site in a real browser: both themes, phone and desktop, without scripts, with accessibility rules; and
//! people who walk through it.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use patchwork::store::{Db, Options, sql};

use crate::support::{database, free_port, fresh_folder, program::Program, skip};

/// What shows that a mail may be handed in.
const INBOUND: &str = "a-secret-of-the-walks-0123456789-abcdef";

/// A server that ends with the test, passed or not.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The demo site, served until it is dropped, and what browsers have to be told of it.
struct Site {
    server: Server,
    folder: PathBuf,
    url: String,
    origin: String,
    mails: PathBuf,
}

impl Site {
    /// Serves the demo; nothing where there is no browser, which is said.
    fn open(test: &str) -> Option<Site> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
        if !folder.join("node_modules").is_dir() {
            let why = "tests/browser/node_modules is missing; `make test` installs it";
            skip(test, why);
            return None;
        }
        if !browser_is_there() {
            skip(test, "there is no node or no chromium");
            return None;
        }
        let url = database::sqlite_url();
        let mails = fresh_folder();
        let program = Program::on(&url)
            .with("PATCHWORK_INBOUND__SECRET", INBOUND)
            .with("PATCHWORK_MAIL__BACKEND", "file")
            .with("PATCHWORK_MAIL__DIRECTORY", &mails.display().to_string());
        program
            .run(&["demo", "--no-serve", "-v0", "--database", &url])
            .ok();
        let port = free_port().to_string();
        let command = &mut program.command(&["serve", "--port", &port]);
        let mut server = Server(command.spawn().expect("the program"));
        let mut line = String::new();
        BufReader::new(server.0.stdout.take().expect("standard output"))
            .read_line(&mut line)
            .expect("a line");
        Some(Site {
            server,
            folder,
            url,
            origin: format!("http://127.0.0.1:{port}"),
            mails,
        })
    }

    /// Lets a script look at it; what it finds wrong is the test's failure.
    fn look(&self, script: &str, arguments: &[String]) {
        let mut look = Command::new("node");
        look.current_dir(&self.folder).arg(script).arg(&self.origin);
        look.env("INBOUND_SECRET", INBOUND);
        let output = look.args(arguments).output().expect("node");
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{errors}");
        print!("{said}");
    }
}

/// Where to put pictures of what is seen, if somebody wants some.
fn shots() -> Vec<String> {
    let folder = std::env::var("PATCHWORK_TEST_SHOTS");
    folder.map_or_else(|_| Vec::new(), |folder| vec!["--shots".to_owned(), folder])
}

#[test]
fn pages_are_good_to_look_at_for_everybody() {
    let Some(site) = Site::open("browser") else {
        return;
    };
    site.look("pages.mjs", &[shots(), pages(&site.url)].concat());
    drop(site.server);
}

#[test]
fn people_walk_through_the_site() {
    let Some(site) = Site::open("browser walks") else {
        return;
    };
    let mails = vec![site.mails.display().to_string()];
    site.look("walk.mjs", &[mails, shots()].concat());
    drop(site.server);
}

fn browser_is_there() -> bool {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
    let node = Command::new("node")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    Path::new(&chromium).exists() && node.is_ok_and(|status| status.success())
}

/// One of each kind: the busiest patch, the largest series and revision, the cover with most replies.
fn pages(url: &str) -> Vec<String> {
    let text = |q: &'static str| async move {
        let db = Db::open(url, &Options::default()).expect("an address");
        let mut conn = db.reader().await.expect("a reader");
        let (found,): (String,) = sql(q).one(&mut conn).await.expect("the demo has one");
        found
    };
    let bare = |id: String| id.trim_matches(['<', '>']).replace('/', "%252F");
    database::block_on(async {
        let patch = text(
            "SELECT msgid FROM patch p ORDER BY (SELECT count(*) FROM comment c WHERE c.patch_id = p.id) DESC, id",
        );
        let cover = text(
            "SELECT msgid FROM cover v ORDER BY (SELECT count(*) FROM comment c WHERE c.cover_id = v.id) DESC, id",
        );
        let large = text(
            "SELECT p.msgid FROM patch p JOIN patch_body b ON b.patch_id = p.id ORDER BY length(b.diff) DESC",
        );
        let series = text("SELECT CAST(id AS TEXT) FROM series ORDER BY total DESC, id");
        let compared = text(
            "SELECT l.earlier_id || '/diff/' || l.series_id FROM revision_link l JOIN series s ON s.id = l.series_id
              WHERE l.earlier_id IS NOT NULL ORDER BY s.total DESC, s.id",
        );
        let large = bare(large.await);
        vec![
            "/about/".to_owned(),
            "/search/".to_owned(),
            "/search/?q=ring+-is:cover".to_owned(),
            "/search/?q=render".to_owned(),
            "/search/?q=render+is:shut".to_owned(),
            "/search/help/".to_owned(),
            "/project/tidepool/".to_owned(),
            "/project/tidepool/list/".to_owned(),
            "/project/tidepool/list/?state=*&q=page&order=name".to_owned(),
            "/project/tidepool/list/?submitter=nobody-of-this-name".to_owned(),
            format!("/project/tidepool/patch/{}/", bare(patch.await)),
            format!("/project/tidepool/patch/{large}/"),
            format!("/project/tidepool/patch/{large}/?view=split"),
            format!("/project/tidepool/cover/{}/", bare(cover.await)),
            format!("/project/tidepool/series/{}/", series.await),
            format!("/project/tidepool/series/{}/", compared.await),
            "/project/tidepool/patch/no-such@example.org/".to_owned(),
        ]
    })
}
