//! Loops: what a step is repeated over.

use schemars::JsonSchema;
use serde::Deserialize;

/// A step's `loop` (reference §2.3) with its references resolved.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Written")]
pub struct Repeat {
    /// The name by which references mean it, besides `loop`.
    pub name: Option<String>,
    /// What it goes over.
    pub over: Over,
}

/// What a loop goes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Over {
    /// Numbers from `start` to `end`, both included, in strides of `stride`.
    Numbers {
        /// The first number.
        start: i64,
        /// The last number, if the stride meets it.
        end: i64,
        /// The stride; leads from `start` towards `end`.
        stride: i64,
    },
    /// Texts, in order.
    Texts(Vec<String>),
}

/// One turn of a loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// What `loop.index` means: how many turns came before.
    pub index: u64,
    /// What `loop.value` means: the text, or the number.
    pub value: String,
}

impl Repeat {
    /// Returns the turns, in order; a stride that leads away makes none.
    pub fn turns(&self) -> impl Iterator<Item = Turn> {
        let (numbers, texts) = match &self.over {
            Over::Numbers { start, end, stride } => (Some((*start, *end, *stride)), &[][..]),
            Over::Texts(texts) => (None, texts.as_slice()),
        };
        let numbers = numbers.into_iter().flat_map(|(start, end, stride)| {
            let within = move |number: &i64| match stride {
                1.. => *number <= end,
                0 => false,
                ..0 => *number >= end,
            };
            std::iter::successors(Some(start), move |number| number.checked_add(stride))
                .take_while(within)
                .map(|number| number.to_string())
        });
        let values = numbers.chain(texts.iter().cloned());
        (0..).zip(values).map(|(index, value)| Turn { index, value })
    }
}

/// A loop as documents write it.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Loop", extend("oneOf" = [{ "required": ["for"] }, { "required": ["forEach"] }]))]
pub(crate) struct Written {
    /// The name by which references mean the loop, unique in its phase.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]+$"), extend("x-references" = false))]
    name: Option<String>,
    /// Numbers to count through.
    #[serde(rename = "for")]
    #[schemars(extend("x-references" = false))]
    count: Option<Count>,
    /// Texts to go through.
    for_each: Option<Each>,
}

/// Numbers to count through, both ends included.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Count {
    /// The first number.
    start: i64,
    /// The last number.
    end: i64,
    /// What is added for each turn.
    update_by: i64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Each {
    /// Texts, one for each turn.
    Texts(Vec<String>),
    /// Texts in one, cut at a delimiter.
    Split(Split),
}

/// A text to be cut at a delimiter.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Split {
    /// The text to cut.
    list: String,
    /// Where to cut it.
    #[serde(default = "comma")]
    #[schemars(extend("format" = "delimiter", "x-references" = false))]
    delimiter: String,
}

fn comma() -> String {
    ",".to_owned()
}

impl From<Written> for Repeat {
    fn from(Written { name, count, for_each }: Written) -> Self {
        let over = match (count, for_each) {
            (Some(Count { start, end, update_by }), _) => {
                Over::Numbers { start, end, stride: update_by }
            }
            (None, Some(Each::Texts(texts))) => Over::Texts(texts),
            (None, Some(Each::Split(Split { list, delimiter }))) => {
                Over::Texts(list.split(&delimiter).map(str::to_owned).collect())
            }
            (None, None) => Over::Texts(Vec::new()),
        };
        Self { name, over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::yaml;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let repeat: Repeat = decode(&yaml::parse(text).unwrap()).unwrap();
        let turns: Vec<String> =
            repeat.turns().map(|turn| format!("{}={}", turn.index, turn.value)).collect();
        assert_eq!(turns, expected, "{text}");
    }

    #[test]
    fn loops_go_over_numbers_and_texts() {
        check("for: {start: 1, end: 3, updateBy: 1}", &["0=1", "1=2", "2=3"]);
        check("for: {start: 5, end: 0, updateBy: -3}", &["0=5", "1=2"]);
        check("for: {start: 2, end: 2, updateBy: 7}", &["0=2"]);
        let last = i64::MAX.to_string();
        let last_turn = format!("0={last}");
        check(&format!("for: {{start: {last}, end: {last}, updateBy: 1}}"), &[&last_turn]);
        check("forEach: [a, 1, true]", &["0=a", "1=1", "2=true"]);
        check("forEach: {list: 'a,b'}", &["0=a", "1=b"]);
        check("forEach: {list: 'a b', delimiter: ' '}", &["0=a", "1=b"]);
        check("forEach: []", &[]);
    }

    #[test]
    fn strides_that_lead_away_end() {
        check("for: {start: 1, end: 3, updateBy: 0}", &[]);
        check("for: {start: 1, end: 3, updateBy: -1}", &[]);
    }
}
