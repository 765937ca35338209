//! Makes serde read a record only from an object, at every depth. By default it also accepts a list with the members in the order
//! of the source code, which no wire format means.
//!
//! A type that serde keeps aside before it decodes it, which is untagged, tagged by a member, or flattened, is decoded from the copy:
//! the records in it are not guarded. Those of requests have none.

use std::fmt;

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};

/// A value whose records were objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfObjects<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OfObjects<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(Objects(deserializer)).map(Self)
    }
}

/// Deserializes with `T`, but a record only from an object.
pub struct Objects<T>(pub T);

macro_rules! forwarded {
    ($($method:ident($($name:ident: $kind:ty),*);)+) => {$(
        fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method($($name,)* Guard { visitor, is_record: false })
        }
    )+};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, Guard { visitor, is_record: true })
    }

    forwarded! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_map();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Objects(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Objects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Objects<A> {
    type Error = A::Error;
    type Variant = Objects<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(seed)?;
        Ok((value, Objects(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Objects<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Objects(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, Guard { visitor, is_record: false })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, Guard { visitor, is_record: true })
    }
}

/// Visits with `visitor`; the visitor of a record takes no list.
struct Guard<V> {
    visitor: V,
    is_record: bool,
}

macro_rules! visited {
    ($($method:ident: $kind:ty;)+) => {$(
        fn $method<E: Error>(self, value: $kind) -> Result<V::Value, E> {
            self.visitor.$method(value)
        }
    )+};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Guard<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        if self.is_record {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        self.visitor.visit_seq(Objects(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Objects(object))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, value: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Objects(value))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Objects(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Objects(deserializer))
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    visited! {
        visit_bool: bool;
        visit_i8: i8;
        visit_i16: i16;
        visit_i32: i32;
        visit_i64: i64;
        visit_i128: i128;
        visit_u8: u8;
        visit_u16: u16;
        visit_u32: u32;
        visit_u64: u64;
        visit_u128: u128;
        visit_f32: f32;
        visit_f64: f64;
        visit_char: char;
        visit_str: &str;
        visit_borrowed_str: &'de str;
        visit_string: String;
        visit_bytes: &[u8];
        visit_borrowed_bytes: &'de [u8];
        visit_byte_buf: Vec<u8>;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::de::DeserializeOwned;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    #[serde(expecting = "an object")]
    struct Point {
        x: u8,
    }

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Newtype(Point);

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Pair(u8, u8);

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    enum Variants {
        Unit,
        Newtype(Point),
        Tuple(u8, Point),
        Struct { point: Point },
    }

    #[derive(Debug, PartialEq, Eq, Deserialize)]
    struct Flattened {
        point: Point,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }

    fn read<T: DeserializeOwned>(json: &str) -> Result<T, String> {
        let of_value = serde_json::from_str(json).map(serde_json::from_value::<OfObjects<T>>).unwrap();
        let of_text = serde_json::from_str::<OfObjects<T>>(json);
        assert_eq!(of_text.is_ok(), of_value.is_ok(), "{json}");
        of_text.map(|it| it.0).map_err(|error| error.to_string())
    }

    fn refused<T: DeserializeOwned + fmt::Debug>(json: &str) {
        assert!(serde_json::from_str::<T>(json).is_ok(), "otherwise it is refused by serde: {json}");
        let error = read::<T>(json).unwrap_err();
        assert!(error.starts_with("invalid type: sequence, expected "), "{json}: {error}");
    }

    #[test]
    fn a_record_is_not_a_list_at_any_depth() {
        refused::<Point>("[1]");
        refused::<Vec<Point>>(r#"[{"x":1},[2]]"#);
        refused::<Option<Point>>("[1]");
        refused::<BTreeMap<String, Option<Point>>>(r#"{"a":[1]}"#);
        refused::<(u8, Point)>("[1,[1]]");
        refused::<Newtype>("[1]");
        refused::<Box<[Newtype]>>("[[1]]");
        refused::<Variants>(r#"{"Newtype":[1]}"#);
        refused::<Variants>(r#"{"Tuple":[1,[1]]}"#);
        refused::<Variants>(r#"{"Struct":[{"x":1}]}"#);
        refused::<Variants>(r#"{"Struct":{"point":[1]}}"#);
        refused::<Flattened>(r#"{"point":[1],"y":2}"#);
    }

    #[test]
    fn everything_else_is_read_as_before() {
        assert_eq!(read::<Point>(r#"{"x":1}"#), Ok(Point { x: 1 }));
        assert_eq!(read::<Option<Point>>("null"), Ok(None));
        assert_eq!(read::<Newtype>(r#"{"x":1}"#), Ok(Newtype(Point { x: 1 })));
        assert_eq!(read::<Pair>("[1,2]"), Ok(Pair(1, 2)));
        assert_eq!(read::<Variants>(r#""Unit""#), Ok(Variants::Unit));
        assert_eq!(read::<Variants>(r#"{"Tuple":[1,{"x":2}]}"#), Ok(Variants::Tuple(1, Point { x: 2 })));
        assert_eq!(read::<Variants>(r#"{"Struct":{"point":{"x":2}}}"#), Ok(Variants::Struct { point: Point { x: 2 } }));
        let rest = BTreeMap::from([("y".to_owned(), 2)]);
        assert_eq!(read::<Flattened>(r#"{"point":{"x":1},"y":2}"#), Ok(Flattened { point: Point { x: 1 }, rest }));
        for json in [r#"{"a":[1,-1,1.5,"b",true,null,18446744073709551615],"b":{}}"#, "[]", "null"] {
            assert_eq!(read::<serde_json::Value>(json), Ok(serde_json::from_str(json).unwrap()));
        }
    }
}
