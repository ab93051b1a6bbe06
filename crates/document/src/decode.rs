//! A serde source over the spanned tree.
//!
//! Scalars convert by what is asked for: `"true"` reads as a boolean and `1.0`
//! as a text, because values of references are always texts. What may
//! be written where is the schema's to say, not this file's.

use std::fmt;
use std::slice;

use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess,
    IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::yaml::{Node, Value};
use crate::{Span, Spanned};

/// Reads a `T` from a tree that its schema accepts.
pub(crate) fn decode<T: DeserializeOwned>(node: &Node) -> Result<T, DecodeError> {
    T::deserialize(Source(node))
}

/// Reads the variant `name` of the enum `T` from `node`.
pub(crate) fn decode_variant<T: DeserializeOwned>(
    name: &str,
    node: &Node,
) -> Result<T, DecodeError> {
    T::deserialize(Variant { name, node })
}

/// A tree that its schema accepts could not be read: the two disagree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct DecodeError(String);

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// The struct name and members by which [`Spanned`] asks for its span.
const SPANNED: &str = "document::Spanned";
const SPANNED_MEMBERS: [&str; 3] = ["start", "end", "value"];

/// The name by which [`Quantity`] asks for numbers in plain digits.
const QUANTITY: &str = "document::Quantity";

/// The text of a scalar, numbers in plain decimal digits.
pub(crate) struct Quantity(pub(crate) String);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct QuantityVisitor;

        impl Visitor<'_> for QuantityVisitor {
            type Value = Quantity;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a text")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
                Ok(Quantity(text.to_owned()))
            }
        }

        source.deserialize_newtype_struct(QUANTITY, QuantityVisitor)
    }
}

#[derive(Clone, Copy)]
struct Source<'a>(&'a Node);

impl<'de> IntoDeserializer<'de, DecodeError> for Source<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads scalars of one type from the text of any scalar.
macro_rules! parsed_scalars {
    ($($method:ident $visit:ident $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            match self.0.integer().and_then(|text| text.parse::<$type>().ok()) {
                Some(value) => visitor.$visit(value),
                None => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Source<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_str(if *value { "true" } else { "false" }),
            Value::Number(text) | Value::String(text) => visitor.visit_str(text),
            Value::Sequence(items) => visitor.visit_seq(Items(items.iter())),
            Value::Mapping(members) => {
                let pairs = members.iter().map(|(key, node)| (key.value.as_str(), Source(node)));
                visitor.visit_map(MapDeserializer::new(pairs))
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0.boolean() {
            Some(value) => visitor.visit_bool(value),
            None => self.deserialize_any(visitor),
        }
    }

    parsed_scalars! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0.text() {
            Some(text) => visitor.visit_str(text),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.0.value == Value::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if let Some(text) = self.0.quantity().filter(|_| name == QUANTITY) {
            return visitor.visit_str(&text);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == SPANNED {
            return visitor.visit_map(SpannedParts { node: self.0, next: 0 });
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let text = self.0.text().unwrap_or_default();
        visitor.visit_enum(StrDeserializer::new(text))
    }

    forward_to_deserialize_any! {
        i128 u128 f32 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Items<'a>(slice::Iter<'a, Node>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.0.next().map(|node| seed.deserialize(Source(node))).transpose()
    }
}

struct Variant<'a> {
    name: &'a str,
    node: &'a Node,
}

impl<'de> Deserializer<'de> for Variant<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de, 'a> EnumAccess<'de> for Variant<'a> {
    type Error = DecodeError;
    type Variant = Source<'a>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Source<'a>), DecodeError> {
        let name = StrDeserializer::<DecodeError>::new(self.name);
        Ok((seed.deserialize(name)?, Source(self.node)))
    }
}

impl<'de> VariantAccess<'de> for Source<'_> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_any(visitor)
    }
}

struct SpannedParts<'a> {
    node: &'a Node,
    next: usize,
}

impl<'de> MapAccess<'de> for SpannedParts<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let name = SPANNED_MEMBERS.get(self.next);
        name.map(|name| seed.deserialize(StrDeserializer::<DecodeError>::new(name))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        self.next += 1;
        match self.next {
            1 => seed.deserialize(self.node.span.start.into_deserializer()),
            2 => seed.deserialize(self.node.span.end.into_deserializer()),
            _ => seed.deserialize(Source(self.node)),
        }
    }
}

impl<'de, T: de::Deserialize<'de>> de::Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Parts<T> {
            start: usize,
            end: usize,
            value: T,
        }
        struct PartsVisitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: de::Deserialize<'de>> Visitor<'de> for PartsVisitor<T> {
            type Value = Parts<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a spanned value")
            }

            fn visit_map<A: MapAccess<'de>>(self, parts: A) -> Result<Parts<T>, A::Error> {
                de::Deserialize::deserialize(de::value::MapAccessDeserializer::new(parts))
            }
        }

        let visitor = PartsVisitor(std::marker::PhantomData);
        let parts = source.deserialize_struct(SPANNED, &SPANNED_MEMBERS, visitor)?;
        Ok(Spanned::new(parts.value, Span::new(parts.start, parts.end)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::yaml;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Everything {
        text: Spanned<String>,
        number: u32,
        flag: bool,
        absent: Option<String>,
        list: Vec<Spanned<String>>,
        map: BTreeMap<String, i64>,
    }

    #[test]
    fn values_come_with_their_places() {
        let text = "text: 1.0\nnumber: '7'\nflag: 'true'\nabsent:\nlist: [x, 08]\nmap: {a: -1}\n";
        let read: Everything = decode(&yaml::parse(text).unwrap()).unwrap();
        assert_eq!((read.text.value.as_str(), read.text.span), ("1.0", Span::new(6, 9)));
        assert_eq!((read.number, read.flag, read.absent), (7, true, None));
        let Spanned { value, span } = &read.list[1];
        assert_eq!((value.as_str(), &text[span.start..span.end]), ("08", "08"));
        assert_eq!(read.map["a"], -1);
    }

    #[test]
    fn variants_are_read_by_name() {
        #[derive(Debug, PartialEq, Deserialize)]
        enum Shape {
            Circle(u32),
            Path(Vec<u32>),
        }
        let node = yaml::parse("[1, 2]").unwrap();
        assert_eq!(decode_variant("Path", &node), Ok(Shape::Path(vec![1, 2])));
        assert_eq!(decode_variant("Circle", &yaml::parse("3").unwrap()), Ok(Shape::Circle(3)));
        assert!(decode_variant::<Shape>("Square", &node).is_err());
    }
}
