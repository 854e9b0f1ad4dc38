//! Integration tests over real sockets; the tests are in `it/`.
