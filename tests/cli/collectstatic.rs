//! `patchwork collectstatic`, and what is made from the arguments: completions and manual pages.

use std::fs;

use crate::support::{names, program::Program};

#[test]
fn files_are_there_hashed_plain_and_packed() {
    let program = Program::default();
    let folder = program.folder.join("static");
    let said = program.run(&["collectstatic", "--noinput", "static"]).ok();
    assert!(said.contains("files written to static"), "{said}");
    let all = names(&folder);
    let manifest = fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    for (plain, name) in manifest["names"].as_object().expect("an object") {
        let name = name.as_str().expect("a name");
        for wanted in [
            plain.clone(),
            format!("{plain}.gz"),
            name.to_owned(),
            format!("{name}.gz"),
        ] {
            assert!(all.contains(&wanted), "{wanted} is not among {all:?}");
        }
        assert_ne!(plain, name);
    }
    assert!(all.iter().all(|name| !name.starts_with('.')), "{all:?}");
    // The second time there is nothing to do.
    assert!(
        program
            .run(&["collectstatic", "static"])
            .ok()
            .starts_with("0 files")
    );
}

#[test]
fn old_files_of_ours_are_removed_and_no_others() {
    let program = Program::default().with("STATIC_ROOT", "static");
    program.run(&["collectstatic"]).ok();
    let folder = program.folder.join("static");
    let manifest = fs::read_to_string(folder.join("manifest.json")).expect("a manifest");
    let old = manifest.replace("\"files\": [", "\"files\": [\"old.css\", \"../kept\",");
    fs::write(folder.join("manifest.json"), old).expect("a file");
    for name in ["old.css", "logo.svg", "../kept"] {
        fs::write(folder.join(name), "x").expect("a file");
    }
    program.run(&["collectstatic"]).ok();
    assert!(
        names(&folder).contains("old.css"),
        "pages that are open need it"
    );
    program.run(&["collectstatic", "--clear"]).ok();
    let all = names(&folder);
    assert!(
        !all.contains("old.css") && all.contains("logo.svg"),
        "{all:?}"
    );
    assert!(program.folder.join("kept").exists());
}

#[test]
fn without_a_folder_it_says_what_to_do() {
    let program = Program::default();
    program
        .run(&["collectstatic"])
        .fails(1, &["server.static_root"]);
    program.file("static", "no folder");
    program
        .run(&["collectstatic", "static"])
        .fails(1, &["cannot write to static"]);
}

#[test]
fn shells_and_manual_readers_are_served() {
    let program = Program::default();
    for shell in ["bash", "zsh", "fish"] {
        assert!(
            program
                .run(&["completion", shell])
                .ok()
                .contains("parsearchive"),
            "{shell}"
        );
    }
    program.run(&["man", "pages"]).ok();
    let all = names(&program.folder.join("pages"));
    assert!(
        all.contains("patchwork.1") && all.contains("patchwork-parsemail.1"),
        "{all:?}"
    );
}
