//! How conditions are written: one table of operators, from which both the
//! schema and the reading follow.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json, json};

use super::{Comparison, Condition, Guard, Order, Verdict};
use crate::Algorithm;
use crate::decode::Quantity;

/// What an operator's member holds, and what must stand beside it.
#[derive(Clone, Copy)]
enum Operator {
    /// A list of conditions.
    Many(fn(Vec<Condition>) -> Condition),
    /// A condition, or a list of one.
    Not,
    /// A text.
    Alone(fn(String) -> Condition),
    /// A text, and `value`.
    Text(Order),
    /// A number, and `value`.
    Number(Order),
    /// A regular expression, and `value`.
    Pattern,
    /// A digest, and `path`.
    Digest(Algorithm),
}

const OPERATORS: &[(&str, Operator)] = &[
    ("and", Operator::Many(Condition::And)),
    ("or", Operator::Many(Condition::Or)),
    ("not", Operator::Not),
    ("stringIsEmpty", Operator::Alone(Condition::StringIsEmpty)),
    ("stringIsWhitespace", Operator::Alone(Condition::StringIsWhitespace)),
    ("stringEquals", Operator::Text(Order::Equal)),
    ("stringLessThan", Operator::Text(Order::Less)),
    ("stringLessThanEquals", Operator::Text(Order::LessOrEqual)),
    ("stringGreaterThan", Operator::Text(Order::Greater)),
    ("stringGreaterThanEquals", Operator::Text(Order::GreaterOrEqual)),
    // The spelling of the documentation's examples.
    ("stringlessThan", Operator::Text(Order::Less)),
    ("stringlessThanEquals", Operator::Text(Order::LessOrEqual)),
    ("patternMatches", Operator::Pattern),
    ("numberEquals", Operator::Number(Order::Equal)),
    ("numberLessThan", Operator::Number(Order::Less)),
    ("numberLessThanEquals", Operator::Number(Order::LessOrEqual)),
    ("numberGreaterThan", Operator::Number(Order::Greater)),
    ("numberGreaterThanEquals", Operator::Number(Order::GreaterOrEqual)),
    ("binaryExists", Operator::Alone(Condition::BinaryExists)),
    ("fileExists", Operator::Alone(Condition::FileExists)),
    ("folderExists", Operator::Alone(Condition::FolderExists)),
    ("fileMD5Equals", Operator::Digest(Algorithm::Md5)),
    ("fileSHA1Equals", Operator::Digest(Algorithm::Sha1)),
    ("fileSHA256Equals", Operator::Digest(Algorithm::Sha256)),
    ("fileSHA512Equals", Operator::Digest(Algorithm::Sha512)),
];

impl Operator {
    fn named(name: &str) -> Option<Self> {
        OPERATORS.iter().find(|(known, _)| *known == name).map(|(_, operator)| *operator)
    }

    fn schema(self, condition: &Json) -> Json {
        match self {
            Self::Many(_) => json!({ "type": "array", "items": condition, "minItems": 2 }),
            Self::Not => json!({
                "anyOf": [
                    condition,
                    { "type": "array", "items": condition, "minItems": 1, "maxItems": 1 },
                ]
            }),
            Self::Alone(_) | Self::Text(_) => json!({ "type": ["string", "number", "boolean"] }),
            Self::Number(_) => json!({ "type": ["number", "string"], "format": "decimal" }),
            Self::Pattern => json!({ "type": "string", "format": "pattern" }),
            Self::Digest(_) => json!({ "type": "string" }),
        }
    }

    fn beside(self) -> Option<&'static str> {
        match self {
            Self::Many(_) | Self::Not | Self::Alone(_) => None,
            Self::Text(_) | Self::Number(_) | Self::Pattern => Some("value"),
            Self::Digest(_) => Some("path"),
        }
    }
}

/// What must stand beside an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Nothing: it holds conditions.
    Conditions,
    /// Nothing: it holds its only operand.
    Nothing,
    /// `value`.
    Value,
    /// `path`; its own operand is a digest.
    Path {
        /// How many hexadecimal digits the digest has.
        digits: usize,
    },
}

/// Returns what must stand beside the operator `name`; `None` if it is none.
pub(crate) fn beside(name: &str) -> Option<Beside> {
    Some(match Operator::named(name)? {
        Operator::Many(_) | Operator::Not => Beside::Conditions,
        Operator::Alone(_) => Beside::Nothing,
        Operator::Text(_) | Operator::Number(_) | Operator::Pattern => Beside::Value,
        Operator::Digest(algorithm) => Beside::Path {
            digits: match algorithm {
                Algorithm::Md5 => 32,
                Algorithm::Sha1 => 40,
                Algorithm::Sha256 => 64,
                Algorithm::Sha512 => 128,
            },
        },
    })
}

