//! Gzip without compressing: stored blocks are as valid as any (RFC 1951 section 3.2.4), and a client that asked for
//! gzip has to unpack them like any. What matters is that it gets what it asked for.

/// The largest stored block, in bytes.
const BLOCK: usize = 65_535;

pub(super) fn pack(bytes: &[u8]) -> Vec<u8> {
    // Deflate, no flags, no time, no hints, unknown system.
    let mut packed = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];
    let count = bytes.len().div_ceil(BLOCK);
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        packed.push(u8::from(index + 1 == count));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        packed.extend(length.to_le_bytes());
        packed.extend((!length).to_le_bytes());
        packed.extend(block);
    }
    packed.extend(checksum(bytes).to_le_bytes());
    packed.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    packed
}

/// CRC-32 as gzip wants it, bit by bit: bodies here are a few kilobytes.
fn checksum(bytes: &[u8]) -> u32 {
    let mut register = u32::MAX;
    for &byte in bytes {
        register ^= u32::from(byte);
        for _ in 0..8 {
            register = if register & 1 == 1 { register >> 1 ^ 0xEDB8_8320 } else { register >> 1 };
        }
    }
    !register
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_every_table_lists() {
        assert_eq!(checksum(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn every_block_but_the_last_is_followed_by_another() {
        let packed = pack(&vec![7; BLOCK + 1]);

        assert_eq!(packed[10..15], [0, 0xFF, 0xFF, 0, 0]);
        assert_eq!(packed[15 + BLOCK..][..6], [1, 1, 0, 0xFE, 0xFF, 7]);
    }
}
