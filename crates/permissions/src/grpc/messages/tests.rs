//! The generated files are those of the `.proto` files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost::Message as _;

use super::POOL;

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, files) } else { files.push(path) }
    }
}

/// The content of each file in `generated/`.
fn generate() -> BTreeMap<String, Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let mut protos = Vec::new();
    files_below(&root, &mut protos);
    protos.sort();
    let mut compiler = protox::Compiler::new([&root]).unwrap();
    compiler.include_imports(true).include_source_info(true).open_files(&protos).unwrap();
    let with_comments = compiler.file_descriptor_set();
    let mut descriptors = with_comments.clone();
    descriptors.file.iter_mut().for_each(|file| file.source_code_info = None);
    let folder = tempfile::tempdir().unwrap();
    prost_build::Config::new().enable_type_names().out_dir(folder.path()).compile_fds(with_comments).unwrap();
    let mut generated = BTreeMap::from([("descriptors.bin".to_owned(), descriptors.encode_to_vec())]);
    let mut sources = Vec::new();
    files_below(folder.path(), &mut sources);
    for path in sources {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // Reflection has equal messages in both versions.
        if name != "grpc.reflection.v1alpha.rs" && !name.starts_with("google.") {
            generated.insert(name, std::fs::read(path).unwrap());
        }
    }
    generated
}

/// With `UPDATE_GENERATED=1` it writes the files.
#[test]
#[expect(clippy::disallowed_methods, reason = "whoever runs the test decides whether it writes")]
fn the_generated_files_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/grpc/messages/generated");
    let wanted = generate();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        for (name, content) in &wanted {
            std::fs::write(folder.join(name), content).unwrap();
        }
    }
    let mut present = Vec::new();
    files_below(&folder, &mut present);
    let present: BTreeMap<String, Vec<u8>> = present
        .into_iter()
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap()))
        .collect();
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&present), names(&wanted));
    let stale: Vec<&String> = wanted.keys().filter(|name| present[*name] != wanted[*name]).collect();
    assert!(stale.is_empty(), "out of date: {stale:?}; run the tests of this crate with UPDATE_GENERATED=1");
}

#[test]
fn the_descriptors_are_readable() {
    let services: Vec<String> = POOL.services().map(|service| service.full_name().to_owned()).collect();
    assert_eq!(services.len(), 13, "{services:?}");
}
