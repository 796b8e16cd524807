//! Nouns, states and the machine that moves them. Pure: no I/O, no async, no clock, no chance.
//!
//! *Run*: one execution of a workflow (`execution` on the wire). *Step*: a node of its plan; *attempt*: one
//! try of a step. *Command*: what somebody wants; *event*: what happened (the journal's alphabet); *effect*:
//! what the world should be doing now. Start reading at [`machine`].

pub mod card;
pub mod code;
pub mod command;
pub mod event;
pub mod fault;
pub mod flow;
pub mod hex;
pub mod id;
pub mod items;
pub mod lane;
pub mod machine;
pub mod message;
pub mod plan;
pub mod question;
pub mod retry;
pub mod role;
pub mod run;
pub mod schedule;
pub mod time;
pub mod trigger;
pub mod wait;
