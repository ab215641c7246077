//! What the site says of itself.

use patchwork::store::Db;

use super::seed::{self, get};

pub async fn a_site_tells_what_it_offers(db: &Db) {
    let site = seed::site(db, |options| {
        options.rest_api = true;
        options.api_versions = vec!["1.0", "1.1"];
        options.admins = vec![("Mara".into(), "mara@example.org".into())];
    })
    .await;
    let page = get(&site, "/about/").await;
    let said = page.texts("dd").join("; ");
    assert!(said.contains("offered, versions 1.0, 1.1"), "{said}");
    assert!(said.contains("not offered"), "XML-RPC: {said}");
    let links = page.values("dd a", "href");
    for link in ["/api/", "/api/openapi.json", "mailto:mara@example.org"] {
        assert!(links.contains(&link.to_owned()), "{link}: {links:?}");
    }
    let plain = seed::site(db, |_| {}).await;
    assert!(
        get(&plain, "/about/")
            .await
            .values("dd a", "href")
            .is_empty()
    );
}
