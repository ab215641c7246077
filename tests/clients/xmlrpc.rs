//! The older interface: pwclient's default up to 2.9, all that 1.x knows, and scripts.

use super::{
    session::Desk,
    site::{self, Site},
};

fn desk<'a>(site: &'a Site, client: &str) -> Option<Desk<'a>> {
    let desk = Desk::new(site, site::client(client)?);
    for (name, credentials) in [
        (".pwclientrc", ""),
        ("m.rc", "username = m\npassword = $PASSWORD\n"),
        ("other.rc", "username = other\npassword = $PASSWORD\n"),
        ("wrong.rc", "username = m\npassword = wrong\n"),
    ] {
        let address = "[options]\ndefault = p\n\n[p]\nbackend = xmlrpc\nurl = $URL/xmlrpc/\n";
        desk.file(name, &format!("{address}{credentials}"));
    }
    Some(desk)
}

fn session(site: &Site, client: &str, name: &str) {
    if let Some(desk) = desk(site, client) {
        desk.play(name);
    }
}

fn newer(site: &Site) {
    session(site, "main", "pwclient-xmlrpc");
}

#[test]
fn pwclient_2_on_sqlite() {
    site::on_sqlite(newer);
}

#[test]
fn pwclient_2_on_postgres() {
    site::on_postgres(newer);
}

#[test]
fn pwclient_1() {
    site::on_sqlite(|site| session(site, "old", "pwclient-1"));
}

#[test]
fn scripts_with_pythons_own_library() {
    site::on_sqlite(|site| session(site, "main", "xmlrpc-scripts"));
}
