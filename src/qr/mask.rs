//! The choice of a mask. Eight are tried, and the one with the lowest penalty is the easiest to read (ISO/IEC 18004
//! §7.8.3). A row or column of modules is a number here, a bit for each, so that a rule looks at all of them at once.
//!
//! The format information is light meanwhile: its modules tell the mask, and are drawn when it is chosen.

use core::array;
use core::ops::{BitAnd, BitOr, BitXor, Not, Shl, Shr};

use qrcode::canvas::{Canvas, MaskPattern, Module};
use qrcode::types::Color;

/// Whether a mask inverts the module at column and row.
type Inverts = fn(usize, usize) -> bool;

const MASKS: [(MaskPattern, Inverts); 8] = [
    (MaskPattern::Checkerboard, |x, y| (x + y) % 2 == 0),
    (MaskPattern::HorizontalLines, |_, y| y % 2 == 0),
    (MaskPattern::VerticalLines, |x, _| x % 3 == 0),
    (MaskPattern::DiagonalLines, |x, y| (x + y) % 3 == 0),
    (MaskPattern::LargeCheckerboard, |x, y| (x / 3 + y / 2) % 2 == 0),
    (MaskPattern::Fields, |x, y| (x * y) % 2 + (x * y) % 3 == 0),
    (MaskPattern::Diamonds, |x, y| ((x * y) % 2 + (x * y) % 3) % 2 == 0),
    (MaskPattern::Meadow, |x, y| ((x + y) % 2 + (x * y) % 3) % 2 == 0),
];

/// Each mask repeats itself after twelve modules, in both directions.
const PERIOD: usize = 12;

/// A row or column. Four bits stand before the first module and are zero, as all bits after the last one are: the
/// quiet zone is light. `line >> 1` has each module where the one before it was.
trait Line:
    Copy
    + Not<Output = Self>
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
    + BitXor<Output = Self>
    + Shl<u32, Output = Self>
    + Shr<u32, Output = Self>
{
    const NONE: Self;
    const FIRST: Self;
    const BITS: u32;
    fn count(self) -> u32;
}

impl Line for u64 {
    const NONE: Self = 0;
    const FIRST: Self = 1 << 4;
    const BITS: u32 = Self::BITS;

    fn count(self) -> u32 {
        self.count_ones()
    }
}

/// 256 bits: the low ones and the high ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wide(u128, u128);

impl Line for Wide {
    const NONE: Self = Self(0, 0);
    const FIRST: Self = Self(1 << 4, 0);
    const BITS: u32 = 256;

    fn count(self) -> u32 {
        self.0.count_ones().saturating_add(self.1.count_ones())
    }
}

impl Not for Wide {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0, !self.1)
    }
}

impl BitAnd for Wide {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0, self.1 & other.1)
    }
}

impl BitOr for Wide {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0, self.1 | other.1)
    }
}

impl BitXor for Wide {
    type Output = Self;

    fn bitxor(self, other: Self) -> Self {
        Self(self.0 ^ other.0, self.1 ^ other.1)
    }
}

impl Shl<u32> for Wide {
    type Output = Self;

    /// By less than 128.
    #[expect(clippy::suspicious_arithmetic_impl, reason = "the high bits of one number go before the low bits of the other")]
    fn shl(self, by: u32) -> Self {
        Self(self.0.unbounded_shl(by), self.1.unbounded_shl(by) | self.0.unbounded_shr(128_u32.saturating_sub(by)))
    }
}

impl Shr<u32> for Wide {
    type Output = Self;

    /// By less than 128.
    #[expect(clippy::suspicious_arithmetic_impl, reason = "the low bits of one number come after the high bits of the other")]
    fn shr(self, by: u32) -> Self {
        Self(self.0.unbounded_shr(by) | self.1.unbounded_shl(128_u32.saturating_sub(by)), self.1.unbounded_shr(by))
    }
}

/// The mask with the lowest penalty for a symbol of `side` modules.
pub(super) fn best(canvas: &Canvas, side: usize) -> MaskPattern {
    if side <= 57 { Symbol::<u64>::read(canvas, side).best_mask() } else { Symbol::<Wide>::read(canvas, side).best_mask() }
}

/// The modules of a row or column before masking.
#[derive(Clone, Copy)]
struct Modules<L> {
    dark: L,
    /// Those that a mask may invert.
    data: L,
}

/// A symbol before masking.
struct Symbol<L> {
    rows: Vec<Modules<L>>,
    columns: Vec<Modules<L>>,
    /// All modules of a line but the last one, so each that another one follows.
    followed: L,
}

