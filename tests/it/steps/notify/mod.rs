//! Steps that tell people something, up to the outbox.

mod address;
mod post;
mod prepare;
