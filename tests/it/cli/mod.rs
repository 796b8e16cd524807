//! The binary as people use it: words in, lines and exit codes out.

mod ask;
mod cache;
mod chat;
mod doctor;
mod outbox;
mod people;
mod run;
mod steer;
mod there;
