//! Tests of the renderer: what it sends for a screen that changes.

use super::{BLANK, Frame, Renderer};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// A terminal that knows the sequences of ECMA-48 that are used, and nothing else.
struct Terminal {
    rows: Vec<Vec<(char, String)>>,
    row: usize,
    column: usize,
    rendition: String,
    shows_cursor: bool,
    is_alternate: bool,
}

impl Terminal {
    fn new(columns: usize, rows: usize) -> Terminal {
        Terminal {
            rows: vec![vec![(' ', String::new()); columns]; rows],
            row: 0,
            column: 0,
            rendition: String::new(),
            shows_cursor: true,
            is_alternate: false,
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        let text = core::str::from_utf8(bytes).unwrap();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if character != '\x1b' {
                self.rows[self.row][self.column] = (character, self.rendition.clone());
                self.column = (self.column + 1).min(self.rows[0].len() - 1);
                continue;
            }
            assert_eq!(rest.next(), Some('['));
            let mut parameters = String::new();
            let last = loop {
                match rest.next().unwrap() {
                    letter @ '@'..='~' => break letter,
                    other => parameters.push(other),
                }
            };
            self.control(&parameters, last);
        }
    }

    fn control(&mut self, parameters: &str, last: char) {
        match (parameters, last) {
            ("?1049", _) => self.is_alternate = last == 'h',
            ("?25", _) => self.shows_cursor = last == 'h',
            ("?7", _) => {}
            ("2", 'J') => {
                let blank = (' ', self.rendition.clone());
                self.rows.iter_mut().for_each(|row| row.fill(blank.clone()));
            }
            (_, 'm') => self.rendition = parameters.into(),
            (_, 'H') => {
                let (row, column) = parameters.split_once(';').unwrap();
                self.row = row.parse::<usize>().unwrap() - 1;
                self.column = column.parse::<usize>().unwrap() - 1;
            }
            other => panic!("unknown sequence {other:?}"),
        }
    }

    fn text(&self, row: usize) -> String {
        self.rows[row].iter().map(|(character, _)| *character).collect()
    }
}

/// Cells of light grey text in rows of ten.
fn cells(rows: &[&str]) -> Vec<u16> {
    let row = |text: &&str| {
        let text = text.as_bytes().to_vec();
        (0..10).map(move |at| BLANK & 0xff00 | u16::from(*text.get(at).unwrap_or(&b' ')))
    };
    rows.iter().flat_map(row).collect()
}

fn frame(cells: &[u16], cursor: Option<(usize, usize)>) -> Frame<'_> {
    Frame { cells, columns: 10, cursor, blinks: true }
}

fn draw(renderer: &mut Renderer, frame: Frame<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    renderer.draw(frame, &mut out);
    out
}

#[test]
fn a_frame_appears_as_it_is_and_differences_are_short() {
    let (mut terminal, mut out) = (Terminal::new(10, 3), Vec::new());
    let mut renderer = Renderer::enter(Some((10, 3)), &mut out);
    terminal.receive(&out);
    assert!(terminal.is_alternate);
    let mut page = cells(&["hello", "", "     world"]);
    terminal.receive(&draw(&mut renderer, frame(&page, Some((1, 2)))));
    assert_eq!([0, 1, 2].map(|row| terminal.text(row)), ["hello     ", "          ", "     world"]);
    assert_eq!((terminal.row, terminal.column), (1, 2));
    assert_eq!(draw(&mut renderer, frame(&page, Some((1, 2)))), b"");
    page[12] = 0x0741;
    // CUP to the place is not needed: the cursor is there; it comes back after the character.
    assert_eq!(draw(&mut renderer, frame(&page, Some((1, 2)))), b"A\x1b[2;3H");
    assert_eq!(draw(&mut renderer, frame(&page, None)), b"\x1b[?25l");
}

