//! Projects: parsing ends in a value or in problems that lie in the text, and
//! the components of a good one are those that a damaged one would show.
#![no_main]

use document::Project;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let named = Project::named_components(text);
    let problems = match Project::parse(text) {
        Ok(parsed) => {
            let used: Vec<_> = named.into_iter().map(|named| named.used).collect();
            assert_eq!(parsed.value.recipe.components.as_slice(), used);
            parsed.warnings
        }
        Err(problems) => problems,
    };
    problems.render("noise", text);
    for problem in problems.iter() {
        assert!(text.get(problem.span.start..problem.span.end).is_some(), "{problem:?}");
    }
});
