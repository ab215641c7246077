//! The description of the API: that it says what is answered, and that a stranger who believes it is not surprised.

mod field;
mod schemathesis;
mod shape;

use std::path::Path;

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

    fn authorization(&self) -> String {
        format!("Token {}", self.token)
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schema"))
}
