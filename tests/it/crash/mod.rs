//! The whole process dies, by SIGKILL or by a failing disk, and nothing that it acknowledged is lost or done twice.
//! `bench/crash.py` is the long form, with fifty kills at random times.

mod audit;
mod damage;
mod disk;
mod kills;
mod lives;
mod loads;
mod loops;
mod nested;
mod orphans;
mod points;
mod poison;
mod repeats;
mod rolling;
mod stops;
