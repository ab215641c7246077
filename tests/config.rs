//! Settings: which layer wins, what is refused and how that is said, what is shown.

use std::{fs, path::PathBuf};

use patchwork::config::{Backend, Entry, Given, Loaded, Settings, Sources, Tls, masked};

use crate::support::fresh_folder;

/// Sources in a folder of their own, so that no file of this machine is read.
struct Try {
    sources: Sources,
}

impl Try {
    fn new() -> Self {
        let folder = fresh_folder();
        Try {
            sources: Sources {
                references: vec![folder.clone()],
                fallback: Some(folder.join("fallback.toml")),
                data: folder.join("data"),
                directory: folder,
                ..Sources::default()
            },
        }
    }

    fn folder(&self) -> PathBuf {
        self.sources.directory.clone()
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.folder().join(name), text).expect("a file");
        self
    }

    fn site(mut self, text: &str) -> Self {
        self.sources.config = Some(self.folder().join("site.toml"));
        self.file("site.toml", text)
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources
            .environment
            .push((name.to_owned(), value.to_owned()));
        self
    }

    fn option(mut self, key: &str, value: &str) -> Self {
        self.sources.command_line.push(Given {
            option: "--set",
            key: key.to_owned(),
            value: value.to_owned(),
        });
        self
    }

    #[track_caller]
    fn loaded(&self) -> Loaded {
        match self.sources.read() {
            Ok(loaded) => loaded,
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    fn settings(&self) -> Settings {
        self.loaded().settings
    }

    #[track_caller]
    fn error(&self) -> String {
        match self.sources.read() {
            Ok(_) => panic!("these settings should be refused"),
            Err(error) => error.to_string(),
        }
    }

    #[track_caller]
    fn entry(&self, key: &str) -> Entry {
        let entries = self.loaded().entries();
        let found = entries.into_iter().find(|entry| entry.key == key);
        found.expect("a setting")
    }
}

const REFERENCE: &str = "[server]\nport = 2\n";

#[test]
fn later_layers_win() {
    type Add = fn(Try) -> Try;
    let layers: [(Add, u16, &str); 7] = [
        (|it| it, 8000, "default"),
        (|it| it.file("Rocket.toml", REFERENCE), 2, "Rocket.toml"),
        (
            |it| it.file("fallback.toml", "[server]\nport = 3\n"),
            3,
            "fallback.toml",
        ),
        (|it| it.site("[server]\nport = 4\n"), 4, "site.toml"),
        (
            |it| it.variable("PORT", "5"),
            5,
            "environment variable PORT",
        ),
        (
            |it| it.variable("PATCHWORK_SERVER__PORT", "6"),
            6,
            "environment variable PATCHWORK_SERVER__PORT",
        ),
        (|it| it.option("server.port", "7"), 7, "--set"),
    ];
    let mut it = Try::new();
    for (add, port, source) in layers {
        it = add(it);
        assert_eq!(it.settings().server.port, port);
        let entry = it.entry("server.port");
        assert_eq!(entry.value, port.to_string());
        assert!(entry.source.ends_with(source), "{entry:?}");
    }
}

#[test]
fn the_reference_beside_the_program_counts_when_there_is_none_here() {
    let mut it = Try::new();
    let tree = fresh_folder();
    fs::write(tree.join("Rocket.toml"), REFERENCE).expect("a file");
    it.sources.references.push(tree);
    assert_eq!(it.settings().server.port, 2);
    it = it.file("Rocket.toml", "");
    assert_eq!(it.settings().server.port, 8000);
}

#[test]
fn rocket_toml_shows_every_setting_with_its_default() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("Rocket.toml");
    let text = fs::read_to_string(file).expect("Rocket.toml");
    let it = Try::new().file("Rocket.toml", &text);
    assert_eq!(
        it.settings(),
        Try {
            sources: it.sources.clone()
        }
        .settings()
    );
    let mut plain = Try::new();
    plain.sources.directory = it.folder();
    assert_eq!(it.settings(), plain.settings());
    for entry in it.loaded().entries() {
        assert!(
            entry.source.ends_with("Rocket.toml"),
            "{} is missing",
            entry.key
        );
    }
    for group in text.split("\n[").skip(1) {
        assert!(group.contains('#'), "a group without a comment: {group}");
    }
}

