//! Hands the arguments to `cli`; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    patchwork::cli::main()
}
