//! The engine on a real store: what runs, in which order, how often, and what is left when it is interrupted.

mod clocks;
mod control;
mod crash;
mod jumps;
mod loops;
mod runs;
mod turns;
