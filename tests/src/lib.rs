//! The tests are in `it/`: what the marketplaces see, over real sockets.
