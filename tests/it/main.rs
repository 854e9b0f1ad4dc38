//! What the marketplaces see, over real sockets.
