//! Reading a text as a whole: its language, its mood, its topics, its pages.
//!
//! Everything here is a pure function of the text, gives the same answer each time, and says when it does not know.
//! Start reading at [`language`], on which the others depend.

pub mod german;
pub mod keywords;
pub mod language;
pub mod pages;
pub mod sentences;
pub mod sentiment;
