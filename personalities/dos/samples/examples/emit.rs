//! Writes the sample programs to a directory: `cargo run -p kamen-dos-samples --example emit -- DIR`.

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let directory = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".into()));
    for (name, bytes) in dos_samples::all() {
        std::fs::write(directory.join(name), bytes)?;
    }
    Ok(())
}
