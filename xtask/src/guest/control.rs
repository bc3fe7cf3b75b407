//! Asking QEMU itself for something: by its machine protocol (QEMU docs/interop/qmp-intro).
//!
//! QEMU listens on a socket beside the log's; each request is a connection of its own.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long QEMU may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns where QEMU listens, by where the log's socket is.
pub fn socket(log: &Path) -> PathBuf {
    log.with_file_name("control")
}

/// Sends a break on the console's line.
///
/// # Errors
/// Where QEMU does not answer, or refuses.
pub fn send_break(socket: &Path) -> Result<()> {
    let stream = UnixStream::connect(socket).context("QEMU does not listen")?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    answer(&mut answers, "QMP")?;
    for request in [
        r#"{"execute":"qmp_capabilities"}"#,
        r#"{"execute":"chardev-send-break","arguments":{"id":"console"}}"#,
    ] {
        stream.write_all(request.as_bytes())?;
        stream.write_all(b"\n")?;
        answer(&mut answers, "return")?;
    }
    Ok(())
}

/// Reads lines up to an answer that has a key; events may come before it.
fn answer(answers: &mut impl BufRead, key: &str) -> Result<()> {
    loop {
        let mut line = String::new();
        if answers.read_line(&mut line)? == 0 {
            bail!("QEMU has closed its control socket");
        }
        let value: serde_json::Value = serde_json::from_str(&line).context("QEMU's answer")?;
        if value.get(key).is_some() {
            return Ok(());
        }
        if let Some(error) = value.get("error") {
            bail!("QEMU refuses: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn events_are_passed_over_and_errors_told() {
        let mut lines =
            &b"{\"event\":\"STOP\"}\n{\"return\":{}}\n{\"error\":{\"desc\":\"no\"}}\n"[..];
        assert!(answer(&mut lines, "return").is_ok());
        assert!(answer(&mut lines, "return").unwrap_err().to_string().contains("refuses"));
        assert!(answer(&mut lines, "return").unwrap_err().to_string().contains("closed"));
        assert!(answer(&mut &b"nonsense\n"[..], "return").is_err());
    }
}
