//! Compares two runs of rows, both in key order, whatever tables they come from.

use projections::StoreError;

/// Differences kept word for word, for each table.
const KEPT_MAX: usize = 20;

/// The tables of a model's file that hold its rows, one a line.
pub(super) const TABLES: &str = "SELECT coalesce(group_concat(name, char(10)), '') FROM (
    SELECT name FROM sqlite_master
    WHERE type = 'table' AND name NOT IN ('checkpoint', 'parked') AND name NOT LIKE 'sqlite_%'
    ORDER BY name)";

/// Makes a statement that gives the rows of table `?1` as (key, whole row), both as text, in key
/// order. The key's text sorts as the key does; only how many differences are told rests on that,
/// never whether there are any.
pub(super) const SELECT_OF: &str = r#"
    WITH columns AS (
        SELECT cid, '"' || name || '"' AS name, name AS plain, pk FROM pragma_table_info(?1)),
    keys AS (
        SELECT name, pk AS place FROM columns WHERE pk > 0
        UNION ALL
        SELECT name, cid AS place FROM columns WHERE NOT EXISTS (
            SELECT 1 FROM columns WHERE pk > 0))
    SELECT coalesce('SELECT '
        || (SELECT group_concat('CASE typeof(' || name || ') WHEN ''integer'' THEN printf(''1%020d'', '
            || name || ') WHEN ''blob'' THEN ''3'' || hex(' || name || ') ELSE ''2'' || coalesce('
            || name || ', '''') END', ' || char(0) || ')
            FROM (SELECT * FROM keys ORDER BY place))
        || ', '
        || (SELECT group_concat('''' || plain || '='' || quote(' || name || ')', ' || '' '' || ')
            FROM (SELECT * FROM columns ORDER BY cid))
        || ' FROM "' || ?1 || '" ORDER BY '
        || (SELECT group_concat(name, ', ') FROM (SELECT * FROM keys ORDER BY place)), '')"#;

/// A row as text: its key and all of it.
pub(super) type Row = (String, String);

/// A row that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) table: String,
    pub(super) serving: Option<String>,
    pub(super) rebuilt: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) rows: u64,
    pub(super) differences: Vec<Difference>,
    pub(super) count: u64,
}

impl Compared {
    /// What was found between two stores of different kinds.
    pub(super) fn of((rows, found): (u64, Vec<projections::Difference>)) -> Self {
        let differences: Vec<Difference> = found
            .into_iter()
            .map(|row| Difference { table: row.table, serving: row.left, rebuilt: row.right })
            .collect();
        Self { rows, count: differences.len() as u64, differences }
    }

    /// The table has not the same columns on both sides, so its rows cannot be compared.
    pub(super) fn other_columns(&mut self, table: &str) {
        self.count += 1;
        self.differences.push(Difference {
            table: table.to_owned(),
            serving: Some("other columns".to_owned()),
            rebuilt: Some("the columns of this release".to_owned()),
        });
    }

    /// Goes through both sides once, each in key order.
    pub(super) fn merge(
        &mut self,
        table: &str,
        mut serving: impl FnMut() -> Result<Option<Row>, StoreError>,
        mut rebuilt: impl FnMut() -> Result<Option<Row>, StoreError>,
    ) -> Result<(), StoreError> {
        let (mut left, mut right) = (serving()?, rebuilt()?);
        while left.is_some() || right.is_some() {
            self.rows += 1;
            let order = match (&left, &right) {
                (Some((left, _)), Some((right, _))) => left.cmp(right),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, _) => std::cmp::Ordering::Greater,
            };
            if left != right {
                let told = |row: &Option<Row>| row.as_ref().map(|(_, row)| row.clone());
                self.count += 1;
                if self.differences.len() < KEPT_MAX {
                    self.differences.push(Difference {
                        table: table.to_owned(),
                        serving: told(&left).filter(|_| order.is_le()),
                        rebuilt: told(&right).filter(|_| order.is_ge()),
                    });
                }
            }
            if order.is_le() {
                left = serving()?;
            }
            if order.is_ge() {
                right = rebuilt()?;
            }
        }
        Ok(())
    }
}
