//! `patchwork hash`: what commit hooks call.

use crate::support::program::Program;

const DIFF: &str =
    "--- a/hello.c\n+++ b/hello.c\n@@ -1,3 +1,3 @@ int main\n int a;\n-int b;\n+int c;\n int d;\n";

#[test]
fn the_digest_is_printed_with_a_newline() {
    // Nothing but standard input is needed: no database, no settings.
    let program = Program::default().with("PATCHWORK_CONFIG", "/not/there.toml");
    let digest = program.run_with(&["hash"], DIFF).ok();
    assert_eq!(digest, "50a56100c13e37a54519e63016741633bb4f4fa9\n");
    assert_eq!(
        digest.trim_end().len(),
        40,
        "the length of the field and of every digest"
    );
    let nothing = program.run_with(&["hash"], "").ok();
    assert_eq!(nothing, "da39a3ee5e6b4b0d3255bfef95601890afd80709\n");
}

#[test]
fn a_diff_that_is_not_utf_8_is_read_as_mails_are() {
    let diff = |byte: &[u8]| [b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+caf", byte, b"\n"].concat();
    let program = Program::default();
    assert_eq!(
        program.run_with(&["hash"], diff(b"\xe9")).ok(),
        program.run_with(&["hash"], diff("é".as_bytes())).ok()
    );
}
