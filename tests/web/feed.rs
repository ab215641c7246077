//! Lists as feeds.

use patchwork::store::Db;
use quick_xml::{Reader, events::Event};

use super::seed::{self, Patch, get};

/// The texts of elements with this name; panics when it is no XML.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let (mut found, mut text, mut inside) = (Vec::new(), String::new(), false);
    loop {
        match reader.read_event().expect("XML") {
            Event::Start(start) if start.name().as_ref() == name => {
                (inside, text) = (true, String::new());
            }
            Event::End(end) if end.name().as_ref() == name => {
                inside = false;
                found.push(text.clone());
            }
            Event::Text(part) if inside => text.push_str(&part),
            Event::GeneralRef(part) if inside => {
                let name = part.as_ref();
                text.push_str(quick_xml::escape::resolve_xml_entity(name).expect("an entity"));
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

pub async fn a_list_is_a_feed(db: &Db) {
    let project = seed::project(db, "one").await;
    let patch = |name, msgid, day, state| Patch {
        project,
        name,
        msgid,
        day,
        state,
        ..Patch::default()
    };
    let all = [
        patch("old & <b>new</b>\u{1}", "<a@h>", 1, 1),
        patch("taken", "<b@h>", 2, 3),
    ];
    let ids = seed::patches(db, &all).await;
    let site = seed::site(db, |options| {
        options.site_url = Some("https://p.example".into())
    })
    .await;
    let feed = get(&site, "/project/one/feed.atom").await;
    let kind = "application/atom+xml; charset=utf-8";
    assert_eq!((feed.status, feed.header("Content-Type")), (200, kind));
    assert_eq!(
        texts(&feed.body, "title"),
        ["Patches of The one project", "old & <b>new</b>⟨U+0001⟩"]
    );
    let own = "https://p.example/project/one/feed.atom".to_owned();
    let patch = format!("https://p.example/patch/{}/", ids[0]);
    assert_eq!(texts(&feed.body, "id"), [own, patch]);
    assert!(
        !feed.body.contains("ann@example.org"),
        "addresses are not told"
    );
    let every = get(&site, "/project/one/list/?state=*&format=atom").await;
    assert_eq!(texts(&every.body, "title").len(), 3);
    assert_eq!(every.statements(), 8);
    let page = get(&site, "/project/one/list/?state=*&page=1").await;
    assert_eq!(
        page.values(".feed a", "href"),
        ["?state=%2A&format=atom".replace("%2A", "*")]
    );
    assert_eq!(get(&site, "/project/none/feed.atom").await.status, 404);
}
