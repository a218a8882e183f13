//! `tillroll import` of files that are right, cut or wrong.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::process::{DataDir, Done, assert_clean, run};

const SELLER: &str = "0190a0b0-0000-7000-8000-000000000001";
const CATALOGUE: &str = "product_ref,sku_ref,name,description,category,brand,tags,price,currency,sale_price,sale_ends_at,wholesale_price,weight_g,barcode,attributes
kite,kite-red,Kite,Flies,toys,,outdoor,19.99,GBP,,,,250,,colour=red
kite,kite-blue,Kite,Flies,toys,,outdoor,19.99,GBP,,,,250,,colour=blue
mug,mug,Mug,Holds tea,kitchen,,,3.95,GBP,,,,300,,
";
const STOCK: &str = "sku_ref,warehouse,on_hand
kite-red,North,10
kite-blue,North,5
mug,North,100
";
const ORDERS: &str = "order_ref,placed_at,customer_ref,currency,sku_ref,quantity,unit_price
A-1,2026-01-31T12:00:00Z,ada,GBP,kite-red,2,19.99
A-1,2026-01-31T12:00:00Z,ada,GBP,mug,1,3.95
A-2,2026-02-01T09:30:00Z,,GBP,mug,4,3.50
";

struct Import {
    data: DataDir,
}

impl Import {
    fn new() -> Self {
        Self { data: DataDir::new() }
    }

    fn file(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.data.beside(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, what: &str, text: &[u8]) -> Done {
        let path = self.file(&format!("{what}.csv"), text);
        let mut words = vec!["import", what, path.to_str().unwrap()];
        if what == "catalogue" {
            words.extend(["--seller", SELLER]);
        }
        run(&self.data.path(), &words)
    }

    fn head(&self) -> u64 {
        let log = run(&self.data.path(), &["replay", "log"]).exits(0);
        log.json_lines().last().map_or(0, |event: &Value| event["position"].as_u64().unwrap())
    }
}

#[test]
fn a_shops_past_comes_in_once_however_often_it_is_imported() {
    let import = Import::new();
    for (what, text) in [("catalogue", CATALOGUE), ("stock", STOCK), ("orders", ORDERS)] {
        import.run(what, text.as_bytes()).exits(0);
        let head = import.head();
        import.run(what, text.as_bytes()).exits(0);
        assert_eq!(import.head(), head, "a second run of {what} changed something");
    }
    let words = ["replay", "log", "--type", "order.placed"];
    let placed = run(&import.data.path(), &words).exits(0).json_lines();
    assert_eq!(placed.len(), 2);
    assert_eq!(placed[0]["occurred"], "2026-01-31T12:00:00Z", "{}", placed[0]);
    assert_clean(&import.data.path());
    let mut words = vec!["import", "stock"];
    let path = import.file("stock.csv", STOCK.as_bytes());
    words.extend([path.to_str().unwrap(), "--json"]);
    assert!(run(&import.data.path(), &words).exits(0).json().is_object());
}

#[test]
fn a_file_that_is_cut_or_wrong_writes_nothing_and_is_told_where() {
    let import = Import::new();
    import.run("catalogue", CATALOGUE.as_bytes()).exits(0);
    import.run("stock", STOCK.as_bytes()).exits(0);
    let head = import.head();
    let cut = |text: &str| text.as_bytes()[..text.len() - 8].to_vec();
    let with = |text: &str, row: &str| format!("{text}{row}\n").into_bytes();
    let row = "A-3,2026-02-02T09:30:00Z,,GBP";
    let wrong: &[(&str, Vec<u8>, &[&str])] = &[
        ("orders", cut(ORDERS), &["line 4", "nothing was imported"]),
        ("stock", cut(STOCK), &["line 4", "nothing was imported"]),
        ("catalogue", cut(CATALOGUE), &["line 4", "nothing was imported"]),
        ("orders", with(ORDERS, &format!("{row},mug,0,3.50")), &["line 5: quantity", "`0`"]),
        ("orders", with(ORDERS, &format!("{row},mug,-4,3.50")), &["line 5: quantity", "`-4`"]),
        ("orders", with(ORDERS, &format!("{row},mug,1.5,3.50")), &["line 5: quantity", "`1.5`"]),
        ("orders", with(ORDERS, &format!("{row},mug,1,3.505")), &["line 5: unit_price", "`3.505`"]),
        ("orders", with(ORDERS, &format!("{row},jug,1,3.50")), &["line 5", "jug"]),
        (
            "orders",
            with(ORDERS, "A-4,yesterday,,GBP,mug,1,3.50"),
            &["line 5: placed_at", "`yesterday`"],
        ),
        ("stock", with(STOCK, "jug,North,4"), &["line 5", "jug"]),
        ("stock", with(STOCK, "mug,South,many"), &["line 5: on_hand", "`many`"]),
        (
            "catalogue",
            with(CATALOGUE, "jug,jug,Jug,,,,,3.95,POUND,,,,,,"),
            &["line 5: currency", "`POUND`"],
        ),
        ("stock", b"sku,warehouse,units\n".to_vec(), &["header", "sku_ref,warehouse,on_hand"]),
        ("stock", Vec::new(), &["header"]),
    ];
    for (what, text, words) in wrong {
        let refused = import.run(what, text).exits(3);
        refused.complains_of(words);
        assert_eq!(import.head(), head, "{what} {words:?} wrote something");
    }
    let missing = import.data.beside("missing.csv");
    let words = ["import", "stock", missing.to_str().unwrap()];
    run(&import.data.path(), &words).exits(3).complains_of(&["missing.csv"]);
    assert_clean(&import.data.path());
}
