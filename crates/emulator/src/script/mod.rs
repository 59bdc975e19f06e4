//! Playing a fixed list of HTTPS exchanges, for tests in any language: a *vector* says what a client must send and what
//! it is answered, and the [`Player`] reports every difference.

mod exchange;
mod matching;
mod play;
mod player;

pub use exchange::{BadScript, Script};
pub use player::{Options, Player};
