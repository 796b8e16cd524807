//! What is Discord's alone.