fn schema(generator: &mut SchemaGenerator) -> Schema {
    let condition = generator.subschema_for::<Condition>().to_value();
    let mut properties = Map::new();
    let (mut choices, mut needs) = (Vec::new(), Map::new());
    for (name, operator) in OPERATORS {
        properties.insert((*name).to_owned(), operator.schema(&condition));
        choices.push(json!({ "required": [name] }));
        needs.extend(operator.beside().map(|other| ((*name).to_owned(), json!([other]))));
    }
    properties.insert("value".to_owned(), json!({ "type": ["string", "number", "boolean"] }));
    properties.insert("path".to_owned(), json!({ "type": "string" }));
    json_schema!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "oneOf": choices,
        "dependentRequired": needs,
    })
}

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schema(generator)
    }
}

impl JsonSchema for Guard {
    fn schema_name() -> Cow<'static, str> {
        "Guard".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let verdict = generator.subschema_for::<Verdict>();
        let mut map = schema(generator);
        if let Some(Json::Object(properties)) = map.get_mut("properties") {
            properties.insert("then".to_owned(), verdict.clone().to_value());
            properties.insert("else".to_owned(), verdict.to_value());
        }
        json_schema!({
            "anyOf": [map, { "type": "array", "items": map, "minItems": 1, "maxItems": 1 }]
        })
    }
}

/// What an operator's own member holds.
enum Operand {
    Text(String),
    Conditions(Vec<Condition>),
}

/// The members of a condition or guard, in whatever order they came.
#[derive(Default)]
struct Members {
    operator: Option<(Operator, Operand)>,
    value: Option<String>,
    path: Option<String>,
    then: Option<Verdict>,
    otherwise: Option<Verdict>,
}

impl Members {
    fn condition(self) -> Option<Condition> {
        use Operand::{Conditions, Text};
        let comparison = |order, operand, value| Comparison { order, operand, value };
        Some(match self.operator? {
            (Operator::Many(make), Conditions(conditions)) => make(conditions),
            (Operator::Not, Conditions(mut conditions)) => {
                Condition::Not(Box::new(conditions.pop()?))
            }
            (Operator::Alone(make), Text(text)) => make(text),
            (Operator::Text(order), Text(operand)) => {
                Condition::Text(comparison(order, operand, self.value?))
            }
            (Operator::Number(order), Text(operand)) => {
                Condition::Number(comparison(order, operand, self.value?))
            }
            (Operator::Pattern, Text(pattern)) => {
                Condition::PatternMatches { pattern, value: self.value? }
            }
            (Operator::Digest(algorithm), Text(digest)) => {
                Condition::FileDigest { algorithm, digest, path: self.path? }
            }
            (Operator::Many(_) | Operator::Not, Text(_)) => return None,
            (
                Operator::Alone(_)
                | Operator::Text(_)
                | Operator::Number(_)
                | Operator::Pattern
                | Operator::Digest(_),
                Conditions(_),
            ) => return None,
        })
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "value" => {
                            let Quantity(value) = map.next_value()?;
                            members.value = Some(value);
                        }
                        "path" => members.path = Some(map.next_value()?),
                        "then" => members.then = Some(map.next_value()?),
                        "else" => members.otherwise = Some(map.next_value()?),
                        name => {
                            let operator = Operator::named(name)
                                .ok_or_else(|| de::Error::unknown_field(name, &[]))?;
                            let operand = match operator {
                                Operator::Many(_) => Operand::Conditions(map.next_value()?),
                                Operator::Not => {
                                    let OneOf(condition) = map.next_value()?;
                                    Operand::Conditions(vec![condition])
                                }
                                Operator::Text(_) | Operator::Number(_) => {
                                    let Quantity(operand) = map.next_value()?;
                                    Operand::Text(operand)
                                }
                                Operator::Alone(_) | Operator::Pattern | Operator::Digest(_) => {
                                    Operand::Text(map.next_value()?)
                                }
                            };
                            members.operator = Some((operator, operand));
                        }
                    }
                }
                Ok(members)
            }
        }

        source.deserialize_map(MembersVisitor)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let condition = Members::deserialize(source)?.condition();
        condition.ok_or_else(|| de::Error::custom("not a condition"))
    }
}

impl<'de> Deserialize<'de> for Guard {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let OneOf(members) = OneOf::<Members>::deserialize(source)?;
        let then = members.then.unwrap_or(Verdict::Execute);
        let otherwise = members.otherwise.unwrap_or(Verdict::Skip);
        let condition = members.condition();
        let condition = condition.ok_or_else(|| de::Error::custom("not a condition"))?;
        Ok(Self { condition, then, otherwise })
    }
}

/// A mapping, or a list of one mapping: the documentation shows both.
struct OneOf<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOf<T> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct OneVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping or a list of one")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
                let [one] = <[T; 1]>::deserialize(SeqAccessDeserializer::new(list))?;
                Ok(one)
            }
        }

        source.deserialize_any(OneVisitor(PhantomData)).map(OneOf)
    }
}