#[test]
fn names_of_old_are_understood() {
    type Read = fn(&Settings) -> String;
    let cases: &[(&str, &str, Read, &str)] = &[
        ("DEFAULT_FROM_EMAIL", "a@b", |s| s.mail.from.clone(), "a@b"),
        (
            "NOTIFICATION_DELAY_MINUTES",
            "30",
            |s| s.mail.notification_delay.to_string(),
            "30",
        ),
        (
            "CONFIRMATION_VALIDITY_DAYS",
            "3",
            |s| s.mail.confirmation_validity.to_string(),
            "3",
        ),
        (
            "NOTIFICATION_FROM_EMAIL",
            "a@c",
            |s| s.mail.notification_from.clone(),
            "a@c",
        ),
        (
            "DEFAULT_ITEMS_PER_PAGE",
            "50",
            |s| s.web.items_per_page.to_string(),
            "50",
        ),
        (
            "ENABLE_REGISTRATION",
            "False",
            |s| s.web.registration.to_string(),
            "false",
        ),
        (
            "ADMINS_HIDE",
            "True",
            |s| s.site.hide_admins.to_string(),
            "true",
        ),
        (
            "FORCE_HTTPS_LINKS",
            "1",
            |s| s.site.force_https.to_string(),
            "true",
        ),
        (
            "EMAIL_HOST_PASSWORD",
            "12345",
            |s| s.mail.password.clone(),
            "12345",
        ),
        (
            "EMAIL_USE_TLS",
            "True",
            |s| format!("{:?}", s.mail.tls),
            "Starttls",
        ),
        (
            "EMAIL_USE_TLS",
            "False",
            |s| format!("{:?}", s.mail.tls),
            "None",
        ),
        (
            "EMAIL_USE_SSL",
            "true",
            |s| format!("{:?}", s.mail.tls),
            "Tls",
        ),
        (
            "EMAIL_USE_SSL",
            "False",
            |s| format!("{:?}", s.mail.tls),
            "Auto",
        ),
        (
            "EMAIL_BACKEND",
            "django.core.mail.backends.filebased.EmailBackend",
            |s| format!("{:?}", s.mail.backend),
            "File",
        ),
        (
            "EMAIL_BACKEND",
            "Console",
            |s| format!("{:?}", s.mail.backend),
            "Console",
        ),
        (
            "DATABASE_URL",
            "postgres://u@h/n",
            |s| s.database.url.clone(),
            "postgres://u@h/n",
        ),
        (
            "PATCHWORK_DATABASE_URL",
            "postgres://u@h/m",
            |s| s.database.url.clone(),
            "postgres://u@h/m",
        ),
        (
            "DATABASE_URL",
            "",
            |s| s.database.max_connections.to_string(),
            "10",
        ),
        (
            "SECRET_KEY",
            "0123456789abcdef0123456789abcdef",
            |s| s.site.secret_key.len().to_string(),
            "32",
        ),
    ];
    for (name, value, read, expected) in cases {
        let from_environment = Try::new().variable(name, value).settings();
        assert_eq!(
            &read(&from_environment),
            expected,
            "{name}={value} in the environment"
        );
        if name.starts_with("PATCHWORK_") || value.is_empty() {
            continue;
        }
        let from_file = Try::new()
            .site(&format!("{name} = \"{value}\"\n"))
            .settings();
        assert_eq!(&read(&from_file), expected, "{name} = {value} in a file");
    }
    let numbers = Try::new().site("EMAIL_HOST_PASSWORD = 12345\nFORCE_HTTPS_LINKS = true\n[server]\nmax_body = '2 MiB'\nport = '81'\n");
    let settings = numbers.settings();
    assert_eq!(settings.mail.password, "12345");
    assert!(settings.site.force_https);
    assert_eq!(
        (settings.server.max_body, settings.server.port),
        (2 << 20, 81)
    );
}

