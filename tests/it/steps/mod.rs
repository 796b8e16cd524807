mod flow;
mod script;