#[expect(clippy::arithmetic_side_effects, reason = "shifts by less than the width of a line")]
impl<L: Line> Symbol<L> {
    fn read(canvas: &Canvas, side: usize) -> Self {
        let none = Modules { dark: L::NONE, data: L::NONE };
        let mut rows = vec![none; side];
        let mut columns = rows.clone();
        let (mut y, mut y_bit) = (0_i16, L::FIRST);
        let mut followed = L::NONE;
        for row in &mut rows {
            let (mut x, mut x_bit) = (0_i16, L::FIRST);
            for column in &mut columns {
                let module = canvas.get(x, y);
                if Color::from(module) == Color::Dark {
                    row.dark = row.dark | x_bit;
                    column.dark = column.dark | y_bit;
                }
                if !matches!(module, Module::Masked(_)) {
                    row.data = row.data | x_bit;
                    column.data = column.data | y_bit;
                }
                x = x.saturating_add(1);
                x_bit = x_bit << 1;
            }
            followed = followed | y_bit >> 1;
            y = y.saturating_add(1);
            y_bit = y_bit << 1;
        }
        Self { rows, columns, followed: followed & !(L::FIRST >> 1) }
    }

    fn best_mask(&self) -> MaskPattern {
        let [first, rest @ ..] = MASKS.map(|(mask, inverts)| (mask, self.penalty(inverts)));
        rest.into_iter().fold(first, |best, next| if next.1 < best.1 { next } else { best }).0
    }

    fn penalty(&self, inverts: Inverts) -> u32 {
        let row_masks = array::from_fn(|y| repeated(|x| inverts(x, y)));
        let column_masks = array::from_fn(|x| repeated(|y| inverts(x, y)));
        let (mut points, mut dark) = (0_u32, 0_u32);
        let mut before: Option<L> = None;
        for row in masked(&self.rows, &row_masks) {
            points = points.saturating_add(of_line(row, self.followed));
            points = points.saturating_add(before.map_or(0, |before| of_blocks(before, row, self.followed)));
            dark = dark.saturating_add(row.count());
            before = Some(row);
        }
        for column in masked(&self.columns, &column_masks) {
            points = points.saturating_add(of_line(column, self.followed));
        }
        points.saturating_add(of_balance(dark, self.rows.len()))
    }
}

/// The line of a mask, from its first modules.
#[expect(clippy::arithmetic_side_effects, reason = "shifts by less than the width of a line")]
fn repeated<L: Line>(is_inverted: impl Fn(usize) -> bool) -> L {
    let (mut line, mut bit) = (L::NONE, L::FIRST);
    for at in 0..PERIOD {
        if is_inverted(at) {
            line = line | bit;
        }
        bit = bit << 1;
    }
    for length in [12, 24, 48, 96].into_iter().filter(|length| *length < L::BITS) {
        line = line | line << length;
    }
    line
}

fn masked<L: Line>(lines: &[Modules<L>], masks: &[L; PERIOD]) -> impl Iterator<Item = L> {
    lines.iter().zip(masks.iter().cycle()).map(|(line, mask)| line.dark ^ (*mask & line.data))
}

/// Three points for five modules of one colour in a line and one for each more; forty for each four light modules beside
/// the pattern of a finder, `1011101`.
#[expect(clippy::arithmetic_side_effects, reason = "shifts by less than the width of a line")]
fn of_line<L: Line>(dark: L, followed: L) -> u32 {
    let two = !(dark ^ dark >> 1) & followed;
    let three = two & two >> 1;
    let five = three & three >> 2;
    let last_five = five & !(five >> 1);
    let light = !dark;
    let two_dark = dark & dark >> 1;
    let finder = dark & light >> 1 & two_dark >> 2 & dark >> 4 & light >> 5 & dark >> 6;
    let some_dark = dark | dark >> 1;
    let four_light = !(some_dark | some_dark >> 2);
    let lookalikes = (four_light & finder >> 4).count().saturating_add((finder & four_light >> 7).count());
    five.count().saturating_add(last_five.count().saturating_mul(2)).saturating_add(lookalikes.saturating_mul(40))
}

/// Three points for each block of 2 × 2 modules of one colour.
#[expect(clippy::arithmetic_side_effects, reason = "shifts by less than the width of a line")]
fn of_blocks<L: Line>(row: L, next: L, followed: L) -> u32 {
    let differ = (row ^ row >> 1) | (next ^ next >> 1) | (row ^ next);
    (!differ & followed).count().saturating_mul(3)
}

