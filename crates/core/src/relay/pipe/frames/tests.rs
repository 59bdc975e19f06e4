//! The walk, over every cut of an input.

use super::*;

const KEY: [u8; 4] = [1, 2, 3, 4];

/// One thing a peer said, with where it came from forgotten.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Bytes(Vec<u8>),
    Control(u8, Vec<u8>),
    Text(Vec<u8>),
}

/// Walks over `wire` in two reads, and joins console bytes that follow each other.
fn walk(decoder: &mut Decoder, reads: [&[u8]; 2]) -> Result<Vec<Said>, Violation> {
    let mut said = Vec::new();
    for read in reads {
        let mut at = 0;
        while let Some(piece) = decoder.next(read, &mut at, usize::MAX)? {
            match piece {
                Piece::Begin { .. } => {}
                Piece::Payload { at, mask } => {
                    let mut bytes = read[at].to_vec();
                    apply_mask(&mut bytes, mask.unwrap_or_default());
                    match said.last_mut() {
                        Some(Said::Bytes(before)) => before.extend(bytes),
                        _ => said.push(Said::Bytes(bytes)),
                    }
                }
                Piece::Control { opcode, payload } => said.push(Said::Control(opcode, payload)),
                Piece::Text(payload) => said.push(Said::Text(payload)),
            }
        }
        assert_eq!(at, read.len());
    }
    Ok(said)
}

fn frame(fin: bool, opcode: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let header = Header { fin, opcode, mask, length: payload.len() as u64 };
    let mut bytes = header.encode().as_slice().to_vec();
    let start = bytes.len();
    bytes.extend(payload);
    apply_mask(&mut bytes[start..], mask.unwrap_or_default());
    bytes
}

#[test]
fn the_walk_is_the_same_however_the_bytes_are_cut() {
    let key = Some(KEY);
    let wire = [
        frame(true, BINARY, key, b"hello"),
        frame(false, BINARY, key, b"frag"),
        frame(true, PING, key, b"p"),
        frame(true, CONTINUATION, key, b"ment"),
        frame(false, TEXT, key, b"{\"type\""),
        frame(true, PONG, key, b""),
        frame(true, CONTINUATION, key, b":\"stay\"}"),
        frame(true, BINARY, key, &[9; 200]),
        frame(true, CLOSE, key, &close_payload(1000, "bye")),
    ]
    .concat();
    let expected = [
        Said::Bytes(b"hellofrag".to_vec()),
        Said::Control(PING, b"p".to_vec()),
        Said::Bytes(b"ment".to_vec()),
        Said::Control(PONG, vec![]),
        Said::Text(b"{\"type\":\"stay\"}".to_vec()),
        Said::Bytes(vec![9; 200]),
        Said::Control(CLOSE, [&1000_u16.to_be_bytes()[..], b"bye"].concat()),
    ];
    for cut in 0..=wire.len() {
        let mut decoder = Decoder::new(true, true);
        let (before, after) = wire.split_at(cut);

        assert_eq!(walk(&mut decoder, [before, after]).unwrap(), expected, "cut at {cut}");
    }
}

#[test]
fn text_is_console_bytes_where_it_is_not_for_control() {
    let wire = frame(true, TEXT, Some(KEY), b"RFB");

    let said = walk(&mut Decoder::new(true, false), [&wire, &[]]).unwrap();

    assert_eq!(said, [Said::Bytes(b"RFB".to_vec())]);
}

#[test]
fn a_frame_passes_verbatim_only_if_the_strictest_server_takes_it() {
    let passes = |wire: &[u8]| {
        let piece = Decoder::new(true, false).next(wire, &mut 0, usize::MAX).unwrap();
        matches!(piece, Some(Piece::Begin { verbatim: Some(_), .. }))
    };
    let head = |fin, opcode, length| Header { fin, opcode, mask: Some(KEY), length }.encode().as_slice().to_vec();

    assert!(passes(&head(true, BINARY, 1)));
    assert!(passes(&head(true, BINARY, LONGEST_FRAME)));
    assert!(!passes(&head(true, BINARY, LONGEST_FRAME + 1)), "too long");
    assert!(!passes(&head(false, BINARY, 1)), "fragmented");
    assert!(!passes(&head(true, TEXT, 1)), "text");
    assert!(!passes(&[0x82, 0xfe, 0, 5, 1, 2, 3, 4]), "a length that is not in its shortest form");
}

#[test]
fn every_breach_of_the_rules_is_told() {
    let key = Some(KEY);
    let broken: [Vec<u8>; 9] = [
        vec![0xc2, 0x80],                     // RSV
        vec![0x83, 0x80],                     // opcode 3
        vec![0x8b, 0x80],                     // opcode 11
        frame(true, BINARY, None, b"x"),      // not masked
        frame(false, PING, key, b""),         // a fragmented ping
        frame(true, PING, key, &[0; 126]),    // a long ping
        frame(true, CONTINUATION, key, b"x"), // continues nothing
        [frame(false, BINARY, key, b"x"), frame(true, BINARY, key, b"y")].concat(),
        [&[0x82, 0xff][..], &[0xff; 8], &KEY].concat(), // length out of range
    ];
    for wire in broken {
        assert!(walk(&mut Decoder::new(true, true), [&wire, &[]]).is_err(), "{wire:?}");
    }
    let from_server = frame(true, BINARY, key, b"x");
    assert!(walk(&mut Decoder::new(false, false), [&from_server, &[]]).is_err(), "a masked server");
}

#[test]
fn an_endless_text_is_refused_before_it_is_kept() {
    let mut decoder = Decoder::new(true, true);
    let piece = frame(false, TEXT, Some(KEY), &[b'x'; 4000]);
    let more = frame(false, CONTINUATION, Some(KEY), &[b'x'; 4000]);

    assert!(walk(&mut decoder, [&piece, &more]).is_err());
}

#[test]
fn payload_is_pointed_at_in_portions_with_the_key_that_fits() {
    let wire = frame(true, BINARY, Some(KEY), b"abcdefg");
    let mut decoder = Decoder::new(true, false);
    let mut at = 0;
    decoder.next(&wire, &mut at, 3).unwrap();

    let mut plain = Vec::new();
    while let Some(Piece::Payload { at, mask }) = decoder.next(&wire, &mut at, 3).unwrap() {
        assert!(at.len() <= 3);
        let mut bytes = wire[at].to_vec();
        apply_mask(&mut bytes, mask.unwrap());
        plain.extend(bytes);
    }

    assert_eq!(plain, b"abcdefg");
}
