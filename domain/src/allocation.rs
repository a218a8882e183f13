//! Which warehouses serve an order: one if it can, else the fewest, ties by rank.
