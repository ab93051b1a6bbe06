//! Component documents: parsing ends in a value or in problems that lie in the
//! text, whatever the text, and the same every time.
#![no_main]

use document::Component;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let told = format!("{:?}", Component::parse(text));
    assert_eq!(told, format!("{:?}", Component::parse(text)));
    let problems = Component::parse(text).map_or_else(|problems| problems, |it| it.warnings);
    problems.render("noise", text);
    for problem in problems.iter() {
        assert!(text.get(problem.span.start..problem.span.end).is_some(), "{problem:?}");
        assert_ne!(problem.code, "invalid", "{}", problem.message);
    }
});
