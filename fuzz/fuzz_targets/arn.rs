//! ARNs: what reads as one shows as it was written, and is one of those without its version.
#![no_main]

use libfuzzer_sys::fuzz_target;
use name::{Arn, Version, VersionPattern};

fuzz_target!(|text: &str| {
    if let Ok(arn) = text.parse::<Arn>() {
        assert_eq!(arn.to_string(), text);
        assert!(arn.without_version().covers(&arn), "{arn}");
        assert_eq!(arn.at(arn.level()).as_ref(), Ok(&arn));
    }
    if let Ok(version) = text.parse::<Version>() {
        assert_eq!(text.parse(), Ok(VersionPattern::Exact(version)));
    }
});
