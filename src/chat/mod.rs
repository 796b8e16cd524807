//! A door: workflows in conversations. What people say goes to the front desk, what happens comes back as one live card.

pub mod grammar;
