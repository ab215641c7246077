//! A test file that no `mod` names is never run, and nobody notices.

use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn every_file_is_part_of_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let lost: Vec<_> = files.iter().filter(|file| !is_named(&root, file)).collect();
    assert!(lost.is_empty(), "no `mod` names {lost:?}");
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

fn is_named(root: &Path, file: &Path) -> bool {
    if file == root.join("main.rs") {
        return true;
    }
    let (folder, name) = match file.file_stem().and_then(|stem| stem.to_str()) {
        // A folder is named by its own name, one level up.
        Some("mod") => {
            let folder = file.parent().expect("a folder");
            let name = folder.file_name().and_then(|name| name.to_str());
            (folder.parent().expect("a folder"), name)
        }
        name => (file.parent().expect("a folder"), name),
    };
    let parents = match folder == root {
        true => vec![root.join("main.rs")],
        false => vec![folder.join("mod.rs"), folder.with_extension("rs")],
    };
    let name = name.expect("a name in UTF-8");
    parents.iter().any(|parent| {
        let text = fs::read_to_string(parent).unwrap_or_default();
        [format!("mod {name};"), format!("mod {name} {{")]
            .iter()
            .any(|naming| text.contains(naming.as_str()))
    })
}
