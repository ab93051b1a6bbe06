//! Dockerfile templates (reference §5.5): only the variables that there are, each one closed.

/// What is used where no template is given: all variables, in the order in which they are needed.
pub(super) const DEFAULT: &str = "FROM {{{ imagebuilder:parentImage }}}\n\
                                  {{{ imagebuilder:environments }}}\n\
                                  {{{ imagebuilder:components }}}\n";

const VARIABLES: [&str; 3] =
    ["imagebuilder:parentImage", "imagebuilder:environments", "imagebuilder:components"];

/// Fails with the rule that a template breaks.
pub(super) fn check(template: &str) -> Result<(), String> {
    let mut rest = template;
    while let Some((_, after)) = rest.split_once("{{{") {
        let Some((variable, after)) = after.split_once("}}}") else {
            return Err("A '{{{' is not followed by '}}}'.".to_owned());
        };
        let variable = variable.trim();
        if !VARIABLES.contains(&variable) {
            let known = VARIABLES.join(", ");
            return Err(format!("'{variable}' is not a variable; there are: {known}."));
        }
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT, check};

    #[test]
    fn variables_exist_and_are_closed() {
        for good in [DEFAULT, "FROM scratch", "FROM {{{imagebuilder:parentImage}}}\nRUN a {{b}}"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["FROM {{{ imagebuilder:parentImage", "FROM {{{ parentImage }}}"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
