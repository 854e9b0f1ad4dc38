//! Benchmarks of the routers (`--bench router`) and the ledger (`--bench ledger`). This library is empty.
