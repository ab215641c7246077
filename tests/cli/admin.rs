//! `patchwork admin`: a site is set up without a browser, twice with the same words, and the log tells of it once.

use patchwork::store::sql;

use crate::support::program::{Ended, Program};

const PROJECT: &[&str] = &[
    "admin",
    "project",
    "add",
    "tide",
    "--name",
    "Tide",
    "--list-id",
    "<tide.example.org>",
    "--list-email",
    "tide@example.org",
];

/// A site with a project and an account.
fn ready(url: &str) -> Program {
    let program = Program::on(url).with("PATCHWORK_PASSWORD", "low tide at noon");
    program.run(PROJECT).ok();
    let user = [
        "admin",
        "user",
        "add",
        "mara",
        "--email",
        "mara@example.org",
    ];
    program.run(&user).ok();
    program
}

fn json(text: &str) -> Vec<serde_json::Value> {
    let object = |line: &str| serde_json::from_str(line).expect("JSON");
    text.lines().map(object).collect()
}

/// Demands that arguments are refused, with this among the reasons.
#[track_caller]
fn refuses(ended: Ended, part: &str) {
    assert!(
        ended.code == Some(2) && ended.err.contains(part),
        "{ended:?}"
    );
}

on_both! {
    async fn a_site_is_set_up_by_commands(fresh: Fresh) {
        let program = ready(&fresh.url);
        let steps: &[&[&str]] = &[
            PROJECT,
            &["admin", "project", "set", "tide", "--web-url", "https://tide.example.org/", "--use-tags", "false"],
            &["admin", "user", "add", "mara", "--email", "mara@example.org"],
            &["admin", "user", "set", "mara", "--first-name", "Mara", "--staff", "true"],
            &["admin", "maintainer", "add", "tide", "mara"],
            &["admin", "rule", "add", "tide", "net/*", "mara", "--priority", "-5"],
            &["admin", "state", "add", "On Hold", "--action-required", "false"],
            &["admin", "state", "set", "on-hold", "--name", "Held"],
            &["admin", "tag", "add", "Seen-by", "--pattern", "^Seen-by:", "--abbrev", "S"],
            &["admin", "tag", "set", "Seen-by", "--pattern", "^Seen-(by|at):"],
            &["admin", "site", "set", "--domain", "patches.example.org"],
        ];
        for step in steps {
            program.run(step).ok();
        }
        let log = "SELECT count(*) FROM audit";
        let mut conn = fresh.db.reader().await.expect("a reader");
        let (before,): (i64,) = sql(log).one(&mut conn).await.expect("a count");
        assert_eq!(before, 11, "one entry a change");
        for step in steps.iter().filter(|step| step[1] != "project" && step[1] != "state") {
            if step[1] == "tag" && step[2] == "add" {
                program.run(step).fails(1, &["it is another one", "tag set"]);
                continue;
            }
            program.run(step).ok();
        }
        program.run(PROJECT).fails(1, &["it is another one", "project set"]);
        let (after,): (i64,) = sql(log).one(&mut conn).await.expect("a count");
        assert_eq!(after, before, "nothing the second time");
        let list = |noun: &[&str]| {
            let arguments: Vec<&str> = ["admin"].iter().chain(noun).chain(&["--json"]).copied().collect();
            json(&program.run(&arguments).ok())
        };
        let project = &list(&["project", "list"])[0];
        assert_eq!((&project["list_id"], &project["use_tags"]), (&"tide.example.org".into(), &false.into()));
        assert_eq!(list(&["maintainer", "list", "tide"])[0]["user"], "mara");
        assert_eq!(list(&["rule", "list", "tide"])[0]["priority"], -5);
        let tested = list(&["rule", "test", "tide", "net/a.c"]);
        assert_eq!((&tested[0]["path"], &tested[1]["delegate"]), (&"net/*".into(), &"mara".into()));
        assert!(list(&["state", "list"]).iter().any(|state| state["slug"] == "on-hold" && state["name"] == "Held"));
        assert!(list(&["tag", "list"]).iter().any(|tag| tag["pattern"] == "^Seen-(by|at):"));
        assert_eq!(list(&["site", "show"])[0]["domain"], "patches.example.org");
        assert_eq!(list(&["user", "list"])[0]["staff"], true);
    }
}

