//! What may change under one version, and what may not: the breaking field is named.

use schemas::compatible;
use serde_json::{Value, json};

fn order() -> Value {
    json!({
        "type": "object",
        "properties": {
            "order_id": { "type": "string", "format": "uuid" },
            "note": { "type": ["string", "null"] },
            "state": { "$ref": "#/$defs/State" },
            "lines": { "type": "array", "items": { "$ref": "#/$defs/Line" } },
            "prices": { "type": "object", "additionalProperties": { "type": "integer" } }
        },
        "required": ["order_id", "state", "lines"],
        "$defs": {
            "State": { "type": "string", "enum": ["open", "closed"] },
            "Line": {
                "type": "object",
                "properties": { "quantity": { "type": "integer", "minimum": 0 } },
                "required": ["quantity"]
            }
        }
    })
}

/// What is said of `order()` after `change`.
fn breaking(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut new = order();
    change(&mut new);
    match compatible(&order(), &new) {
        Ok(()) => Vec::new(),
        Err(breaking) => breaking.iter().map(ToString::to_string).collect(),
    }
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name);
}

#[test]
fn an_optional_field_may_be_added_at_any_depth() {
    let none: Vec<String> = Vec::new();
    assert_eq!(breaking(|_| {}), none);
    assert_eq!(
        breaking(|s| s["properties"]["gift"] = json!({ "type": "boolean", "default": false })),
        none
    );
    assert_eq!(
        breaking(|s| s["$defs"]["Line"]["properties"]["gift"] = json!({ "type": "boolean" })),
        none
    );
}

#[test]
fn a_removed_field_breaks() {
    assert_eq!(breaking(|s| remove(&mut s["properties"], "note")), ["`note` was removed"]);
    assert_eq!(
        breaking(|s| remove(&mut s["$defs"]["Line"]["properties"], "quantity")),
        ["`lines[].quantity` was removed"]
    );
}

#[test]
fn a_renamed_field_is_one_removed_and_one_added() {
    let renamed = breaking(|s| {
        let line = &mut s["$defs"]["Line"];
        remove(&mut line["properties"], "quantity");
        line["properties"]["units"] = json!({ "type": "integer" });
        line["required"] = json!(["units"]);
    });
    assert_eq!(renamed, ["`lines[].quantity` was removed", "`lines[].units` is newly required"]);
}

#[test]
fn a_newly_required_field_breaks_whether_it_is_new_or_not() {
    assert_eq!(
        breaking(|s| s["required"] = json!(["order_id", "state", "lines", "note"])),
        ["`note` is newly required"]
    );
    let added = breaking(|s| {
        s["properties"]["gift"] = json!({ "type": "boolean" });
        s["required"] = json!(["gift", "order_id", "state", "lines"]);
    });
    assert_eq!(added, ["`gift` is newly required"]);
}

#[test]
fn a_field_that_need_not_be_there_any_more_breaks_old_readers() {
    assert_eq!(
        breaking(|s| s["required"] = json!(["state", "lines"])),
        ["`order_id` is no longer required"]
    );
}

#[test]
fn a_changed_type_breaks() {
    assert_eq!(
        breaking(|s| s["$defs"]["Line"]["properties"]["quantity"]["type"] = json!("string")),
        [r#"`lines[].quantity` changed its type from "integer" to "string""#]
    );
    assert_eq!(
        breaking(|s| s["properties"]["prices"]["additionalProperties"]["type"] = json!("string")),
        [r#"`prices{}` changed its type from "integer" to "string""#]
    );
    assert_eq!(
        breaking(|s| s["properties"]["note"]["type"] = json!("string")),
        [r#"`note` changed its type from ["null","string"] to "string""#]
    );
}

#[test]
fn values_and_bounds_stay_as_they_are() {
    assert_eq!(
        breaking(|s| s["$defs"]["State"]["enum"] = json!(["open", "closed", "lost"])),
        [r#"`state` changed its `enum` from ["closed","open"] to ["closed","lost","open"]"#]
    );
    assert_eq!(
        breaking(|s| s["$defs"]["Line"]["properties"]["quantity"]["minimum"] = json!(1)),
        ["`lines[].quantity` changed its `minimum` from 0 to 1"]
    );
}

#[test]
fn texts_order_and_the_way_of_writing_do_not_matter() {
    let rewritten = breaking(|s| {
        s["title"] = json!("An order");
        s["properties"]["note"] = json!({ "type": ["null", "string"], "description": "A note." });
        s["required"] = json!(["state", "lines", "order_id"]);
        s["properties"]["state"] = json!({ "oneOf": [
            { "type": "string", "const": "closed", "description": "Over." },
            { "type": "string", "enum": ["open"] }
        ]});
    });
    assert_eq!(rewritten, Vec::<String>::new());
}

#[test]
fn alternatives_may_change_places_but_not_their_fields() {
    let tagged = |code: &str, field: &str| {
        json!({
            "type": "object",
            "properties": { "code": { "const": code }, field: { "type": "string" } },
            "required": ["code", field]
        })
    };
    let reason =
        |alternatives: Value| json!({ "properties": { "reason": { "oneOf": alternatives } } });
    let old = reason(json!([tagged("a", "note"), tagged("b", "cause")]));
    let moved = reason(json!([tagged("b", "cause"), tagged("a", "note")]));
    assert_eq!(compatible(&old, &moved), Ok(()));

    let changed = reason(json!([tagged("a", "note"), tagged("b", "motive")]));
    let found = compatible(&old, &changed).unwrap_err();
    assert_eq!(found[0].to_string(), "`reason.cause` was removed");

    let added = reason(json!([tagged("a", "note"), tagged("b", "cause"), tagged("c", "note")]));
    let found = compatible(&old, &added).unwrap_err();
    assert_eq!(found[0].field, "reason");
}

#[test]
fn a_type_that_holds_itself_is_compared_once() {
    let tree = json!({
        "$ref": "#/$defs/Tree",
        "$defs": { "Tree": { "type": "object", "properties": {
            "children": { "type": "array", "items": { "$ref": "#/$defs/Tree" } }
        } } }
    });
    assert_eq!(compatible(&tree, &tree), Ok(()));
}
