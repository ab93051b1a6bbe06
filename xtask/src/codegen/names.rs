//! Rust's names for those of a model.

/// Words that cannot name a variant, even in camel case.
const RESERVED_TYPES: [&str; 1] = ["Self"];

/// Words of a model that cannot name a field.
const RESERVED_FIELDS: [&str; 4] = ["type", "match", "ref", "use"];

/// Splits a name at underscores, punctuation and changes of case.
fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let symbols: Vec<char> = name.chars().collect();
    let mut open = false;
    for (at, &symbol) in symbols.iter().enumerate() {
        if !symbol.is_ascii_alphanumeric() {
            open = false;
            continue;
        }
        let before = at.checked_sub(1).map(|at| symbols[at]);
        let after = symbols.get(at + 1);
        let begins = symbol.is_ascii_uppercase()
            && (before
                .is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
                || before.is_some_and(|before| before.is_ascii_uppercase())
                    && after.is_some_and(char::is_ascii_lowercase));
        if !open || begins {
            parts.push(String::new());
            open = true;
        }
        if let Some(part) = parts.last_mut() {
            part.push(symbol.to_ascii_lowercase());
        }
    }
    parts
}

/// Returns `name` as a field, `kms_key_id`.
pub(super) fn field(name: &str) -> String {
    let snake = parts(name).join("_");
    if RESERVED_FIELDS.contains(&snake.as_str()) { format!("r#{snake}") } else { snake }
}

/// Returns `name` as a function, `create_image`.
pub(super) fn function(name: &str) -> String {
    parts(name).join("_")
}

/// Returns `name` as a constant, `AMI_NAME_STRING`.
pub(super) fn constant(name: &str) -> String {
    parts(name).join("_").to_ascii_uppercase()
}

/// Returns `name` as a variant, `ExpressionMatchOnly`.
pub(super) fn variant(name: &str) -> String {
    let camel: String =
        parts(name).iter().map(|part| part[..1].to_ascii_uppercase() + &part[1..]).collect();
    if RESERVED_TYPES.contains(&camel.as_str()) { format!("{camel}_") } else { camel }
}

/// Returns whether serde's `rename_all = "camelCase"` restores `name` from its field.
pub(super) fn is_camel(name: &str) -> bool {
    let parts = parts(name);
    let camel: String = parts
        .iter()
        .enumerate()
        .map(|(at, part)| match at {
            0 => part.clone(),
            _ => part[..1].to_ascii_uppercase() + &part[1..],
        })
        .collect();
    camel == name
}

#[cfg(test)]
mod tests {
    use super::{constant, field, is_camel, variant};

    #[test]
    fn names_become_those_of_rust() {
        assert_eq!(field("kmsKeyId"), "kms_key_id");
        assert_eq!(field("s3BucketName"), "s3_bucket_name");
        assert_eq!(field("type"), "r#type");
        assert_eq!(field("amiAccountID"), "ami_account_id");
        assert_eq!(constant("S3ExportConfiguration"), "S3_EXPORT_CONFIGURATION");
        assert_eq!(variant("EXPRESSION_MATCH_ONLY"), "ExpressionMatchOnly");
        assert_eq!(variant("aws:ec2:image"), "AwsEc2Image");
        assert_eq!(variant("macOS"), "MacOs");
        assert_eq!(variant("AWSMarketplace"), "AwsMarketplace");
        assert_eq!(variant("Self"), "Self_");
        assert_eq!(variant("io1"), "Io1");
    }

    #[test]
    fn names_serde_cannot_restore_are_known() {
        assert!(is_camel("kmsKeyId") && is_camel("s3Logs") && is_camel("type"));
        assert!(!is_camel("amiAccountID") && !is_camel("Name"));
    }
}
