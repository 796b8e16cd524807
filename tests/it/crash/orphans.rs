//! A child that was just being started when the process died.

use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::binary::{Home, fixture};

fn program(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its owner's");
}

/// The child stands before the call that binds its life to ours; then we die; then it is let go.
#[test]
fn a_child_whose_parent_died_before_it_could_ask_to_die_with_it_does_not_run() {
    let home = Home::new();
    let machine = home.path().join("machine");
    std::fs::create_dir(&machine).expect("a folder");
    let (gate, line) = (machine.join("gate"), machine.join("line"));
    assert!(Command::new("mkfifo").args([&gate, &line]).status().expect("mkfifo is there").success());
    let real = ["/usr/bin/setpriv", "/bin/setpriv"].into_iter().find(|path| Path::new(path).exists());
    let real = real.expect("setpriv is there");
    let (held, told) = (gate.display(), line.display());
    program(&machine, "setpriv", &format!("exec 3>{told}\nread go <{held}\nexec {real} \"$@\""));
    program(&machine, "tesseract", "echo ran >&3");
    symlink("/bin/sh", machine.join("sh")).expect("a link");

    let mut ready = home.command(&["run", "document_processing", "--file", &fixture("documents/scan-de.png")]);
    ready.env("PATH", &machine).stdout(Stdio::null()).stderr(Stdio::null());
    let mut process = ready.spawn().expect("the binary starts");
    // The line ends when nobody holds it any more: the child has ended, whatever it was by then.
    let said = std::thread::spawn(move || std::fs::read_to_string(line).expect("readable"));
    let mut gate = std::fs::OpenOptions::new().write(true).open(gate).expect("opens when the child stands at it");
    process.kill().expect("not waited for yet");
    process.wait().expect("it ends");
    gate.write_all(b"go\n").expect("the child reads");
    drop(gate);
    assert_eq!(said.join().expect("read"), "", "nobody wants its work any more");
}
