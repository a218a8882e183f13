//! The description is whole, and operators see what they need.

use std::collections::BTreeSet;

use serde_json::Value;

use super::shop::Shop;
use crate::{openapi, routes};

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let document = openapi();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut described = BTreeSet::new();
    let mut operations = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            described.insert((method.to_uppercase(), path.clone()));
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(operations.insert(id.clone()), "{id} twice");
            assert!(operation["summary"].is_string(), "{id} has no summary");
            assert!(operation["responses"]["503"].is_object(), "{id}");
            let roles = operation["x-roles"].as_array().unwrap();
            assert_eq!(roles.is_empty(), operation["security"] == Value::Array(vec![]), "{id}");
            for name in path.split('/').filter_map(|p| p.strip_prefix('{')) {
                let name = name.trim_end_matches('}');
                let parameters = operation["parameters"].as_array().unwrap();
                assert!(parameters.iter().any(|p| p["name"] == name && p["in"] == "path"), "{id}");
            }
        }
    }
    let registered: BTreeSet<(String, String)> = routes::table()
        .into_iter()
        .map(|route| (route.method.to_string(), route.path.to_owned()))
        .collect();
    assert_eq!(described, registered);
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(to)) = fields.get("$ref") {
                    found.push(to.clone());
                }
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = openapi();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100);
    for to in found {
        assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
    }
}

#[actix_web::test]
async fn operators_see_health_and_numbers() {
    let shop = Shop::open().await;
    shop.stocked().await;
    shop.ask("", "GET /healthz", Value::Null).await.is(200);
    assert_eq!(shop.ask("", "GET /readyz", Value::Null).await.is(200).body["status"], "ready");
    let text = shop.ask("admin", "GET /metrics", Value::Null).await.is(200).text;
    for name in [
        "tillroll_commands_total",
        "tillroll_journal_head",
        "tillroll_read_model_position{model=\"orders\"}",
        "tillroll_http_requests_total{method=\"POST\",route=\"/products\",status=\"201\"} 1",
        "tillroll_http_request_seconds_bucket{method=\"POST\",route=\"/products\",le=\"+Inf\"} 1",
    ] {
        assert!(text.contains(name), "{name} in\n{text}");
    }
    let models = shop.ask("admin", "GET /admin/projections", Value::Null).await.is(200);
    assert!(models.body["models"].as_array().unwrap().len() >= 8);
    shop.ask("", "GET /openapi.json", Value::Null).await.is(200);
    shop.services.stop();
    let stopping = shop.ask("", "GET /readyz", Value::Null).await.is(503);
    assert_eq!(stopping.body["code"], "not_ready");
}
