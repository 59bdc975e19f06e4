//! The cipher of VNC authentication.

use des::Des;
use des::cipher::{Array, BlockCipherEncrypt, KeyInit};

/// The answer to a challenge: DES in ECB mode under the password.
///
/// Only the first 8 bytes of the password count, missing ones are zero, and the bits of each byte are mirrored: that is
/// how the first VNC did it, and every server still does.
pub(super) fn answer(challenge: [u8; 16], password: &str) -> [u8; 16] {
    let mut key = [0; 8];
    for (to, from) in key.iter_mut().zip(password.bytes()) {
        *to = from.reverse_bits();
    }
    let cipher = Des::new(&Array(key));
    let mut answer = challenge;
    for half in answer.chunks_exact_mut(8) {
        let mut block = Array([0; 8]);
        block.copy_from_slice(half);
        cipher.encrypt_block(&mut block);
        half.copy_from_slice(&block);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference values were computed with OpenSSL's `des-ecb` under the mirrored key.
    #[test]
    fn the_answer_is_des_under_the_mirrored_password() {
        let challenge = *b"0123456789abcdef";

        assert_eq!(u128::from_be_bytes(answer(challenge, "PVEVNC:6")), 0xeed5_0e06_5145_a007_a230_93c9_67ec_6db2);
        assert_eq!(u128::from_be_bytes(answer(challenge, "pw")), 0x845f_7bd7_d219_0ec2_1393_8238_de53_373b);
    }

    #[test]
    fn only_eight_bytes_of_the_password_count() {
        let challenge = [7; 16];

        assert_eq!(answer(challenge, "12345678"), answer(challenge, "12345678:PVEVNC:6B02"));
        assert_ne!(answer(challenge, "12345678"), answer(challenge, "12345679"));
    }
}
