//! Turning a screen's contents into pixels.

use super::{Contents, font};

/// Pixels of a dot of a letter, so that text can be read on today's displays.
const DOT: usize = 2;
const CELL_WIDTH: usize = (font::WIDTH + 1) * DOT;
const CELL_HEIGHT: usize = (font::HEIGHT + 1) * DOT;
const MARGIN: usize = 2 * DOT;

const GROUND: Colour = Colour(0x12, 0x1C, 0x2E);
const TITLE: Colour = Colour(0xFF, 0xC8, 0x57);
const INK: Colour = Colour(0xE6, 0xEC, 0xF5);

/// Red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour(pub(super) u8, pub(super) u8, pub(super) u8);

/// A picture of a given size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canvas {
    width: usize,
    pixels: Vec<Colour>,
}

/// A part of a canvas, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Canvas {
    pub(super) fn draw(contents: &Contents, width: usize, height: usize) -> Self {
        let mut canvas = Self { width, pixels: vec![GROUND; width * height] };
        canvas.line(0, "consolepass demo screen", TITLE);
        canvas.line(1, "type something:", INK);
        let columns = (width.saturating_sub(2 * MARGIN) / CELL_WIDTH).max(1);
        let rows = height.saturating_sub(2 * MARGIN) / CELL_HEIGHT;
        let lines = wrap(&format!("{}_", contents.typed), columns);
        let room = rows.saturating_sub(3);
        for (row, line) in lines.iter().skip(lines.len().saturating_sub(room)).enumerate() {
            canvas.line(row + 3, line, INK);
        }
        canvas
    }

    pub(super) fn row(&self, y: usize, x: usize, width: usize) -> &[Colour] {
        &self.pixels[y * self.width + x..][..width]
    }

    /// The rows of `area` in which the other canvas differs, as one area, or nothing.
    pub(super) fn difference(&self, other: &Self, area: Area) -> Option<Area> {
        let differs = |y: &usize| self.row(*y, area.x, area.width) != other.row(*y, area.x, area.width);
        let first = (area.y..area.y + area.height).find(differs)?;
        let last = (area.y..area.y + area.height).rfind(differs)?;
        Some(Area { y: first, height: last - first + 1, ..area })
    }

    fn line(&mut self, row: usize, text: &str, colour: Colour) {
        for (column, letter) in text.chars().enumerate() {
            self.letter(MARGIN + column * CELL_WIDTH, MARGIN + row * CELL_HEIGHT, letter, colour);
        }
    }

    fn letter(&mut self, left: usize, top: usize, letter: char, colour: Colour) {
        for row in 0..font::HEIGHT * DOT {
            for column in 0..font::WIDTH * DOT {
                let (x, y) = (left + column, top + row);
                if x >= self.width || !font::has_ink(letter, column / DOT, row / DOT) {
                    continue;
                }
                if let Some(pixel) = self.pixels.get_mut(y * self.width + x) {
                    *pixel = colour;
                }
            }
        }
    }
}

fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let letters: Vec<char> = line.chars().collect();
        if letters.is_empty() {
            lines.push(String::new());
        }
        lines.extend(letters.chunks(columns).map(|chunk| chunk.iter().collect::<String>()));
    }
    lines
}
