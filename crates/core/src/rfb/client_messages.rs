//! What a person does, seen in the bytes that a browser sends.
//!
//! A screen that updates by itself, such as a clock, keeps a console busy for ever: the browser asks for the next update
//! all the time. So a console counts as used only while keys, pointer or clipboard are. To tell these apart the stream has
//! to be parsed, for messages share websocket frames and are cut by them.

/// `ExtendedMouseButtons`: once listed by the client, a pointer event with bit 7 of its mask set is one byte longer.
const EXTENDED_MOUSE_BUTTONS: i32 = -316;

/// The longest part of any message that its length depends on.
const LONGEST_HEAD: usize = 9;

/// Watches one browser's RFB stream from `ClientInit` on.
#[derive(Debug)]
pub(crate) struct Observer {
    state: State,
    extended_mouse: bool,
}

#[derive(Debug)]
enum State {
    /// Collecting the bytes that tell a message's length.
    Head { bytes: [u8; LONGEST_HEAD], length: usize },
    /// Inside a message whose rest does not matter.
    Skip(u64),
    /// Inside the list of `SetEncodings`: `word` is the encoding being read, `bytes` how much is left of the list.
    Encodings { word: u32, bytes: u32 },
    /// After a message that is not known. Its length is not known either, so what follows cannot be told apart.
    Lost,
}

/// What the collected bytes of a message tell about its length, which counts from its first byte.
enum Length {
    Known(u64),
    Needs(usize),
    Unknown,
}

impl Observer {
    pub(crate) fn new() -> Self {
        // ClientInit, one byte, comes before the first message.
        Self { state: State::Skip(1), extended_mouse: false }
    }

    /// Reads on, and says whether these bytes hold something that a person did.
    pub(crate) fn observe(&mut self, bytes: impl ExactSizeIterator<Item = u8>) -> bool {
        if matches!(self.state, State::Lost) {
            return !are_update_requests(bytes);
        }
        let mut person = false;
        for byte in bytes {
            person |= self.step(byte);
        }
        person
    }

    fn step(&mut self, byte: u8) -> bool {
        match &mut self.state {
            State::Skip(left) => {
                *left -= 1;
                if *left == 0 {
                    self.state = State::empty_head();
                }
                false
            }
            State::Encodings { word, bytes } => {
                *word = *word << 8 | u32::from(byte);
                *bytes -= 1;
                if *bytes % 4 == 0 && word.cast_signed() == EXTENDED_MOUSE_BUTTONS {
                    self.extended_mouse = true;
                }
                if *bytes == 0 {
                    self.state = State::empty_head();
                }
                false
            }
            State::Head { bytes, length } => {
                bytes[*length] = byte;
                *length += 1;
                let (head, length) = (*bytes, *length);
                self.after_head(&head[..length])
            }
            State::Lost => true,
        }
    }

    /// Decides what follows the bytes collected so far. A message counts once, when its length is known.
    fn after_head(&mut self, head: &[u8]) -> bool {
        match message_length(head, self.extended_mouse) {
            Length::Needs(more) => {
                debug_assert!(more <= LONGEST_HEAD && more > head.len());
                false
            }
            Length::Unknown => {
                self.state = State::Lost;
                true
            }
            Length::Known(length) => {
                let left = length - head.len() as u64;
                self.state = match (left, head[0]) {
                    (0, _) => State::empty_head(),
                    (left, 2) => State::Encodings { word: 0, bytes: u32::try_from(left).unwrap_or(u32::MAX) },
                    (left, _) => State::Skip(left),
                };
                is_persons(head)
            }
        }
    }
}

impl State {
    fn empty_head() -> Self {
        Self::Head { bytes: [0; LONGEST_HEAD], length: 0 }
    }
}

/// The length of a message by its first bytes.
fn message_length(head: &[u8], extended_mouse: bool) -> Length {
    let known = |needed: usize, length: &dyn Fn() -> u64| {
        if head.len() < needed { Length::Needs(needed) } else { Length::Known(length()) }
    };
    let u16_at = |at: usize| u64::from(u16::from_be_bytes([head[at], head[at + 1]]));
    match head[0] {
        0 => Length::Known(20),               // SetPixelFormat
        2 => known(4, &|| 4 + 4 * u16_at(2)), // SetEncodings
        3 | 150 => Length::Known(10),         // FramebufferUpdateRequest, EnableContinuousUpdates
        4 => Length::Known(8),                // KeyEvent
        5 => known(2, &|| {
            if extended_mouse && head[1] & 0x80 != 0 { 7 } else { 6 }
        }), // PointerEvent
        6 => known(8, &|| {
            // ClientCutText; a negative length announces the extended clipboard.
            let length = i32::from_be_bytes([head[4], head[5], head[6], head[7]]);
            8 + u64::from(length.unsigned_abs())
        }),
        248 => known(9, &|| 9 + u64::from(head[8])),      // ClientFence
        250 => Length::Known(4),                          // xvp: shutdown, reboot, reset
        251 => known(7, &|| 8 + 16 * u64::from(head[6])), // SetDesktopSize
        253 => known(4, &|| 4 + u16_at(2)),               // gii
        255 => match head.get(1) {
            None => Length::Needs(2),
            Some(0) => Length::Known(12),                  // QEMU extended key event
            Some(1) if head.len() < 4 => Length::Needs(4), // QEMU audio
            Some(1) => Length::Known(if u16_at(2) == 2 { 10 } else { 4 }),
            Some(_) => Length::Unknown,
        },
        _ => Length::Unknown,
    }
}

