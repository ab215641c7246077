//! `patchwork parsemail` alone, for mail servers: small and quick to start.

use std::process::ExitCode;

fn main() -> ExitCode {
    patchwork::cli::parsemail::main()
}
