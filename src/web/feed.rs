//! Lists as Atom feeds (RFC 4287), for readers that look by themselves.

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesStart, BytesText, Event},
};

use super::{answer::Answer, guard::View, parts};
use crate::{
    domain::{Timestamp, project::Project},
    store::{patch::list::Row, state::Vocabulary},
};

/// How many entries a feed has at most.
pub const ENTRIES: usize = 50;

/// What a feed tells.
pub struct Feed<'a> {
    /// What it is.
    pub title: &'a str,
    /// The project of the entries.
    pub project: &'a Project,
    /// The path of the page that shows the same.
    pub page: &'a str,
    /// The path of the feed itself.
    pub own: &'a str,
    /// The patches, in the order of the list.
    pub rows: &'a [Row],
    /// What their states are called.
    pub vocabulary: &'a Vocabulary,
}

/// Answers a feed.
pub fn answer(view: &View, feed: &Feed) -> Answer {
    // Writing into memory does not fail.
    Answer::Feed(written(view, feed).unwrap_or_default())
}

fn written(view: &View, feed: &Feed) -> std::io::Result<Vec<u8>> {
    let mut xml = Writer::new(Vec::new());
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    let root = BytesStart::new("feed").with_attributes([("xmlns", "http://www.w3.org/2005/Atom")]);
    xml.write_event(Event::Start(root.clone()))?;
    text(&mut xml, "title", feed.title)?;
    text(&mut xml, "id", &view.absolute(feed.own))?;
    link(&mut xml, "self", &view.absolute(feed.own))?;
    link(&mut xml, "alternate", &view.absolute(feed.page))?;
    let newest = feed.rows.iter().map(|row| row.date).max();
    let newest = newest.unwrap_or(Timestamp(0));
    text(&mut xml, "updated", &newest.iso())?;
    for row in feed.rows {
        entry(&mut xml, view, feed, row)?;
    }
    xml.write_event(Event::End(root.to_end()))?;
    Ok(xml.into_inner())
}

fn entry(xml: &mut Writer<Vec<u8>>, view: &View, feed: &Feed, row: &Row) -> std::io::Result<()> {
    let address = view.links().patch(&feed.project.linkname, &row.msgid);
    let entry = BytesStart::new("entry");
    xml.write_event(Event::Start(entry.clone()))?;
    text(xml, "title", &parts::named(&row.name))?;
    text(
        xml,
        "id",
        &view.absolute(&view.links().patch_number(row.id)),
    )?;
    link(xml, "alternate", &view.absolute(&address))?;
    text(xml, "updated", &row.date.iso())?;
    let author = BytesStart::new("author");
    xml.write_event(Event::Start(author.clone()))?;
    // The address is not told: feeds are read by harvesters, too.
    let name = row
        .submitter_name
        .as_deref()
        .filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| local_part(&row.submitter_email));
    text(xml, "name", name)?;
    xml.write_event(Event::End(author.to_end()))?;
    if let Some(state) = feed.vocabulary.state(row.state_id) {
        let category = BytesStart::new("category").with_attributes([
            ("term", state.slug.as_str()),
            ("label", state.name.as_str()),
        ]);
        xml.write_event(Event::Empty(category))?;
    }
    xml.write_event(Event::End(entry.to_end()))
}

fn local_part(address: &str) -> &str {
    address.split_once('@').map_or(address, |(local, _)| local)
}

fn text(xml: &mut Writer<Vec<u8>>, name: &str, text: &str) -> std::io::Result<()> {
    let element = BytesStart::new(name);
    xml.write_event(Event::Start(element.clone()))?;
    xml.write_event(Event::Text(BytesText::new(&allowed(text))))?;
    xml.write_event(Event::End(element.to_end()))
}

fn link(xml: &mut Writer<Vec<u8>>, rel: &str, address: &str) -> std::io::Result<()> {
    let link = BytesStart::new("link").with_attributes([("rel", rel), ("href", address)]);
    xml.write_event(Event::Empty(link))
}

/// Leaves out what XML 1.0 cannot hold at all.
fn allowed(text: &str) -> String {
    let is_allowed = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(is_allowed).collect()
}
