//! ARNs: what reads as one shows in a spelling that reads as the same, and is one of those
//! without its version.
#![no_main]

use libfuzzer_sys::fuzz_target;
use name::{Arn, Version, VersionPattern};

fuzz_target!(|text: &str| {
    if let Ok(arn) = text.parse::<Arn>() {
        // Zeros that a version begins with are dropped.
        assert_eq!(arn.to_string().parse().as_ref(), Ok(&arn));
        assert!(arn.without_version().covers(&arn), "{arn}");
        assert_eq!(arn.at(arn.level()).as_ref(), Ok(&arn));
    }
    if let Ok(version) = text.parse::<Version>() {
        assert_eq!(text.parse(), Ok(VersionPattern::Exact(version)));
    }
});
