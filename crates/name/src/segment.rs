//! How names of resources become segments of ARNs (reference §1.6).

/// Returns `name` as an ARN has it: lower-case, with `-` for space and `_`.
///
/// Names that differ only in these collide, as they do in Image Builder.
pub fn segment(name: &str) -> String {
    let as_in_arns = |c: char| if matches!(c, ' ' | '_') { '-' } else { c.to_ascii_lowercase() };
    name.chars().map(as_in_arns).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_segments() {
        assert_eq!(segment("My Example Image"), "my-example-image");
        assert_eq!(segment("web_server-2"), "web-server-2");
    }
}
