//! The seeds of the fuzz targets reach what the targets are for: a seed that is refused at the first step teaches the fuzzer little.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

use std::path::Path;

use base::Timestamp;
use permission_language::SourceFile;
use permissions::domain::checked_model::CheckedModel;
use permissions::domain::condition::{Attributes, CompiledCondition, Object, Root, evaluate};
use permissions::domain::model_test::{TestFile, run};
use permissions::domain::relation_tuple::RelationTuple;

/// The names and the texts of the seeds of a target.
fn seeds(target: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.display().to_string(), std::fs::read_to_string(path).unwrap())
    };
    folder.read_dir().unwrap().map(read).collect()
}

#[test]
fn every_seed_of_conditions_has_a_result() {
    let seeds = seeds("permission_condition");
    assert!(seeds.len() >= 6);
    for (name, seed) in seeds {
        let parts: Vec<&str> = seed.splitn(3, "\n---\n").collect();
        let [text, json, now] = parts[..] else { panic!("{name} has not three parts") };
        let condition = CompiledCondition::compile("seed", text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let object = Object::new(Root::Context, serde_json::from_str(json).unwrap()).unwrap();
        let of = Some(&object);
        let now = Timestamp::from_unix_micros(now.trim().parse().unwrap());
        let attributes = Attributes { subject: of, resource: of, action: of, context: of, tuple: of, now };
        assert_eq!(evaluate(&condition, &attributes), Ok(true), "{name}");
    }
}

#[test]
fn every_seed_of_test_files_is_a_file_that_passes_or_a_tuple() {
    let text = include_str!("../../../fuzz/permission_test.ts");
    let checked = CheckedModel::of(&[SourceFile { name: "model.ts", text }]);
    let model = checked.model.unwrap();
    let (mut files, mut tuples) = (0, 0);
    for (name, seed) in seeds("permission_test") {
        if let Ok(tuple) = seed.parse::<RelationTuple>()
            && !seed.contains('\n')
            && tuple.to_string() == seed
        {
            tuples += 1;
            continue;
        }
        let file = TestFile::parse(&seed).unwrap_or_else(|error| panic!("{name}: {error}"));
        let findings = run(&file, &model, &checked.conditions).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        assert!(findings.iter().all(|it| it.actual.is_none()), "{name}: {findings:#?}");
        files += 1;
    }
    assert_eq!((files, tuples), (2, 3));
}
