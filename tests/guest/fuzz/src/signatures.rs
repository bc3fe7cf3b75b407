//! Which argument of each Linux system call is what.
//!
//! From the prototypes of the manual pages, section 2, and `include/linux/syscalls.h` of Linux 6.1;
//! the order of arguments is that of x86-64.

/// What an argument is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Use {
    /// `f`: a descriptor.
    Descriptor,
    /// `d`: a descriptor of a directory, or `AT_FDCWD`.
    Directory,
    /// `s`, `S` where it may be null: a string that ends with a NUL, most often a path.
    Text,
    /// `i`, `I` where it may be null: memory that is read.
    In,
    /// `o`, `O` where it may be null: memory that is written.
    Out,
    /// `b`, `B` where it may be null: memory that is read and written.
    InOut,
    /// `v`: an array of `struct iovec`.
    Ranges,
    /// `h`: a `struct msghdr`.
    Message,
    /// `e`: an array of pointers to strings, which may be null.
    Strings,
    /// `a`: an address that is not followed, or a word whose meaning another argument tells.
    Address,
    /// `z`: a number of bytes.
    Length,
    /// `n`: a number.
    Number,
    /// `x`: flags, or the name of an operation.
    Flags,
    /// `p`: a process, thread or group.
    Process,
    /// `g`: a signal.
    Signal,
    /// `u`: a user or group.
    User,
}

impl Use {
    /// Returns what a letter stands for, and whether null stands for nothing there.
    fn of(letter: u8) -> (Use, bool) {
        let what = match letter.to_ascii_lowercase() {
            b'f' => Use::Descriptor,
            b'd' => Use::Directory,
            b's' => Use::Text,
            b'i' => Use::In,
            b'o' => Use::Out,
            b'b' => Use::InOut,
            b'v' => Use::Ranges,
            b'h' => Use::Message,
            b'e' => Use::Strings,
            b'a' => Use::Address,
            b'z' => Use::Length,
            b'x' => Use::Flags,
            b'p' => Use::Process,
            b'g' => Use::Signal,
            b'u' => Use::User,
            _ => Use::Number,
        };
        (what, letter.is_ascii_uppercase() || letter == b'e')
    }

    /// Returns whether the call follows it.
    pub fn is_pointer(self) -> bool {
        match self {
            Use::Text | Use::In | Use::Out | Use::InOut => true,
            Use::Ranges | Use::Message | Use::Strings => true,
            Use::Descriptor | Use::Directory | Use::Address | Use::Length | Use::Number => false,
            Use::Flags | Use::Process | Use::Signal | Use::User => false,
        }
    }
}