/// Ten points for each five percent between the share of dark modules and one half.
fn of_balance(dark: u32, side: usize) -> u32 {
    let all = u32::try_from(side.saturating_mul(side)).unwrap_or(u32::MAX);
    let twentieths = dark.saturating_mul(20).abs_diff(all.saturating_mul(10));
    twentieths.checked_div(all).unwrap_or(0).saturating_mul(10)
}

#[cfg(test)]
mod tests {
    use qrcode::types::{EcLevel, Version};

    use super::*;

    fn canvas(version: i16) -> Canvas {
        let mut canvas = Canvas::new(Version::Normal(version), EcLevel::M);
        canvas.draw_all_functional_patterns();
        let noise: Vec<u8> = (0..4_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        canvas.draw_data(&noise, &[]);
        canvas
    }

    /// The rules as the standard tells them, one module after the other.
    #[expect(clippy::arithmetic_side_effects, reason = "a test may panic")]
    fn plain_penalty(dark: &[Vec<bool>]) -> u32 {
        let side = dark.len();
        let turned: Vec<Vec<bool>> = (0..side).map(|x| dark.iter().map(|row| row[x]).collect()).collect();
        let mut points = 0;
        for line in dark.iter().chain(&turned) {
            for run in line.chunk_by(|a, b| a == b).map(<[bool]>::len).filter(|run| *run >= 5) {
                points += 3 + u32::try_from(run - 5).unwrap();
            }
            let padded = [vec![false; 4], line.clone(), vec![false; 4]].concat();
            let finder = "1011101";
            for pattern in [format!("0000{finder}"), format!("{finder}0000")] {
                let pattern: Vec<bool> = pattern.chars().map(|c| c == '1').collect();
                points += 40 * u32::try_from(padded.windows(11).filter(|window| *window == pattern).count()).unwrap();
            }
        }
        for (row, next) in dark.iter().zip(&dark[1..]) {
            for (above, below) in row.windows(2).zip(next.windows(2)) {
                points += if [above, below].concat().iter().all(|module| *module == above[0]) { 3 } else { 0 };
            }
        }
        let (count, all) = (dark.iter().flatten().filter(|module| **module).count(), side * side);
        points + 10 * u32::try_from((count * 20).abs_diff(all * 10) / all).unwrap()
    }

    fn compare<L: Line>(version: i16) {
        let (canvas, side) = (canvas(version), Version::Normal(version).width());
        let symbol = Symbol::<L>::read(&canvas, side.try_into().unwrap());
        let modules = |canvas: &Canvas, of: &dyn Fn(Module, i16, i16) -> bool| -> Vec<Vec<bool>> {
            (0..side).map(|y| (0..side).map(|x| of(canvas.get(x, y), x, y)).collect()).collect()
        };
        for (mask, inverts) in MASKS {
            let inverted = |x: i16, y: i16| inverts(x.try_into().unwrap(), y.try_into().unwrap());
            let masked = modules(&canvas, &|module, x, y| module.is_dark() ^ (!matches!(module, Module::Masked(_)) && inverted(x, y)));
            assert_eq!(symbol.penalty(inverts), plain_penalty(&masked), "version {version}, {mask:?}");
            let mut theirs = canvas.clone();
            theirs.apply_mask(mask);
            let is_data = modules(&canvas, &|module, _, _| !matches!(module, Module::Masked(_)));
            let drawn = modules(&theirs, &|module, _, _| module.is_dark());
            for ((is_data, ours), theirs) in is_data.iter().flatten().zip(masked.iter().flatten()).zip(drawn.iter().flatten()) {
                assert!(!is_data || ours == theirs, "version {version}, {mask:?}");
            }
        }
    }

    #[test]
    fn penalties_are_those_of_the_standard() {
        for version in [1, 2, 6, 7, 10] {
            compare::<u64>(version);
        }
        for version in [1, 10, 11, 25, 27, 40] {
            compare::<Wide>(version);
        }
    }

    #[test]
    fn the_mask_with_the_lowest_penalty_is_chosen() {
        for (version, side) in [(5, 37), (40, 177)] {
            let canvas = canvas(version);
            let symbol = Symbol::<Wide>::read(&canvas, side);
            let (lowest, _) = MASKS.into_iter().min_by_key(|(_, inverts)| symbol.penalty(*inverts)).unwrap();
            assert_eq!(format!("{:?}", best(&canvas, side)), format!("{lowest:?}"));
        }
    }
}
