//! Events as webhooks send them: what the list of events has, one by one.

use futures_util::future::BoxFuture;

use super::{Options, Site, event, field, json::Json, request::Cx};
use crate::{
    notify::{address, webhook::Payload},
    store::{self, Conn, Db, event::Row, webhook::NewDelivery},
};

/// Writes events for webhooks.
pub struct Events {
    db: Db,
    site: Site,
}

impl Events {
    /// Writes them as the API of a site does.
    pub fn new(db: Db, options: Options) -> Events {
        Events {
            db,
            site: Site::new(options),
        }
    }

    async fn write(&self, conn: &mut Conn, rows: Vec<Row>) -> store::Result<Vec<NewDelivery>> {
        let options = &self.site.options;
        let (url, https) = (options.site_url.as_deref(), options.force_https);
        // Nobody asks here, so there is no host to begin with but the site's own.
        let origin = address::of_site(conn, url, https, "").await?;
        let cx = Cx::outside(&self.site, &self.db, &origin);
        let written = event::items(conn, rows).await?.into_iter().map(|item| {
            let mut json = Json::default();
            field::write(event::FIELDS, &item, false, &cx, &mut json);
            NewDelivery {
                event: item.id(),
                category: item.row().category.clone(),
                body: json.into_string(),
            }
        });
        Ok(written.collect())
    }
}

impl Payload for Events {
    fn written<'a>(
        &'a self,
        conn: &'a mut Conn,
        rows: Vec<Row>,
    ) -> BoxFuture<'a, store::Result<Vec<NewDelivery>>> {
        Box::pin(self.write(conn, rows))
    }
}
