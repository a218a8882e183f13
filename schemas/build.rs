//! Builds the frozen schemas and samples in: every version that has all three files.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let root = Path::new(&root);
    let table = frozen(root, "FILES", "events", "samples")?
        + &frozen(root, "MESSAGE_FILES", "messages", "message_samples")?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out).join("frozen.rs"), table)
}

fn frozen(root: &Path, constant: &str, schemas: &str, samples: &str) -> io::Result<String> {
    println!("cargo::rerun-if-changed={schemas}");
    println!("cargo::rerun-if-changed={samples}");
    let mut versions: Vec<(String, u16)> = Vec::new();
    for file in fs::read_dir(root.join(schemas))? {
        let name = file?.file_name();
        let frozen = name.to_str().and_then(|name| {
            let (event_type, version) = name.strip_suffix(".schema.json")?.rsplit_once(".v")?;
            Some((event_type.to_owned(), version.parse().ok()?))
        });
        versions.push(frozen.ok_or_else(|| {
            io::Error::other(format!("{name:?} is not named <type>.v<version>.schema.json"))
        })?);
    }
    versions.sort();

    let mut table = format!("const {constant}: &[(&str, CatalogueVersion)] = &[\n");
    for (event_type, version) in versions {
        let [schema, full, minimal] = [
            format!("{schemas}/{event_type}.v{version}.schema.json"),
            format!("{samples}/{event_type}.v{version}.full.json"),
            format!("{samples}/{event_type}.v{version}.minimal.json"),
        ];
        if !root.join(&full).exists() || !root.join(&minimal).exists() {
            continue; // A test says which are missing.
        }
        let include =
            |path| format!("include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{path}\"))");
        writeln!(
            table,
            "    (\"{event_type}\", CatalogueVersion {{ version: {version}, schema: {}, \
             full_sample: {}, minimal_sample: {} }}),",
            include(schema),
            include(full),
            include(minimal),
        )
        .map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    Ok(table)
}
