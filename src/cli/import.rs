//! `tillroll import`: a catalogue, stock and past orders from CSV files.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use clap::{Args, Subcommand, ValueEnum};
use commands::{Clock, SystemClock};
use domain::SellerId;

use super::{Exit, Failure, Global, terminal};
use crate::compose::Node;
use crate::import::{
    ImportClock, ImportInto, Progress, Report, Stage, catalogue, online_retail, orders, stock,
};

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Products and SKUs.
    ///
    /// Columns: product_ref, sku_ref, name, description, category, brand, tags, price, currency,
    /// sale_price, sale_ends_at, wholesale_price, weight_g, barcode, attributes.
    Catalogue {
        /// A CSV file, plain or gzipped.
        file: PathBuf,
        /// The seller the products are of.
        #[arg(long)]
        seller: SellerId,
        /// The seller's name, if there is no such seller yet.
        #[arg(long, default_value = "Imported")]
        seller_name: String,
    },
    /// Units on hand.
    ///
    /// Columns: sku_ref, warehouse, on_hand.
    Stock {
        /// A CSV file, plain or gzipped.
        file: PathBuf,
    },
    /// Past orders, with their payments, shipments and returns, dated as in the file.
    Orders {
        /// A CSV file, plain or gzipped.
        file: PathBuf,
        /// What the file's columns are.
        #[arg(long, value_enum, default_value = "tillroll")]
        format: OrdersFormat,
        /// Import only the first so many invoices (`online-retail`).
        #[arg(long)]
        invoices_max: Option<usize>,
    },
}

impl What {
    fn file(&self) -> &Path {
        match self {
            Self::Catalogue { file, .. } | Self::Stock { file } | Self::Orders { file, .. } => file,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OrdersFormat {
    /// Columns `order_ref, placed_at, customer_ref, currency, sku_ref, quantity, unit_price`.
    Tillroll,
    /// The UCI "Online Retail" data set, plain or gzipped.
    OnlineRetail,
}

pub(super) fn run(global: &Global, args: &ImportArgs) -> Result<Exit, Failure> {
    // No data directory is made for a file that is not there.
    let file = args.what.file();
    if let Err(error) = std::fs::File::open(file) {
        return Err(format!("{}: {error}", file.display()).into());
    }
    let clock = Arc::new(ImportClock::default());
    let node = Node::open(&ImportInto::node_options(&global.data, &clock))?;
    let into = ImportInto {
        engine: node.engine.clone(),
        keys: Arc::clone(&node.keys) as _,
        gateway: Arc::clone(&node.sandbox) as _,
        clock,
    };
    let bar = Mutex::new(terminal::Progress::new("import", "rows"));
    let watch = |progress: Progress| {
        if let Ok(mut bar) = bar.lock() {
            let (label, unit) = named(progress.stage);
            bar.stage(label, unit);
            bar.at(progress.done, progress.total);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report: Result<Report, _> = runtime.block_on(async {
        let report = match &args.what {
            What::Catalogue { file, seller, seller_name } => {
                let options = catalogue::Options {
                    at: SystemClock.now(),
                    seller_id: *seller,
                    seller_name: seller_name.clone(),
                };
                catalogue::run(&into, file, options, &watch).await
            }
            What::Stock { file } => {
                let options = stock::Options { at: SystemClock.now() };
                stock::run(&into, file, options, &watch).await
            }
            What::Orders { file, format: OrdersFormat::OnlineRetail, invoices_max } => {
                let options = online_retail::Options { invoices_max: *invoices_max };
                online_retail::run(&into, file, options, &watch).await
            }
            What::Orders { file, format: OrdersFormat::Tillroll, .. } => {
                orders::run(&into, file, &watch).await
            }
        };
        if report.is_ok() {
            // The read models are part of what an import leaves behind.
            let head = journal::Journal::head(node.journal.as_ref());
            let patience = std::time::Duration::from_secs(600);
            if let Err(behind) = node.reads.wait_for(head, patience).await {
                tracing::warn!(%behind, "they catch up when the engine is started next");
            }
        }
        drop(into);
        node.close().await?;
        report.map_err(|error| {
            if error.goes_on() {
                let again = "what was imported stays; the same command goes on from there";
                Failure::from(format!("{error}\n{again}"))
            } else {
                Failure::from(error)
            }
        })
    });
    if let Ok(bar) = bar.lock() {
        bar.done();
    }
    let report = report?;
    if global.json {
        terminal::say_json(&report)?;
    } else {
        terminal::say(report.to_string().trim_end())?;
    }
    Ok(Exit::Ok)
}

/// What goes on, and what is counted meanwhile.
fn named(stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Reading => ("reading the file", "rows"),
        Stage::Catalogue => ("products and stock", "products"),
        Stage::Orders => ("orders and returns", "documents"),
    }
}
