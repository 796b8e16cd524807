//! HTTP as its users do it: the real binary, a real client.

mod bad_input;
mod bulk;
mod chat;
mod decisions;
mod doors;
mod files;
mod listener;
mod live;
mod nested;
mod openapi;
mod outbox;
mod page;
mod people;
mod repeats;
mod retention;
mod rollbacks;
mod storms;
mod traps;
mod turns;
mod verbs;
mod versions;
