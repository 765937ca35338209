//! The permission language: parsing never panics and always ends; the layout and the printed text of a model keep it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use permission_language::{SourceFile, format, keto_position, parse, to_text};

fuzz_target!(|text: &str| {
    let files = [SourceFile { name: "model.ts", text }];
    let outcome = parse(&files);
    for problem in &outcome.problems {
        assert!(text.get(problem.span.start..problem.span.end).is_some(), "{problem:?}");
        assert!(problem.render(&files).len() < 16 * 1024);
        assert!(keto_position(text, problem.span.start).line >= 1);
    }
    let model_of = |text: &str| parse(&[SourceFile { name: "model.ts", text }]).model;
    if let Ok(formatted) = format(text) {
        assert_eq!(format(&formatted).as_ref(), Ok(&formatted), "formatting again changes nothing");
        assert_eq!(model_of(&formatted), outcome.model);
    }
    if let Some(model) = outcome.model {
        let printed = to_text(&model).expect("a parsed model can be written");
        assert_eq!(model_of(&printed), Some(model));
    }
});
