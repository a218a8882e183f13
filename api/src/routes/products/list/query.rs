//! What can be asked of `GET /products`, as it comes in.

use std::collections::BTreeMap;

use domain::{CategoryId, Currency, SellerId};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};

use crate::problem::FieldError;
use crate::wire::{FromQuery, Several, query, take};

/// What the name of a parameter for an attribute begins with.
const ATTRIBUTES: &str = "attributes.";

query! {
    /// Which products; those that meet all of what is given.
    ListProducts {
        /// Words to find, 1 to 512 characters and at most 32 words; misspelt ones are put right.
        #[param(min_length = 1, max_length = 512)]
        q: String = String,
        /// auto (the default), text, semantic or hybrid: whether `q` finds by words, by likeness in
        /// meaning, or by both; auto does what this shop can.
        mode: String = String,
        /// In this category or below it.
        category: CategoryId = Uuid,
        /// Of any of these, separated by commas or given one by one; `\,` is a comma within one.
        brand: Several = String,
        /// With all of these, separated by commas.
        tags: Several = String,
        /// The lowest price that holds now for who asks, from here, in minor units of `currency`.
        price_min: i64 = i64,
        /// And up to here.
        price_max: i64 = i64,
        /// For prices, price buckets and sorting by price.
        currency: Currency = String,
        in_stock: bool = bool,
        seller: SellerId = Uuid,
        /// relevance (the default with `q`), newest (the default without), name, price, -price or
        /// rating.
        sort: String = String,
        /// What to count, separated by commas: category, brand, tags, attributes, one attribute as
        /// `attributes.colour`, price; or none. Left out: category, brand and, with a currency,
        /// price.
        facets: Several = String,
        /// Most values of each facet: 1 to 100, 20 if left out.
        #[param(minimum = 1, maximum = 100)]
        facet_values: usize = usize,
        /// Bounds between price buckets, in minor units, ascending, at most 20, separated by commas;
        /// those that suit the shop's prices if left out.
        price_bounds: String = String,
        /// Says of each product why it is where it is.
        explain: bool = bool,
        /// `next` of the page before, with the same question.
        cursor: String = String,
        /// From 1; instead of a cursor. Pages end behind 10,000 products.
        #[param(minimum = 1)]
        page: u32 = u32,
        /// 1 to 100, 24 if left out.
        #[param(minimum = 1, maximum = 100)]
        limit: usize = usize,
    }
}

/// [`ListProducts`], and values of attributes by their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProductSearch {
    pub(super) plain: ListProducts,
    pub(super) attributes: BTreeMap<String, Several>,
}

impl FromQuery for ProductSearch {
    fn from_pairs(pairs: Vec<(String, String)>, errors: &mut Vec<FieldError>) -> Self {
        let mut attributes = BTreeMap::new();
        let mut plain = Vec::new();
        for (name, value) in pairs {
            let Some(attribute) = name.strip_prefix(ATTRIBUTES) else {
                plain.push((name, value));
                continue;
            };
            let mut all = attributes.remove(attribute);
            take::<Several>(&mut all, &name, &value, errors);
            attributes.extend(all.map(|all| (attribute.to_owned(), all)));
        }
        Self { plain: ListProducts::from_pairs(plain, errors), attributes }
    }
}

impl IntoParams for ProductSearch {
    fn into_params(within: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut parameters = ListProducts::into_params(within);
        let text = || Schema::from(ObjectBuilder::new().schema_type(Type::String));
        let named = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^attributes\\."));
        // Each property is a parameter of its own: `attributes.colour=red,blue`.
        let schema = ObjectBuilder::new()
            .property_names(Some(Schema::from(named)))
            .additional_properties(Some(AdditionalProperties::from(text())));
        let description = "With any of these values, separated by commas or given one by one, of the \
            attribute named behind the point; of all attributes that are named.";
        let attributes = ParameterBuilder::new()
            .name("attributes")
            .parameter_in(ParameterIn::Query)
            .style(Some(ParameterStyle::Form))
            .explode(Some(true))
            .description(Some(description))
            .schema(Some(schema));
        parameters.push(attributes.build());
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_named_by_whoever_asks() {
        let query = "attributes.colour=red,blue&attributes.colour=green&attributes.size=l&q=mug";
        let read = ProductSearch::from_query(query).unwrap();
        let values: Vec<(&str, Vec<&str>)> = read
            .attributes
            .iter()
            .map(|(name, all)| (name.as_str(), all.0.iter().map(String::as_str).collect()))
            .collect();
        assert_eq!(values, [("colour", vec!["blue", "green", "red"]), ("size", vec!["l"])]);
        assert_eq!(read.plain.q.as_deref(), Some("mug"));
        assert!(ProductSearch::from_query("attribute.colour=red").is_err());
    }
}