#[test]
fn the_database_may_be_given_in_parts() {
    let it = Try::new()
        .variable("DATABASE_TYPE", "postgres")
        .variable("DATABASE_HOST", "10.1.1.1")
        .variable("DATABASE_NAME", "patchwork")
        .variable("DATABASE_USER", "www-data")
        .variable("DATABASE_PASSWORD", "p&w/ü");
    assert_eq!(
        it.settings().database.url,
        "postgres://10.1.1.1:5432/patchwork?user=www-data&password=p%26w%2F%C3%BC"
    );
    // By the socket of this machine there is neither host nor port in the authority.
    let it = Try::new().site("[database]\nENGINE = 'postgresql'\nNAME = 'pw'\nUSER = 'x'\n");
    assert_eq!(
        it.settings().database.url,
        "postgres:///pw?user=x&port=5432"
    );
    let it = Try::new()
        .site("DATABASE_HOST = 'db'\nDATABASE_NAME = 'pw'\n")
        .option("database.url", "postgres://h/other");
    assert_eq!(
        it.settings().database.url,
        "postgres://h/other",
        "the later layer wins"
    );
    let it = Try::new()
        .site("[database]\nurl = 'postgres://u@h/n'\n")
        .variable("DATABASE_PASSWORD", "secret");
    assert_eq!(
        it.settings().database.url,
        "postgres://u@h/n?password=secret"
    );
    let it = Try::new()
        .variable("DATABASE_TYPE", "sqlite3")
        .variable("DATABASE_NAME", "site.db");
    let expected = format!("sqlite:{}/site.db", it.folder().display());
    assert_eq!(it.settings().database.url, expected);
}

#[test]
fn relative_files_start_in_the_data_directory() {
    let it = Try::new();
    let here = it.folder();
    assert_eq!(
        it.settings().database_file(),
        Some(here.join("patchwork.db"))
    );
    let data = it.sources.data.clone();
    fs::create_dir(&data).expect("a folder");
    assert_eq!(
        it.settings().database_file(),
        Some(data.join("patchwork.db"))
    );
    assert_eq!(it.settings().mail.directory, data.join("mail"));
    let it = it.option("database.url", "sqlite:typed.db");
    assert_eq!(
        it.settings().database_file(),
        Some(here.join("typed.db")),
        "typed: from where one stands"
    );
    let it =
        Try::new().site("[database]\ndirectory = '/srv/100%?'\nurl = 'sqlite://a.db?mode=ro'\n");
    let settings = it.settings();
    assert_eq!(settings.database.url, "sqlite:/srv/100%25%3F/a.db?mode=ro");
    assert_eq!(
        settings.database_file(),
        Some(PathBuf::from("/srv/100%?/a.db"))
    );
}

