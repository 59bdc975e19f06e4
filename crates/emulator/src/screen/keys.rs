//! From X keysyms to text.

use super::Contents;

const BACKSPACE: u32 = 0xFF08;
const TAB: u32 = 0xFF09;
const RETURN: u32 = 0xFF0D;
const KEYPAD_ENTER: u32 = 0xFF8D;
/// Keysyms above this are a Unicode character.
const UNICODE: u32 = 0x0100_0000;

/// Takes note of a key event.
pub(super) fn press(contents: &mut Contents, keysym: u32, down: bool) {
    contents.key_events += 1;
    if !down {
        return;
    }
    match keysym {
        BACKSPACE => {
            contents.typed.pop();
        }
        TAB => contents.typed.push('\t'),
        RETURN | KEYPAD_ENTER => contents.typed.push('\n'),
        0x20..=0x7E | 0xA0..=0xFF => contents.typed.extend(char::from_u32(keysym)),
        UNICODE.. => contents.typed.extend(char::from_u32(keysym - UNICODE)),
        _ => {}
    }
}
