//! Resource policies (reference §1.9): kept as they were given, if they are JSON with statements.

use serde_json::Value;

use store::resource;
use wire::imagebuilder::{Error, ErrorKind};
use wire::sigv4::Caller;

use super::error::{invalid, refusal};
use super::own::{own, reference};
use crate::Api;

impl Api {
    /// Returns the policy of the resource with exactly the ARN in `parameter`.
    pub(crate) async fn policy(
        &self,
        caller: &Caller,
        parameter: &str,
        text: &str,
    ) -> Result<String, Error> {
        let policy = match reference(caller, parameter, text)? {
            Some(arn) => resource::policy(self.db(), &arn).await.map_err(refusal)?,
            // Managed resources are everybody's without one.
            None => None,
        };
        policy.ok_or_else(|| {
            Error::new(ErrorKind::ResourceNotFound, format!("'{text}' has no resource policy."))
        })
    }

    /// Sets the policy of the caller's resource with exactly the ARN in `parameter`.
    pub(crate) async fn set_policy(
        &self,
        caller: &Caller,
        parameter: &str,
        text: &str,
        policy: &str,
    ) -> Result<(), Error> {
        let arn = own(caller, parameter, text)?;
        check(policy)?;
        resource::set_policy(self.db(), &arn, policy).await.map_err(refusal)
    }
}

/// Fails unless `policy` is a JSON object with one or more statements.
pub(super) fn check(policy: &str) -> Result<(), Error> {
    let policy: Value = serde_json::from_str(policy)
        .map_err(|error| invalid("policy", format!("It is not JSON: {error}.")))?;
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        Some(_) | None => &[],
    };
    if statements.is_empty() {
        return Err(invalid("policy", "It must be an object with a 'Statement'."));
    }
    for (index, statement) in statements.iter().enumerate() {
        for member in ["Effect", "Action", "Principal"] {
            if statement.get(member).is_none() {
                let rule = format!("Statement {} has no '{member}'.", index + 1);
                return Err(invalid("policy", rule));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn policies_are_objects_with_complete_statements() {
        let good = r#"{"Effect": "Allow", "Principal": {"AWS": ["123456789012"]},
                       "Action": ["imagebuilder:GetComponent", "imagebuilder:ListComponents"]}"#;
        assert!(check(&format!(r#"{{"Version": "2012-10-17", "Statement": [{good}]}}"#)).is_ok());
        assert!(check(&format!(r#"{{"Statement": {good}}}"#)).is_ok());
        for bad in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"Statement": []}"#,
            r#"{"Statement": [{"Effect": "Allow", "Action": "*"}]}"#,
            &format!(r#"{{"Statement": [{good}, 1]}}"#),
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
