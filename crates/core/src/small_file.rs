//! Files that options name: keys and certificates, small and there at once.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use zeroize::Zeroizing;

/// Far more than any key, and than the certificates of every public authority.
const LARGEST: u64 = 1 << 20;

/// Reads a whole file. What is no regular one, such as a pipe or a device, might be waited for without an end.
pub(crate) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // Before it is opened: that alone waits, where nobody writes to a pipe.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut content = Zeroizing::new(Vec::new());
    let length = File::open(path)?.take(LARGEST + 1).read_to_end(&mut content)?;
    if length as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_is_not_read() {
        for path in ["/dev/zero", "/proc/self", "/nonexistent"] {
            assert!(read(Path::new(path)).is_err(), "{path}");
        }
        let path = std::env::temp_dir().join(format!("consolepass-large-{}", std::process::id()));
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        let refused = read(&path).unwrap_err();
        File::create(&path).unwrap().set_len(LARGEST).unwrap();
        let taken = read(&path);
        fs::remove_file(&path).unwrap();

        assert!(refused.to_string().contains("1 MiB"), "{refused}");
        assert_eq!(taken.unwrap().len() as u64, LARGEST);
    }
}
