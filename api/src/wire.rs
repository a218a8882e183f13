//! From bytes to typed values: bodies, queries and paths, with every wrong field named at once.

mod body;
mod field;
mod path;
mod query_string;
mod scan;

pub(crate) use body::{
    Body, LARGE_BODY_BYTES, Nothing, SMALL_BODY_BYTES, Wire, check_depth, read_whole,
};
pub(crate) use field::Field;
pub(crate) use path::Ids;
pub(crate) use query_string::{FromQuery, Query, Several, take};

/// A JSON object as it comes in: what a client may say, checked field by field.
///
/// `name: Type = Schema` declares a field; an `Option` may be left out. Unknown fields are refused.
macro_rules! request {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $ty:ty = $wire:ty,)* }) => {
        request! { @of crate::wire::SMALL_BODY_BYTES; $(#[$meta])* $name { $($(#[$field_meta])* $field: $ty = $wire,)* } }
    };
    (large $(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $ty:ty = $wire:ty,)* }) => {
        request! { @of crate::wire::LARGE_BODY_BYTES; $(#[$meta])* $name { $($(#[$field_meta])* $field: $ty = $wire,)* } }
    };
    (@of $max:path; $(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $ty:ty = $wire:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, utoipa::ToSchema)]
        pub(crate) struct $name {
            $($(#[$field_meta])* #[schema(value_type = $wire)] pub(crate) $field: $ty,)*
        }

        impl crate::wire::Wire for $name {
            const BYTES_MAX: usize = $max;

            fn parse(text: &str) -> Result<Self, crate::problem::Problem> {
                #[derive(Default, serde::Deserialize)]
                #[serde(default, deny_unknown_fields, expecting = "a JSON object")]
                struct Raw<'a> {
                    $(#[serde(borrow)] $field: crate::wire::Field<'a>,)*
                }
                let raw: Raw<'_> = crate::wire::Field::object(text)?;
                let mut errors = Vec::new();
                $(let $field = raw.$field.read::<$ty>(stringify!($field), &mut errors);)*
                match ($($field,)*) {
                    ($(Some($field),)*) => Ok(Self { $($field,)* }),
                    _ => Err(crate::problem::Problem::invalid(errors)),
                }
            }
        }
    };
}

/// A query string as it comes in; every parameter may be left out, unknown ones are refused, and
/// only one that holds several values may be repeated.
macro_rules! query {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $ty:ty = $wire:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, utoipa::IntoParams)]
        #[into_params(parameter_in = Query)]
        pub(crate) struct $name {
            $($(#[$field_meta])* #[param(value_type = Option<$wire>)] pub(crate) $field: Option<$ty>,)*
        }

        impl crate::wire::FromQuery for $name {
            fn from_pairs(
                pairs: Vec<(String, String)>,
                errors: &mut Vec<crate::problem::FieldError>,
            ) -> Self {
                let mut all = Self::default();
                for (name, value) in pairs {
                    match name.as_str() {
                        $(stringify!($field) => {
                            crate::wire::take(&mut all.$field, &name, &value, errors);
                        })*
                        _ => errors.push(crate::problem::FieldError::new(
                            &name, "unknown", "there is no such parameter")),
                    }
                }
                all
            }
        }
    };
}

pub(crate) use {query, request};
