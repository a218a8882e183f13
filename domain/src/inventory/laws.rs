//! The ledger's laws under any run of commands.
