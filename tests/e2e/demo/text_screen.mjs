// What the guest's screen says: its pixels, read with the letters of its title as the alphabet.

const TITLE = "consolepass guest   what you type is shown here and sent to the serial port";
const TITLE_AT = { row: 1, column: 2 };
/** The row in which the first typed letter stands. */
export const FIRST_ROW = 4;

// VGA text mode: 80 by 25 cells in 720 by 400 pixels.
const CELL = { width: 9, height: 16 };

/** `length` letters of a picture's row, `?` for one that the title does not have. */
export function textOf({ width, rgb }, row, column, length) {
  const pixel = (x, y) => rgb.readUIntBE(3 * (y * width + x), 3);
  // A letter is the pixels that do not have the colour of its cell's upper left corner.
  const shape = (row, column) => {
    const [left, top] = [column * CELL.width, row * CELL.height];
    const paper = pixel(left, top);
    let ink = "";
    for (let y = 0; y < CELL.height; y++) {
      for (let x = 0; x < CELL.width; x++) ink += pixel(left + x, top + y) === paper ? " " : "#";
    }
    return ink;
  };
  const alphabet = new Map([...TITLE].map((letter, at) => [shape(TITLE_AT.row, TITLE_AT.column + at), letter]));
  return Array.from({ length }, (_, at) => alphabet.get(shape(row, column + at)) ?? "?").join("");
}
