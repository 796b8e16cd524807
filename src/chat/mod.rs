//! A door: workflows in conversations. What people say goes to the front desk, what happens comes back as one live card.

pub mod actions;
pub mod adapter;
pub mod cards;
pub mod forms;
pub mod grammar;
pub mod terminal;
pub mod words;
