//! Text on the serial port, and on the screen if there is one.
use core::arch::asm;
use core::fmt;
use core::ptr::addr_of_mut;

use handoff::{Framebuffer, Handoff};

const COM1: u16 = 0x3f8;
const LINE_STATUS: u16 = 5;
const CAN_SEND: u8 = 0x20;
/// A port that does not take a byte must not stop the kernel.
const TRIES: u32 = 100_000;

const FONT_SCALE: usize = 3;
const CELL_WIDTH: usize = 4 * FONT_SCALE;
const CELL_HEIGHT: usize = 7 * FONT_SCALE;

/// The characters from ' ' to '_', 3 by 5 pixels each. An octal digit is one row of three pixels.
static FONT: [u16; 64] = [
    0o00000, 0o22202, 0o55000, 0o57575, 0o36736, 0o51245, 0o25253, 0o22000, 0o12221, 0o42224, 0o05250, 0o02720,
    0o00024, 0o00700, 0o00002, 0o11244, 0o75557, 0o26227, 0o71747, 0o71717, 0o55711, 0o74717, 0o74757, 0o71222,
    0o75757, 0o75717, 0o02020, 0o02024, 0o12421, 0o07070, 0o42124, 0o71202, 0o25743, 0o25755, 0o65656, 0o34443,
    0o65556, 0o74647, 0o74644, 0o34553, 0o55755, 0o72227, 0o11152, 0o55655, 0o44447, 0o57755, 0o65555, 0o25552,
    0o65644, 0o25573, 0o65655, 0o34216, 0o72222, 0o55557, 0o55552, 0o55775, 0o55255, 0o55222, 0o71247, 0o64446,
    0o44211, 0o31113, 0o25000, 0o00007,
];

pub struct Console {
    port: u16, // 0: no port
    pixels: *mut u8,
    screen: Option<&'static Framebuffer>,
    column: usize,
    row: usize,
}

static mut CONSOLE: Console = Console { port: COM1, pixels: core::ptr::null_mut(), screen: None, column: 0, row: 0 };

/// The only console. Only one processor runs, and no interrupt handler prints.
pub fn console() -> &'static mut Console {
    unsafe { &mut *addr_of_mut!(CONSOLE) }
}

impl Console {
    /// Use the port and the first screen of the handoff. The loader has set up the port: 115200 baud, 8N1.
    pub fn start(&mut self, handoff: &Handoff) {
        self.port = handoff.arch.serial_port as u16;
        self.screen = handoff.elements::<Framebuffer>(&handoff.framebuffers).next().filter(|s| s.bits_per_pixel == 32);
        if let Some(screen) = self.screen {
            self.pixels = handoff.pointer(screen.base);
        }
    }

    fn write_serial(&self, byte: u8) {
        let mut tries = TRIES;
        while tries > 0 && unsafe { port_read(self.port + LINE_STATUS) } & CAN_SEND == 0 {
            tries -= 1;
        }
        unsafe { port_write(self.port, byte) };
    }

    fn write_screen(&mut self, screen: &Framebuffer, byte: u8) {
        if byte != b'\n' {
            self.draw(screen, byte);
            self.column += 1;
        }
        if byte == b'\n' || self.column == screen.width_pixels as usize / CELL_WIDTH {
            self.column = 0;
            self.row = (self.row + 1) % (screen.height_pixels as usize / CELL_HEIGHT);
        }
    }

    fn draw(&self, screen: &Framebuffer, byte: u8) {
        let index = (byte.to_ascii_uppercase() as usize).wrapping_sub(b' ' as usize);
        let glyph = *FONT.get(index).unwrap_or(&0);
        for y in 0..CELL_HEIGHT {
            let line = self.pixels.wrapping_add((self.row * CELL_HEIGHT + y) * screen.pitch_bytes as usize);
            for x in 0..CELL_WIDTH {
                let (glyph_x, glyph_y) = (x / FONT_SCALE, y / FONT_SCALE);
                let is_lit = glyph_x < 3 && glyph_y < 5 && glyph >> (14 - glyph_y * 3 - glyph_x) & 1 != 0;
                let pixel = line.wrapping_add((self.column * CELL_WIDTH + x) * 4) as *mut u32;
                unsafe { pixel.write_volatile(if is_lit { u32::MAX } else { 0 }) };
            }
        }
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.port != 0 {
                self.write_serial(byte);
            }
            if let Some(screen) = self.screen {
                self.write_screen(screen, byte);
            }
        }
        Ok(())
    }
}

unsafe fn port_read(port: u16) -> u8 {
    let value;
    asm!("in al, dx", in("dx") port, out("al") value);
    value
}

unsafe fn port_write(port: u16, value: u8) {
    asm!("out dx, al", in("dx") port, in("al") value);
}