/// Numbers of the system calls with their arguments, a letter each ([`Use`]).
#[rustfmt::skip]
pub static SIGNATURES: &[(u32, &str)] = &[
    (0, "foz"), (1, "fiz"), (2, "sxn"), (3, "f"), (4, "so"), (5, "fo"), (6, "so"), (7, "bnn"),
    (8, "fnx"), (9, "azxxfn"), (10, "azx"), (11, "az"), (12, "a"), (13, "gIOz"), (14, "xIOz"),
    (15, ""), (16, "fxb"), (17, "fozn"), (18, "fizn"), (19, "fvn"), (20, "fvn"), (21, "sx"),
    (22, "o"), (23, "nBBBB"), (24, ""), (25, "azzxa"), (26, "azx"), (27, "azo"), (28, "azx"),
    (29, "xzx"), (30, "nax"), (31, "nxb"), (32, "f"), (33, "fn"), (34, ""), (35, "iO"),
    (36, "xo"), (37, "n"), (38, "xIO"), (39, ""), (40, "ffBz"), (41, "xxx"), (42, "fiz"),
    (43, "fOB"), (44, "fizxIz"), (45, "fozxOB"), (46, "fhx"), (47, "fhx"), (48, "fx"),
    (49, "fiz"), (50, "fn"), (51, "fob"), (52, "fob"), (53, "xxxo"), (54, "fxxiz"), (55, "fxxob"),
    (56, "xaOOa"), (57, ""), (58, ""), (59, "see"), (60, "n"), (61, "pOxO"), (62, "pg"),
    (63, "o"), (64, "xnx"), (65, "nin"), (66, "nnxa"), (67, "a"), (68, "xx"), (69, "nizx"),
    (70, "nozxx"), (71, "nxb"), (72, "fxa"), (73, "fx"), (74, "f"), (75, "f"), (76, "sn"),
    (77, "fn"), (78, "foz"), (79, "oz"), (80, "s"), (81, "f"), (82, "ss"), (83, "sn"), (84, "s"),
    (85, "sn"), (86, "ss"), (87, "s"), (88, "ss"), (89, "soz"), (90, "sn"), (91, "fn"),
    (92, "suu"), (93, "fuu"), (94, "suu"), (95, "n"), (96, "OO"), (97, "xo"), (98, "xo"),
    (99, "o"), (100, "O"), (101, "xpaa"), (102, ""), (103, "xOz"), (104, ""), (105, "u"),
    (106, "u"), (107, ""), (108, ""), (109, "pp"), (110, ""), (111, ""), (112, ""), (113, "uu"),
    (114, "uu"), (115, "no"), (116, "ni"), (117, "uuu"), (118, "ooo"), (119, "uuu"), (120, "ooo"),
    (121, "p"), (122, "u"), (123, "u"), (124, "p"), (125, "bO"), (126, "bi"), (127, "oz"),
    (128, "iOIz"), (129, "pgi"), (130, "iz"), (131, "IO"), (132, "sI"), (133, "snn"), (134, "s"),
    (135, "x"), (136, "no"), (137, "so"), (138, "fo"), (139, "xaa"), (140, "xp"), (141, "xpn"),
    (142, "pi"), (143, "po"), (144, "pxi"), (145, "p"), (146, "x"), (147, "x"), (148, "po"),
    (149, "az"), (150, "az"), (151, "x"), (152, ""), (153, ""), (154, "xoz"), (155, "ss"),
    (156, "b"), (157, "xaaaa"), (158, "xa"), (159, "b"), (160, "xi"), (161, "s"), (162, ""),
    (163, "S"), (164, "II"), (165, "SsSxS"), (166, "sx"), (167, "sx"), (168, "s"), (169, "xxxa"),
    (170, "iz"), (171, "iz"), (172, "n"), (173, "nnn"), (175, "izs"), (176, "sx"), (179, "xSub"),
    (186, ""), (187, "fnz"), (188, "ssizx"), (189, "ssizx"), (190, "fsizx"), (191, "ssoz"),
    (192, "ssoz"), (193, "fsoz"), (194, "soz"), (195, "soz"), (196, "foz"), (197, "ss"),
    (198, "ss"), (199, "fs"), (200, "pg"), (201, "O"), (202, "bxnIbn"), (203, "pzi"),
    (204, "pzo"), (206, "no"), (207, "n"), (208, "nnnoI"), (209, "nni"), (210, "nio"), (213, "n"),
    (216, "azxnx"), (217, "foz"), (218, "a"), (219, ""), (220, "ninI"), (221, "fnnx"),
    (222, "xIo"), (223, "nxiO"), (224, "no"), (225, "n"), (226, "n"), (227, "xi"), (228, "xo"),
    (229, "xO"), (230, "xxiO"), (231, "n"), (232, "fonn"), (233, "fxfi"), (234, "ppg"),
    (235, "sI"), (237, "azxInx"), (238, "xIn"), (239, "OOnax"), (240, "sxnI"), (241, "s"),
    (242, "fiznI"), (243, "fozOI"), (244, "fI"), (245, "fIO"), (247, "xpOxO"), (251, "xpn"),
    (252, "xp"), (253, ""), (254, "fsx"), (255, "fn"), (257, "dsxn"), (258, "dsn"), (259, "dsnn"),
    (260, "dsuux"), (261, "dSI"), (262, "dsox"), (263, "dsx"), (264, "dsds"), (265, "dsdsx"),
    (266, "sds"), (267, "dsoz"), (268, "dsn"), (269, "dsx"), (270, "nBBBII"), (271, "bnIIz"),
    (272, "x"), (273, "az"), (274, "poo"), (275, "fBfBzx"), (276, "ffzx"), (277, "fnnx"),
    (278, "fvnx"), (279, "pnIIOx"), (280, "dSIx"), (281, "fonnIz"), (282, "fiz"), (283, "xx"),
    (284, "n"), (285, "fxnn"), (286, "fxiO"), (287, "fo"), (288, "fOBx"), (289, "fizx"),
    (290, "nx"), (291, "x"), (292, "fnx"), (293, "ox"), (294, "x"), (295, "fvnnn"),
    (296, "fvnnn"), (297, "ppgi"), (298, "ipnfx"), (299, "fbnxI"), (300, "xx"), (302, "pxIO"),
    (305, "xb"), (306, "f"), (307, "fbnx"), (308, "fx"), (309, "OOa"), (310, "pvnvnx"),
    (311, "pvnvnx"), (312, "ppxnn"), (314, "pix"), (315, "pozx"), (316, "dsdsx"), (317, "xxa"),
    (318, "ozx"), (319, "sx"), (322, "dseex"), (323, "x"), (324, "xxn"), (325, "azx"),
    (326, "fBfBzx"), (327, "fvnnnx"), (328, "fvnnnx"), (329, "azxn"), (330, "xn"), (331, "n"),
    (332, "dsxxo"), (334, "azxn"), (424, "fgIx"), (434, "px"), (435, "iz"), (436, "nnx"),
    (437, "dsiz"), (438, "fnx"), (439, "dsxx"), (440, "fvnxx"), (441, "fonIIz"), (448, "fx"),
    (449, "inxIx"),
];

/// Returns what the arguments of a system call are, and which of them may be null.
pub fn signature(number: u32) -> Option<impl Iterator<Item = (Use, bool)>> {
    let (_, letters) = SIGNATURES.iter().find(|(known, _)| *known == number)?;
    Some(letters.bytes().map(Use::of))
}

#[cfg(test)]
mod tests {
    use super::{SIGNATURES, signature};

    #[test]
    fn numbers_ascend_and_letters_are_known() {
        assert!(SIGNATURES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (number, letters) in SIGNATURES {
            assert!(letters.len() <= 6, "{number}");
            assert!(letters.bytes().all(|one| b"fdsSiIoObBvheaznxpgu".contains(&one)), "{number}");
        }
        assert_eq!(signature(0).map(Iterator::count), Some(3));
        assert!(signature(9999).is_none());
    }
}
