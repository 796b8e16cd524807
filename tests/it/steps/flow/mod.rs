mod assert;
mod noop;
mod test;
mod wait;
