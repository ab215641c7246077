//! The description of the API: that it says what is answered, and that a stranger who believes it is not surprised.

mod field;
mod schemathesis;
mod shape;

use std::path::Path;

use patchwork::store::{Db, Options, sql};

use crate::support::{database, program::Program};

/// A fresh database with the sample list, and a token of one of its maintainers.
struct Sample {
    url: String,
    program: Program,
    token: String,
}

impl Sample {
    fn load() -> Sample {
        let url = database::sqlite_url();
        let program = Program::on(&url);
        let load = ["demo", "--no-serve", "-v0", "--database", &url];
        program.run(&load).ok();
        let token = program.run(&["token", "mara"]).ok().trim().to_owned();
        Sample {
            url,
            program,
            token,
        }
    }

    /// Has the site forget wrong passwords as they come: a stranger tries the same one everywhere, to see it refused. That
    /// there is an end to it is tested elsewhere.
    fn forgets_tries(&self) {
        const TRIGGER: &str = "CREATE TRIGGER forgetful AFTER UPDATE ON throttle BEGIN \
                               UPDATE throttle SET count = 0 WHERE key = new.key; END";
        database::block_on(async {
            let db = Db::open(&self.url, &Options::default()).expect("an address");
            let mut tx = db.begin().await.expect("a transaction");
            sql(TRIGGER).run(&mut tx).await.expect("a trigger");
            tx.commit().await.expect("a commit");
            db.close().await;
        });
    }

    fn authorization(&self) -> String {
        format!("Token {}", self.token)
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schema"))
}