/// Keys, pointer, clipboard and power buttons are a person's; everything else a browser sends by itself.
fn is_persons(head: &[u8]) -> bool {
    matches!(head, [4..=6 | 250, ..] | [255, 0, ..])
}

/// Whether these bytes are update requests and nothing else, as a browser sends them by itself all the time.
fn are_update_requests(bytes: impl ExactSizeIterator<Item = u8>) -> bool {
    bytes.len().is_multiple_of(10) && bytes.enumerate().all(|(at, byte)| at % 10 != 0 || byte == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observe(observer: &mut Observer, bytes: &[u8]) -> bool {
        observer.observe(bytes.iter().copied())
    }

    /// `ClientInit` and the messages that noVNC sends by itself when it connects.
    fn preamble() -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.extend([0; 20]);
        bytes.extend([2, 0, 0, 2, 0, 0, 0, 7, 0xff, 0xff, 0xfe, 0xc4]); // -316 last
        bytes.extend([3; 10]);
        bytes
    }

    const KEY: [u8; 8] = [4, 1, 0, 0, 0, 0, 0, 0x61];

    #[test]
    fn what_a_browser_sends_by_itself_is_no_activity() {
        let mut observer = Observer::new();
        let mut bytes = preamble();
        bytes.extend([150, 1, 0, 0, 0, 0, 0, 9, 0, 9]);
        bytes.extend([248, 0, 0, 0, 0, 0, 0, 0, 3, 4, 4, 4]);
        bytes.extend([251, 0, 3, 0, 2, 0, 1, 0].iter().chain(&[4; 16]));
        bytes.extend([255, 1, 0, 2, 4, 4, 4, 4, 4, 4]);

        assert!(!observe(&mut observer, &bytes));
        assert!(observe(&mut observer, &KEY), "the stream is still in step");
    }

    #[test]
    fn keys_pointer_clipboard_and_power_are_a_persons() {
        let messages: [&[u8]; 6] = [
            &KEY,
            &[5, 0, 0, 1, 0, 1],
            &[6, 0, 0, 0, 0, 0, 0, 2, 3, 3],
            &[6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe, 3, 3],
            &[250, 0, 1, 2],
            &[255, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 3],
        ];
        for message in messages {
            let mut observer = Observer::new();
            observe(&mut observer, &preamble());

            assert!(observe(&mut observer, message), "{message:?}");
            assert!(!observe(&mut observer, &[3; 10]), "in step after {message:?}");
        }
    }

    #[test]
    fn a_message_is_seen_however_it_is_cut() {
        let mut bytes = preamble();
        bytes.extend([6, 0, 0, 0, 0, 0, 0, 3, 4, 4, 4]);
        bytes.extend([3; 10]);
        for cut in 0..=bytes.len() {
            let mut observer = Observer::new();

            let (before, after) = bytes.split_at(cut);
            let person = observe(&mut observer, before) | observe(&mut observer, after);

            assert!(person, "cut at {cut}");
            assert!(!observe(&mut observer, &[3; 10]), "in step, cut at {cut}");
        }
    }

    #[test]
    fn a_long_pointer_event_is_expected_only_after_it_was_listed() {
        let mut listed = Observer::new();
        observe(&mut listed, &preamble());
        let mut plain = Observer::new();
        observe(&mut plain, &[1]);

        assert!(observe(&mut listed, &[5, 0x81, 0, 1, 0, 1, 1]));
        assert!(observe(&mut plain, &[5, 0x81, 0, 1, 0, 1]));

        assert!(!observe(&mut listed, &[3; 10]));
        assert!(!observe(&mut plain, &[3; 10]));
    }

    #[test]
    fn after_an_unknown_message_only_plain_update_requests_are_no_activity() {
        let mut observer = Observer::new();
        observe(&mut observer, &preamble());

        assert!(observe(&mut observer, &[77, 1, 2, 3]));
        assert!(!observe(&mut observer, &[3, 1, 0, 0, 0, 0, 1, 0, 1, 0]));
        assert!(!observe(&mut observer, &[3; 20]));
        assert!(observe(&mut observer, &[9; 10]));
    }
}