on_both! {
    async fn what_pages_refuse_commands_refuse(fresh: Fresh) {
        let program = ready(&fresh.url);
        let cases: &[(&[&str], &str)] = &[
            (&["project", "set", "tide", "--subject-match", "("], "no regular expression"),
            (&["project", "set", "tide", "--commit-url-format", "https://x.example/"], "{}"),
            (&["project", "set", "nowhere", "--name", "x"], "there is no project 'nowhere'"),
            (&["rule", "add", "tide", "x", "nobody"], "there is no user 'nobody'"),
            (&["site", "set", "--domain", "https://x.example/"], "without scheme"),
            (&["tag", "add", "X", "--pattern", "(", "--abbrev", "X"], "no regular expression"),
            (&["state", "set", "new", "--ordering", "900"], "keeps the ordering 0"),
            (&["state", "remove", "new"], "ordering 0"),
            (&["user", "set", "mara", "--email", "nowhere"], "is no mail address"),
            (&["user", "add", "mara", "--email", "other@example.org"], "it is another one"),
            (&["token", "revoke", "mara", "7"], "has no token 7"),
        ];
        for (arguments, part) in cases {
            let all: Vec<&str> = ["admin"].iter().chain(*arguments).copied().collect();
            program.run(&all).fails(1, &[part]);
        }
        program.run(&["createsuperuser", "--username", "root", "--email", "root@example.org", "--noinput"]).ok();
        program.run(&["admin", "user", "deactivate", "root"]).fails(1, &["the last superuser"]);
        program.run(&["admin", "user", "deactivate", "mara"]).ok();
    }
}

on_both! {
    async fn tokens_are_made_listed_and_revoked(fresh: Fresh) {
        let program = ready(&fresh.url);
        let made = json(&program.run(&["admin", "token", "new", "mara", "--name", "ci", "--scope", "checks", "--json"]).ok());
        assert!(made[0]["token"].as_str().is_some_and(|key| key.len() >= 40));
        let list = json(&program.run(&["admin", "token", "list", "mara", "--json"]).ok());
        assert_eq!((&list[0]["scope"], &list[0]["token"]), (&"checks".into(), &serde_json::Value::Null));
        let number = list[0]["id"].to_string();
        program.run(&["admin", "token", "revoke", "mara", &number]).ok();
        assert_eq!(program.run(&["admin", "token", "list", "mara"]).ok(), "");
    }
}

on_both! {
    async fn webhooks_are_made_switched_and_removed(fresh: Fresh) {
        let program = ready(&fresh.url);
        let hook = |verb: &'static str| ["admin", "webhook", verb, "tide", "https://ci.example.org/hook"];
        let add = [&hook("add")[..], &["--event", "series-completed"]].concat();
        let secret = program.run(&add).ok();
        assert!(secret.starts_with("whsec_"), "{secret}");
        assert!(program.run(&add).ok().contains("already"));
        let list = || json(&program.run(&["admin", "webhook", "list", "tide", "--json"]).ok());
        assert_eq!(list()[0], serde_json::json!({
            "project": "tide", "url": "https://ci.example.org/hook", "events": ["series-completed"], "active": true
        }));
        program.run(&hook("test")).ok();
        program.run(&hook("off")).ok();
        assert!(program.run(&hook("off")).ok().contains("already"));
        assert_eq!(list()[0]["active"], false);
        program.run(&hook("test")).fails(1, &["it is off", "webhook on tide"]);
        program.run(&hook("on")).ok();
        let log = program.run(&["dumpdata", "audit"]).ok();
        assert!(!log.contains(secret.trim()), "secrets are in no log");
        program.run(&hook("remove")).ok();
        assert!(program.run(&hook("remove")).ok().contains("There is no webhook"));
        program.run(&hook("on")).fails(1, &["has no webhook"]);
        for (arguments, part) in [
            (&["admin", "webhook", "add", "tide", "ci.example.org"][..], "is no address"),
            (&["admin", "webhook", "add", "nowhere", "https://ci.example.org/"], "no project 'nowhere'"),
        ] {
            program.run(arguments).fails(1, &[part]);
        }
        refuses(program.run(&["admin", "webhook", "add", "tide", "https://ci.example.org/", "--event", "x"]), "series-completed");
        let file = program.file("secret", "a-secret-of-our-own\n");
        let file = file.to_str().expect("a path");
        let given = program.run(&["admin", "webhook", "add", "tide", "https://ci.example.org/", "--secret-file", file]).ok();
        assert_eq!(given.trim(), "a-secret-of-our-own");
        let own = program.run(&["admin", "webhook", "add", "tide", "http://127.0.0.1:9/hook"]);
        assert!(own.err.contains("webhooks.allow_private"), "{own:?}");
    }
}

