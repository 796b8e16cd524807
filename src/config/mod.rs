//! The configuration: command line over environment over `.env` over file over `config/default.toml`.
//!
//! Every value knows where it came from; a name that nobody knows is refused with its near name, and all problems are
//! told at once. The only room that reads the environment. Start reading at [`Config::load`].

mod dotenv;
mod effective;
mod error;
mod layer;
mod platforms;
mod settings;
mod surroundings;
mod value;

pub use effective::{Config, Effective, LogFormat};
pub use error::ConfigError;
pub use layer::Source;
pub use settings::{SETTINGS, Setting};
pub use surroundings::{Surroundings, program_path, user_name};
