//! The REST API through Rocket's local client: who may do what, what is answered, on both databases. Numbers in names
//! are rows of the acceptance cases.

mod answer;
mod bundle;
mod change;
mod check;
mod event;
mod face;
mod filter;
mod page;
mod patch;
mod revision;
mod right;
mod seed;
mod stream;
mod validate;
mod webhook;
