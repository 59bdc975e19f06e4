# A whole guest in one boot sector: it paints the screen, and echoes every key to the screen and to its serial port.
#
# No operating system, so nothing to download and nothing to wait for; and whatever is seen on its screen came through
# the machine's VNC server, while whatever is on its serial port came from the keyboard: two witnesses that do not know
# each other. It talks to the BIOS only (interrupts 0x10, 0x14, 0x16), in text mode, 80 by 25 cells, 720 by 400 pixels.

    .code16
    .intel_syntax noprefix
    .text
    .globl _start

    .set COLUMNS, 80
    .set FIRST_ROW, 4                   # the rows that echo keys: the title stays above, the stripes below
    .set LAST_ROW, 21
    .set STRIPES_ROW, 23
    .set BAR, 0x4f                      # white on red
    .set PAPER, 0x1f                    # white on blue
    .set CURSOR, '_'

_start:
    # Only the BIOS's own entry is known: 0000:7c00 or 07c0:0000, with any segments and any stack.
    ljmp 0, offset entry
entry:
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    cld
    sti

    mov ax, 0x0003                      # text mode; this clears the screen too
    int 0x10
    mov ah, 0x01                        # no hardware cursor: it blinks, and two pictures would never be equal
    mov cx, 0x2000
    int 0x10
    mov ax, 0x00e3                      # COM1: 9600 baud, eight bits, no parity, one stop bit
    xor dx, dx
    int 0x14

    mov bh, PAPER
    xor cx, cx
    mov dx, (24 << 8) | (COLUMNS - 1)
    call fill
    mov bh, BAR
    xor cx, cx
    mov dx, (2 << 8) | (COLUMNS - 1)
    call fill

    # One stripe for each of the eight colours: red and blue exchanged, or a picture out of place, is seen at once.
    mov bh, 0
    mov cx, STRIPES_ROW << 8
    mov dx, ((STRIPES_ROW + 1) << 8) | (COLUMNS / 8 - 1)
stripe:
    call fill
    add bh, 0x10
    add cl, COLUMNS / 8
    add dl, COLUMNS / 8
    cmp bh, 0x80
    jne stripe

    mov dx, (1 << 8) | 2
    call move_to
    mov si, offset title
    call say
    mov dx, FIRST_ROW << 8
    call move_to
    mov al, CURSOR
    call show
    mov si, offset ready
tell:
    lodsb
    test al, al
    jz next_key
    call send
    jmp tell

next_key:
    mov ah, 0x00                        # waits for a key: its character is in al
    int 0x16
    cmp al, '\r'
    je newline
    cmp al, '\b'
    je backspace
    cmp al, ' '
    jb next_key                         # a control character, or 0: an arrow, a function key
    cmp al, '~'
    ja next_key                         # 0xe0 begins the keys of the second keyboard block
    call send
    call print
    mov al, CURSOR
    call show
    jmp next_key

newline:
    mov al, '\n'
    call send
    mov al, ' '                         # takes the cursor away
    call show
    mov al, '\r'
    call print
    mov al, '\n'
    call print
    mov al, CURSOR
    call show
    jmp next_key

backspace:
    call where
    test dl, dl
    jz next_key                         # the start of a line: there is nothing of it left to take back
    mov al, '\b'
    call send
    mov al, ' '
    call show
    mov al, '\b'
    call print
    mov al, CURSOR
    call show
    jmp next_key

# Fills the cells from cx (row, column) to dx with spaces of the attribute in bh.
fill:
    mov ax, 0x0600
    int 0x10
    ret

# Writes the text at si, which ends with 0.
say:
    lodsb
    test al, al
    jz done
    call teletype
    jmp say

# Writes the character in al at the cursor and goes on, within the rows that echo keys.
print:
    call teletype
    call where
    cmp dh, LAST_ROW
    jbe done
    push dx
    mov ax, 0x0601                      # up by one line
    mov bh, PAPER
    mov cx, FIRST_ROW << 8
    mov dx, (LAST_ROW << 8) | (COLUMNS - 1)
    int 0x10
    pop dx
    mov dh, LAST_ROW
move_to:                                # the cursor to dx (row, column)
    mov ah, 0x02
    mov bh, 0
    int 0x10
done:
    ret

# Writes the character in al in the cell under the cursor, with the cell's own colours, and stays there.
show:
    mov ah, 0x0a
    mov bh, 0
    mov cx, 1
    int 0x10
    ret

teletype:
    mov ah, 0x0e
    mov bh, 0
    int 0x10
    ret

# The cursor's row and column, in dx.
where:
    mov ah, 0x03
    mov bh, 0
    int 0x10
    ret

# Sends the character in al to COM1, and leaves al as it was.
send:
    push ax
    mov ah, 0x01
    xor dx, dx
    int 0x14
    pop ax
    ret

title:
    .asciz "consolepass guest   what you type is shown here and sent to the serial port"
ready:
    .asciz "consolepass guest ready\n"

    .org 510
    .word 0xaa55                        # tells the BIOS that this sector boots