#[test]
fn attributes_become_colours() {
    let mut out = Vec::new();
    let mut renderer = Renderer::enter(None, &mut out);
    // Bright yellow on blue; light grey on red, blinking.
    let page = [0x1e58, 0xc759];
    let text = |blinks, renderer: &mut Renderer| {
        let frame = Frame { cells: &page, columns: 2, cursor: None, blinks };
        String::from_utf8(draw(renderer, frame)).unwrap()
    };
    let start = "\x1b[0;37;40m\x1b[2J\x1b[1;1H\x1b[0;93;44mX";
    assert_eq!(text(true, &mut renderer), [start, "\x1b[0;37;41;5mY\x1b[?25l"].concat());
    assert_eq!(text(false, &mut renderer), [start, "\x1b[0;37;101mY"].concat());
}

#[test]
fn every_character_of_the_code_page_has_a_glyph() {
    let page: Vec<u16> = (0..256).map(|byte| 0x0700 | byte).collect();
    let (mut terminal, mut out) = (Terminal::new(256, 1), Vec::new());
    let mut renderer = Renderer::enter(Some((256, 1)), &mut out);
    renderer.draw(Frame { cells: &page, columns: 256, cursor: None, blinks: true }, &mut out);
    terminal.receive(&out);
    let text: Vec<char> = terminal.text(0).chars().collect();
    assert!(text.iter().all(|character| !character.is_control()));
    assert_eq!(
        [1, 0x10, 0x1b, 0x41, 0x7f, 0xb0, 0xcd].map(|at| text[at]),
        ['☺', '►', '←', 'A', '⌂', '░', '═']
    );
}

#[test]
fn a_lower_terminal_shows_the_rows_around_the_cursor() {
    let (mut terminal, mut out) = (Terminal::new(10, 2), Vec::new());
    let mut renderer = Renderer::enter(Some((10, 2)), &mut out);
    let page = cells(&["one", "two", "three", "four"]);
    terminal.receive(&out);
    for (cursor, first) in [(0, "one"), (1, "one"), (3, "three"), (2, "three"), (1, "two")] {
        terminal.receive(&draw(&mut renderer, frame(&page, Some((cursor, 0)))));
        assert_eq!(terminal.text(0).trim_end(), first, "cursor in row {cursor}");
    }
    terminal.receive(&draw(&mut renderer, frame(&page, None)));
    assert_eq!((terminal.text(0).trim_end(), terminal.shows_cursor), ("two", false));
}

#[test]
fn any_sequence_of_frames_ends_as_the_last_one() {
    let (mut terminal, mut out) = (Terminal::new(10, 4), Vec::new());
    let mut renderer = Renderer::enter(Some((10, 4)), &mut out);
    terminal.receive(&out);
    let mut state = 1u32;
    let mut random = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        (state >> 16) as usize
    };
    let mut page = cells(&["", "", "", ""]);
    for _ in 0..300 {
        for _ in 0..random() % 6 {
            let at = random() % page.len();
            page[at] = (random() as u16 & 0x7f00) | (b'a' as u16 + (random() % 26) as u16);
        }
        let cursor = Some((random() % 4, random() % 10)).filter(|_| random() % 4 != 0);
        terminal.receive(&draw(&mut renderer, frame(&page, cursor)));
        for (at, cell) in page.iter().enumerate() {
            let (shown, rendition) = &terminal.rows[at / 10][at % 10];
            assert_eq!(*shown as u16, cell & 0xff);
            let bright = if cell & 0x0800 != 0 { 90 } else { 30 };
            let front = bright + [0, 4, 2, 6, 1, 5, 3, 7][(cell >> 8 & 7) as usize];
            let back = 40 + [0, 4, 2, 6, 1, 5, 3, 7][(cell >> 12) as usize];
            assert_eq!(*rendition, alloc::format!("0;{front};{back}"));
        }
        assert_eq!(terminal.shows_cursor, cursor.is_some());
        if let Some(cursor) = cursor {
            assert_eq!((terminal.row, terminal.column), cursor);
        }
    }
}
