//! Entities: what a text names, found by rules alone. Each finding has a normalised value and a confidence.
//!
//! A rule sees the whole text and gives findings as byte spans; [`find::find`] lets the most certain kind win
//! where spans overlap (an IBAN is no phone number). Every pattern runs in linear time. Confidence is a fixed
//! judgement of the rule, not a measured probability. Start reading at [`find`], then [`amounts`].

pub mod accounts;
pub mod amounts;
pub mod contacts;
pub mod dates;
pub mod entity;
pub mod fields;
pub mod find;
pub mod labels;
pub mod lines;
pub mod names;
pub mod number;
pub mod pattern;
pub mod references;
pub mod roles;
