//! The `workflow` command.

fn main() -> std::process::ExitCode {
    workflow::cli::run()
}
