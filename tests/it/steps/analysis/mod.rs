//! `analyze`: from a text to what is in it.

mod entities;
mod invoices;
mod properties;
mod step;
mod storing;
mod workbench;
