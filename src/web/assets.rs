//! Our own files: embedded, named by their content, kept by browsers for good.

use std::{io::Cursor, sync::LazyLock};

use rocket::{
    Request, Response, Route,
    http::{ContentType, Status},
    response::Responder,
};
use sha2::{Digest, Sha256};

/// A file as it is served.
pub struct Asset {
    /// Its name with its content in it, such as `patchwork.1f2e3d4c.css`.
    pub name: String,
    /// Its name in the source tree.
    pub plain: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
    kind: ContentType,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        asset(
            "patchwork.css",
            ContentType::CSS,
            include_bytes!("../../static/patchwork.css"),
        ),
        asset(
            "patchwork.js",
            ContentType::JavaScript,
            include_bytes!("../../static/patchwork.js"),
        ),
        asset(
            "htmx-2.0.11.min.js",
            ContentType::JavaScript,
            include_bytes!("../../static/htmx-2.0.11.min.js"),
        ),
    ]
});

fn asset(plain: &'static str, kind: ContentType, bytes: &'static [u8]) -> Asset {
    let digest = Sha256::digest(bytes);
    let mark = digest[..5]
        .iter()
        .fold(String::new(), |mark, byte| format!("{mark}{byte:02x}"));
    let (stem, extension) = plain.rsplit_once('.').unwrap_or((plain, ""));
    Asset {
        name: format!("{stem}.{mark}.{extension}"),
        plain,
        bytes,
        kind,
    }
}

/// Returns all files, for those who want a front server to hand them out.
pub fn all() -> &'static [Asset] {
    &ASSETS
}

/// Returns the name under which a file is served.
pub fn name(plain: &str) -> &'static str {
    ASSETS
        .iter()
        .find(|asset| asset.plain == plain)
        .map_or("", |asset| asset.name.as_str())
}

/// Returns the routes of our own files.
pub fn routes() -> Vec<Route> {
    rocket::routes![file, favicon]
}

#[rocket::get("/static/<name>")]
fn file(name: &str) -> Option<File> {
    ASSETS
        .iter()
        .find(|asset| asset.name == name)
        .map(File::Kept)
        .or_else(|| {
            // The plain name is for people and old pages; its content may change.
            ASSETS
                .iter()
                .find(|asset| asset.plain == name)
                .map(File::Fresh)
        })
}

/// The site's mark: a patch sewn on with two stitches.
pub const ICON: &str = concat!(
    r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect x="2" y="2" width="12" height="12" rx="3" fill="#0b57a4"/>"##,
    r##"<path d="M5 8h6M8 5v6" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>"##
);

/// The mark within the page: no request of its own.
pub static ICON_ADDRESS: LazyLock<String> = LazyLock::new(|| {
    let code = ICON
        .replace('"', "'")
        .replace('#', "%23")
        .replace('<', "%3C")
        .replace('>', "%3E");
    format!("data:image/svg+xml,{code}")
});

#[rocket::get("/favicon.ico")]
fn favicon() -> (ContentType, &'static str) {
    (ContentType::SVG, ICON)
}

enum File {
    Kept(&'static Asset),
    Fresh(&'static Asset),
}

impl<'r> Responder<'r, 'static> for File {
    fn respond_to(self, _: &'r Request<'_>) -> rocket::response::Result<'static> {
        let (asset, kept) = match self {
            File::Kept(asset) => (asset, true),
            File::Fresh(asset) => (asset, false),
        };
        let mut response = Response::build();
        response
            .status(Status::Ok)
            .header(asset.kind.clone())
            .sized_body(asset.bytes.len(), Cursor::new(asset.bytes));
        if kept {
            response.raw_header("Cache-Control", "public, max-age=31536000, immutable");
        }
        response.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_its_content() {
        let names: Vec<&str> = all().iter().map(|asset| asset.name.as_str()).collect();
        assert!(names[0].starts_with("patchwork.") && names[0].ends_with(".css"));
        assert_eq!(names[0].len(), "patchwork..css".len() + 10);
    }
}
