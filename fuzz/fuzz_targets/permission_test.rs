//! Test files of a permission model and the text form of relation tuples: reading and running never panics, and what is read from a
//! text without brackets reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use permission_language::SourceFile;
use permissions::domain::checked_model::CheckedModel;
use permissions::domain::model_test::{TestFile, run};
use permissions::domain::relation_tuple::RelationTuple;

const MODEL: &str = include_str!("../permission_test.ts");

fuzz_target!(|text: &str| {
    if !text.contains(['(', ')'])
        && let Ok(tuple) = text.parse::<RelationTuple>()
    {
        assert_eq!(tuple.to_string().parse(), Ok(tuple));
    }
    let Ok(file) = TestFile::parse(text) else { return };
    let checked = CheckedModel::of(&[SourceFile { name: "model.ts", text: MODEL }]);
    let Some(model) = checked.model else { panic!("the model is valid: {:?}", checked.problems) };
    let _ = run(&file, &model, &checked.conditions);
});
