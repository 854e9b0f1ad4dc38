//! What the marketplaces see, over real sockets.

mod cloudcontrol;
mod compile_errors;
mod hang_up;
mod heroku;
mod large_bodies;
mod logs;
mod malformed;
mod nesting;
mod opperator;
mod panics;
mod properties;
mod redirects;
mod saas;
mod sessions;
mod support;
mod wire;