fn patch(number: i64, version: i64, title: &str) -> String {
    format!(
        "From: Ann <ann@example.com>\nSubject: [PATCH v{version}] {title}\nMessage-Id: <{number}@example.com>\n\
         List-Id: <tide.example.org>\nDate: Tue, 05 Mar 2024 10:0{number}:00 +0000\n\n\
         Why.\n---\n--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-old\n+new {version}\n"
    )
}

on_both! {
    async fn revisions_are_put_right(fresh: Fresh) {
        let program = ready(&fresh.url);
        for mail in [patch(1, 1, "net: fix it"), patch(2, 2, "net: fix it"), patch(3, 1, "doc: say it")] {
            program.run_with(&["parsemail"], mail).ok();
        }
        let admin = |arguments: &[&str]| {
            let all: Vec<&str> = ["admin", "series"].iter().chain(arguments).copied().collect();
            program.run(&all)
        };
        let shown = admin(&["show", "2"]).ok();
        assert!(shown.contains("v2") && shown.contains("(same title and sender)"), "{shown}");
        let chain = || json(&admin(&["show", "2", "--json"]).ok());
        assert_eq!((&chain()[1]["previous"], &chain()[1]["reason"]), (&1.into(), &"title".into()));
        let page = "https://patches.example.org/project/tide/series/3/";
        assert!(admin(&["follow", "2", page]).ok().contains("Series 2 follows 3 (linked by hand)."));
        assert!(admin(&["follow", "2", "3"]).ok().contains("already"));
        assert!(chain().iter().any(|one| one["series"] == 2 && one["previous"] == 3 && one["reason"] == "hand"));
        admin(&["follow", "3", "2"]).fails(1, &["cannot go round in a circle"]);
        admin(&["follow", "3", "9"]).fails(1, &["no such series"]);
        admin(&["follow", "9", "1"]).fails(1, &["there is no series 9"]);
        admin(&["show", "9"]).fails(1, &["there is no series 9"]);
        refuses(admin(&["follow", "2"]), "<SERIES> <EARLIER|--none>");
        refuses(admin(&["follow", "2", "x"]), "neither the number");
        admin(&["follow", "2", "--none"]).ok();
        assert!(admin(&["follow", "2", "--none"]).ok().contains("already"));
        assert_eq!(chain().len(), 1);
        for _ in 0..2 {
            assert!(admin(&["find", "2"]).ok().contains("Series 2 follows 1 (same title and sender)."));
        }
        let mut conn = fresh.db.reader().await.expect("a reader");
        let log = "SELECT count(*) FROM audit WHERE model = 'patchwork.series'";
        let (changes,): (i64,) = sql(log).one(&mut conn).await.expect("a count");
        assert_eq!(changes, 3, "one entry a change");
    }
}
