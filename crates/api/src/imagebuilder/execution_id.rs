//! Ids of workflow executions and their steps: what they name can be read from them.
//!
//! A UUID of version 8 (RFC 9562 §5.8) that holds a run's id, a place in the
//! run and a check, so that nothing else has to be kept to find either by its id.

use name::{Digest, RunId};
use store::Workflow;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// One of a run's workflows, and in which attempt, from 1.
    Workflow(Workflow, u16),
    /// A step, by its place in the run, from 1.
    Step(u16),
}

const WORKFLOWS: [Workflow; 3] = [Workflow::Build, Workflow::Test, Workflow::Distribution];

/// Returns the id of what is named in a run: `wf-` or `step-` and a UUID.
pub(crate) fn id(run: RunId, named: Named) -> String {
    let (prefix, place) = match named {
        Named::Workflow(workflow, attempt) => {
            ("wf", (attempt - 1) * WORKFLOWS.len() as u16 + workflow as u16)
        }
        Named::Step(ordinal) => ("step", ordinal),
    };
    let [a, b, c, d, e, f, g, h] = run.to_random();
    let [high, low] = place.to_be_bytes();
    let mut bytes = [a, b, c, d, e, f, 0x80, g, 0x80, h, high, low, 0, 0, 0, 0];
    let check = check(prefix, &bytes[..12]);
    bytes[12..].copy_from_slice(&check);
    format!("{prefix}-{}", hyphenated(bytes))
}

/// Returns what an id names and in which run, if it is one of ours.
pub(crate) fn parse(text: &str) -> Option<(RunId, Named)> {
    let (prefix, uuid) = text.split_once('-')?;
    let hex: String = uuid.to_ascii_lowercase().chars().filter(|c| *c != '-').collect();
    let bytes = u128::from_str_radix(&hex, 16).ok()?.to_be_bytes();
    let [a, b, c, d, e, f, 0x80, g, 0x80, h, high, low, ..] = bytes else { return None };
    if bytes[12..] != check(prefix, &bytes[..12]) || hyphenated(bytes) != uuid.to_ascii_lowercase()
    {
        return None;
    }
    let place = u16::from_be_bytes([high, low]);
    let named = match prefix {
        "wf" => {
            let (attempt, workflow) =
                (place / WORKFLOWS.len() as u16, usize::from(place) % WORKFLOWS.len());
            Named::Workflow(WORKFLOWS[workflow], attempt + 1)
        }
        "step" => Named::Step(place),
        _ => return None,
    };
    Some((RunId::from_random([a, b, c, d, e, f, g, h]), named))
}

fn check(prefix: &str, bytes: &[u8]) -> [u8; 4] {
    let mut builder = Digest::builder("execution-id/1");
    builder.text(prefix).bytes(bytes);
    let [a, b, c, d, ..] = *builder.finish().as_bytes();
    [a, b, c, d]
}

/// Returns 16 bytes as a UUID is written.
pub(crate) fn hyphenated(uuid: [u8; 16]) -> String {
    let hex: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |range: std::ops::Range<usize>| &hex[range];
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    fn named() -> impl Strategy<Value = Named> {
        prop_oneof![
            any::<u16>().prop_map(Named::Step),
            (1..20_000_u16).prop_map(|attempt| Named::Workflow(Workflow::Build, attempt)),
            (1..20_000_u16).prop_map(|attempt| Named::Workflow(Workflow::Test, attempt)),
            (1..20_000_u16).prop_map(|attempt| Named::Workflow(Workflow::Distribution, attempt)),
        ]
    }

    proptest! {
        /// Every id is found again, and one with another digit is not.
        #[test]
        fn ids_name_one_thing(run in any::<[u8; 8]>(), named in named(), at in 0..32_usize) {
            let run = RunId::from_random(run);
            let id = id(run, named);
            prop_assert_eq!(parse(&id), Some((run, named)));
            let place = id.char_indices().filter(|(_, c)| c.is_ascii_hexdigit()).rev().nth(at);
            let (place, digit) = place.unwrap();
            let other = if digit == '0' { '1' } else { '0' };
            let changed = format!("{}{other}{}", &id[..place], &id[place + 1..]);
            prop_assert_eq!(parse(&changed), None);
        }
    }

    #[test]
    fn ids_of_others_name_nothing() {
        for bad in ["", "wf-", "wf-00000000-0000-0000-0000-000000000000", "step-x"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