#[test]
fn secrets_may_be_in_files_of_their_own() {
    let it = Try::new().file("secret", "p:w\n");
    let path = it.folder().join("secret").display().to_string();
    let it = it
        .variable("DATABASE_PASSWORD_FILE", &path)
        .variable("PATCHWORK_MAIL__PASSWORD_FILE", &path);
    assert_eq!(it.settings().database.password, "p:w");
    assert_eq!(it.settings().mail.password, "p:w");
    let error = Try::new().variable("SECRET_KEY_FILE", "/not/there").error();
    assert!(
        error.contains("SECRET_KEY_FILE") && error.contains("/not/there"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_is_said_in_one_sentence() {
    let site = |text: &str| Try::new().site(text);
    let cases: Vec<(Try, &[&str])> = vec![
        (
            site("[server]\nprot = 1\n"),
            &["site.toml", "'server.prot'", "did you mean 'server.port'?"],
        ),
        (site("DATABASE_ULR = 'x'\n"), &["site.toml", "DATABASE_URL"]),
        (
            site("url_prefx = 1\n"),
            &["'url_prefx'", "did you mean 'server.url_prefix'?"],
        ),
        (
            site("[nonsense_of_some_kind]\na = 1\n"),
            &["nonsense_of_some_kind.a", "patchwork settings"],
        ),
        (
            site("[default.server]\nport = 1\n"),
            &["no profiles", "[server]"],
        ),
        (
            site("[server]\nport = 'many'\n"),
            &["site.toml", "server.port", "0 to 65535", "'many'"],
        ),
        (site("[server]\nport = 70000\n"), &["0 to 65535", "70000"]),
        (site("[server]\nport = -1\n"), &["0 to 65535", "-1"]),
        (site("[server]\nport = [1]\n"), &["server.port"]),
        (site("[server]\ngzip = 'maybe'\n"), &["true or false"]),
        (site("[server]\nurl_prefix = 'pw'\n"), &["/patchwork"]),
        (
            site("[server]\naddress = 'here'\n"),
            &["IP address", "'here'"],
        ),
        (
            site("[log]\nlevel = 'loud'\n"),
            &["log.level", "off, error, warn, info, debug, trace"],
        ),
        (
            site("[site]\nurl = 'patchwork.example.org'\n"),
            &["https://"],
        ),
        (
            site("SECRET_KEY = 'short'\n"),
            &["site.secret_key", "32 characters"],
        ),
        (
            site("DATABASE_TYPE = 'mysql'\n"),
            &["database.engine", "sqlite, sqlite3, postgres"],
        ),
        (site("[server\n"), &["site.toml, line 1", "not TOML"]),
        (
            Try::new().variable("PATCHWORK_SERVER__PROT", "1"),
            &[
                "PATCHWORK_SERVER__PROT",
                "did you mean PATCHWORK_SERVER__PORT?",
            ],
        ),
        (
            Try::new().option("log.levle", "off"),
            &["--set", "did you mean 'log.level'?"],
        ),
    ];
    for (it, parts) in cases {
        let error = it.error();
        assert_eq!(error.lines().count(), 1, "{error}");
        for part in parts {
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
        assert!(!error.contains("short"), "a secret is shown: {error}");
    }
    let mut missing = Try::new();
    missing.sources.config = Some("/not/there.toml".into());
    let error = missing.error();
    assert!(
        error.contains("/not/there.toml") && error.contains("--config"),
        "{error}"
    );
}

#[test]
fn variables_of_others_are_left_alone() {
    let it = Try::new()
        .variable("PATCHWORK_CONFIG", "x")
        .variable("PATCHWORK_PASSWORD", "x")
        .variable("PATCHWORK_TEST_POSTGRES", "x")
        // Kubernetes sets these for a service called patchwork.
        .variable("PATCHWORK_PORT", "tcp://10.0.0.1:80")
        .variable("PATCHWORK_SERVICE_HOST", "10.0.0.1")
        .variable("HOME", "/root");
    assert_eq!(it.settings().server.port, 8000);
}

#[test]
fn secrets_are_not_shown() {
    let it = Try::new()
        .variable("DATABASE_URL", "postgres://u:geheim@h/n")
        .variable("EMAIL_HOST_PASSWORD", "geheim")
        .variable("SECRET_KEY", "geheimgeheimgeheimgeheimgeheimgeheim")
        .variable("DATABASE_PASSWORD", "geheim");
    for entry in it.loaded().entries() {
        assert!(!entry.value.contains("geheim"), "{entry:?}");
    }
    assert_eq!(it.entry("mail.password").value, "********");
    assert_eq!(
        it.entry("site.secret_key").source,
        "environment variable SECRET_KEY"
    );
    let cases = [
        ("postgres://u:geheim@h/n", "postgres://u:********@h/n"),
        (
            "postgres://u:ge@he?i/m@h/n?sslmode=require",
            "postgres://u:********@h/n?sslmode=require",
        ),
        (
            "postgres://h/n?user=u&password=geheim&x=1",
            "postgres://h/n?user=u&password=********&x=1",
        ),
        ("postgres//u:geheim@h/n", "postgres//u:********@h/n"),
        ("postgres:/u:geheim@h/n", "postgres:********@h/n"),
        ("u:geheim@h", "u:********@h"),
        ("sqlite:/srv/a@b.db", "sqlite:/srv/a@b.db"),
        ("postgres://u@h:5432/n", "postgres://u@h:5432/n"),
        ("sqlite:/var/lib/a.db", "sqlite:/var/lib/a.db"),
    ];
    for (url, expected) in cases {
        assert_eq!(masked(url), expected);
    }
}

#[test]
fn names_of_old_without_effect_are_said_and_no_more() {
    let text = "TIME_ZONE = 'UTC'\nADMINS = [['a', 'a@b']]\nDEBUG = true\nPORT = 81\n";
    let it = Try::new()
        .site(text)
        .variable("PATCHWORK_TIME_ZONE", "UTC")
        .loaded();
    assert_eq!(it.settings.server.port, 81);
    let [warning] = &it.warnings[..] else {
        panic!("{:?}", it.warnings);
    };
    assert!(
        warning.ends_with("site.toml: without effect so far: ADMINS, DEBUG, TIME_ZONE"),
        "{warning}"
    );
}

#[test]
fn rocket_is_told_what_it_needs() {
    let it = Try::new()
        .option("server.address", "::1")
        .option("server.max_body", "3 MiB")
        .option("database.max_connections", "7");
    let figment = it.settings().rocket_figment();
    let config: rocket::Config = figment.extract().expect("Rocket's settings");
    assert_eq!(config.address.to_string(), "::1");
    assert_eq!(config.ip_header, None, "no header is believed");
    assert_eq!(config.log_level, rocket::config::LogLevel::Off);
    assert_eq!(
        config.limits.get("json").map(|limit| limit.as_u64()),
        Some(3 << 20)
    );
    assert_eq!(config.shutdown.grace, 10);
    let pool: rocket_db_pools::Config = figment
        .extract_inner("databases.patchwork")
        .expect("the pool's");
    assert_eq!((pool.max_connections, pool.connect_timeout), (7, 10));
}

#[test]
fn links_say_https_when_told_to() {
    let url = |url: &str, force: &str| {
        Try::new()
            .option("site.url", url)
            .option("site.force_https", force)
            .settings()
            .site_url()
    };
    assert_eq!(url("", "true"), None);
    assert_eq!(
        url("http://a.example/pw/", "false").as_deref(),
        Some("http://a.example/pw")
    );
    assert_eq!(
        url("http://a.example", "true").as_deref(),
        Some("https://a.example")
    );
}

#[test]
fn defaults_are_careful() {
    let settings = Settings::default();
    assert!(settings.server.address.is_loopback());
    assert!(!settings.site.force_https);
    assert_eq!(
        (settings.mail.backend, settings.mail.tls),
        (Backend::Smtp, Tls::Auto)
    );
}

#[test]
fn administrators_are_named_unless_hidden() {
    let site = |hide| {
        format!(
            "[site]\nadmins = 'Mara <mara@example.org>, tobias@example.org, nobody'\nhide_admins = {hide}\n"
        )
    };
    let shown = Try::new().site(&site(false)).settings().shown_admins();
    let pair = |name: &str, address: &str| (name.to_owned(), address.to_owned());
    let expected = [
        pair("Mara", "mara@example.org"),
        pair("tobias@example.org", "tobias@example.org"),
    ];
    assert_eq!(shown, expected);
    let hidden = Try::new().site(&site(true)).settings().shown_admins();
    assert!(hidden.is_empty());
}

/// The reference as a page: a heading for each section, a table for its settings. `PATCHWORK_WRITE=1` writes it.
#[test]
fn the_page_of_settings_is_the_reference() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let reference = fs::read_to_string(root.join("Rocket.toml")).expect("Rocket.toml");
    let page = page_of(&reference);
    let file = root.join("docs/configuration.md");
    if std::env::var_os("PATCHWORK_WRITE").is_some() {
        fs::write(&file, &page).expect("the page");
    }
    let there = fs::read_to_string(&file).expect("docs/configuration.md");
    assert!(
        there == page,
        "docs/configuration.md is old: PATCHWORK_WRITE=1 cargo test --test main the_page_of_settings"
    );
}

fn page_of(reference: &str) -> String {
    let mut page = String::from(
        "# Settings\n\n<!-- Made from Rocket.toml by a test (tests/config.rs): change that file, not this one. -->\n\n",
    );
    let (mut said, mut keys): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
    let mut is_begun = false;
    // An empty line ends the last group, too.
    for line in reference.lines().chain([""]) {
        let comment = line.strip_prefix('#').map(str::trim);
        let ends = comment.is_some() || line.is_empty() || line.starts_with('[');
        if ends && !keys.is_empty() {
            let text = said.join(" ").replace('|', "\\|");
            page.push_str(&format!("| {} | {text} |\n", keys.join("<br>")));
            (said, keys) = (Vec::new(), Vec::new());
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let about = std::mem::take(&mut said).join(" ");
            page.push_str(&format!(
                "\n## {name}\n\n{about}\n\n| setting and default | what it does |\n|---|---|\n"
            ));
            is_begun = true;
        } else if let Some((key, value)) = line.split_once(" = ").filter(|_| comment.is_none()) {
            keys.push(format!("`{key} = {}`", value.replace('|', "\\|")));
        } else if let Some(text) = comment {
            said.push(text);
        } else if line.is_empty() && !is_begun && !said.is_empty() {
            page.push_str(&format!("{}\n", std::mem::take(&mut said).join("\n")));
        }
    }
    page
}
