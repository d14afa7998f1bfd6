//! Where everything lies on the picture, and its colours.
//!
//! Bars begin at 1 and the scale is logarithmic, so that twice as fast and half as fast are equally
//! long. The background is left out and text is grey, which is readable on white and on black.

use anyhow::{Result, anyhow};
use plotters::{
    chart::{ChartBuilder, ChartContext},
    coord::{
        Shift,
        combinators::{IntoLogRange as _, LogCoord},
        types::RangedCoordf64,
    },
    drawing::{DrawingArea, IntoDrawingArea as _},
    element::{PathElement, Rectangle, Text},
    prelude::{Cartesian2d, SVGBackend},
    style::{
        Color as _, FontTransform, IntoFont as _, RGBColor, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{FLOOR, OfContender, OfMode, Results, Spread};

const WIDTH: u32 = 1_000;
const HEIGHT: u32 = 560;

/// What the axis's numbers and its name take at the left.
const LEFT: u32 = 80;

/// What the title takes, and what the names of modes and contenders do.
const TOP: u32 = 70;
const BOTTOM: u32 = 120;

/// Legend entries in a row.
const ENTRIES: usize = 5;

const GREY: RGBColor = RGBColor(0x76, 0x80, 0x8c);

/// Colours that differ in lightness too, and stand out from white and from black.
const COLOURS: [RGBColor; 10] = [
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0x56, 0xa4, 0xe9),
    RGBColor(0x12, 0xa3, 0xa3),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x91, 0x5f, 0xc9),
    RGBColor(0xc9, 0x9a, 0x00),
    RGBColor(0x2b, 0x72, 0xc4),
    RGBColor(0xb0, 0x40, 0x50),
    RGBColor(0x5b, 0x8c, 0x2a),
];

/// Ratios that may have a line.
const TICKS: [f64; 13] = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0,
];

/// The part of a group's width that its bars take.
const FILLED: f64 = 0.86;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Bars<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, LogCoord<f64>>>;

pub(super) fn draw(results: &Results) -> Result<String> {
    let mut svg = String::new();
    draw_to(&mut svg, results).map_err(|error| anyhow!("the chart cannot be drawn: {error}"))?;
    Ok(svg)
}

/// The library's errors borrow what they are about, so they go on as text.
fn draw_to(svg: &mut String, results: &Results) -> Result<(), String> {
    let root = SVGBackend::with_string(svg, (WIDTH, HEIGHT)).into_drawing_area();
    let names = names(results);
    let (lowest, highest) = bounds(results);
    let mut bars: Bars<'_> = ChartBuilder::on(&root)
        .margin_top(TOP)
        .margin_bottom(BOTTOM)
        .margin_left(LEFT)
        .margin_right(20)
        .build_cartesian_2d(
            0.0..count(results.modes.len()),
            (lowest..highest).log_scale(),
        )
        .map_err(text_of)?;
    draw_axis(&root, &bars, results, lowest, highest)?;
    for (place, mode) in results.modes.iter().enumerate() {
        draw_mode(&root, &mut bars, place, mode, &names, lowest)?;
    }
    draw_title(&root, results)?;
    draw_legend(&root, &names)?;
    root.present().map_err(text_of)
}

/// All contenders, in the order in which they were measured.
fn names(results: &Results) -> Vec<&str> {
    let mut names = Vec::new();
    for OfContender { contender, .. } in results.modes.iter().flat_map(|mode| &mode.contenders) {
        if !names.contains(&&**contender) {
            names.push(contender);
        }
    }
    names
}

/// What all ratios and 1 lie between, with some room.
fn bounds(results: &Results) -> (f64, f64) {
    let contenders = results.modes.iter().flat_map(|mode| &mode.contenders);
    let (lowest, highest) = contenders.fold((1.0_f64, 1.0_f64), |(lowest, highest), c| {
        let Spread { min, max, .. } = c.rate_ratio;
        (lowest.min(min), highest.max(max))
    });
    (lowest * 0.85, highest * 1.2)
}

fn draw_title(root: &Area<'_>, results: &Results) -> Result<(), String> {
    let Results {
        rounds,
        seconds,
        cores,
        ..
    } = results;
    let middle = HPos::Center;
    let title = format!("Requests and answers: rate as ratio to {FLOOR}");
    let what = format!(
        "median of {rounds} rounds of {seconds} s on {cores} cores, lines from the lowest to the \
         highest; the server that is 1 is written by hand with the same JSON"
    );
    let centre = pixel(WIDTH) / 2;
    write(root, title, (centre, 22), 20.0, middle)?;
    write(root, what, (centre, 48), 13.0, middle)
}

fn draw_axis(
    root: &Area<'_>,
    bars: &Bars<'_>,
    results: &Results,
    lowest: f64,
    highest: f64,
) -> Result<(), String> {
    let end = count(results.modes.len());
    for tick in TICKS {
        if !(lowest..=highest).contains(&tick) {
            continue;
        }
        let (left, right) = (
            bars.backend_coord(&(0.0, tick)),
            bars.backend_coord(&(end, tick)),
        );
        let (strength, width) = if is_floor(tick) { (1.0, 2) } else { (0.35, 1) };
        let style = GREY.mix(strength).stroke_width(width);
        root.draw(&PathElement::new([left, right], style))
            .map_err(text_of)?;
        let place = (left.0 - 8, left.1);
        write(root, tick.to_string(), place, 14.0, HPos::Right)?;
    }
    let middle = pixel(TOP) + (pixel(HEIGHT) - pixel(TOP) - pixel(BOTTOM)) / 2;
    let style = style(14.0, HPos::Center).transform(FontTransform::Rotate270);
    let name = format!("rate to {FLOOR}, logarithmic");
    root.draw(&Text::new(name, (20, middle), style))
        .map_err(text_of)
}

/// A bar for each contender of a mode, with a line from its lowest to its highest ratio.
fn draw_mode(
    root: &Area<'_>,
    bars: &mut Bars<'_>,
    place: usize,
    mode: &OfMode,
    names: &[&str],
    lowest: f64,
) -> Result<(), String> {
    let width = FILLED / count(mode.contenders.len());
    for (number, of) in mode.contenders.iter().enumerate() {
        let Spread { median, min, max } = of.rate_ratio;
        let left = count(place) + (1.0 - FILLED) / 2.0 + width * count(number);
        let (right, middle) = (left + width * 0.88, left + width * 0.44);
        let colour = colour_of(names, &of.contender);
        let bar = Rectangle::new([(left, 1.0), (right, median)], colour.filled());
        let line = PathElement::new([(middle, min), (middle, max)], GREY.stroke_width(2));
        bars.draw_series([bar]).map_err(text_of)?;
        bars.draw_series([line]).map_err(text_of)?;
    }
    let (x, y) = bars.backend_coord(&(count(place) + 0.5, lowest));
    write(
        root,
        format!("mode {}", mode.mode),
        (x, y + 16),
        15.0,
        HPos::Center,
    )
}

fn draw_legend(root: &Area<'_>, names: &[&str]) -> Result<(), String> {
    const SQUARE: i32 = 14;
    const ROW: i32 = 24;

    let step = (pixel(WIDTH) - pixel(LEFT)) / pixel_of(ENTRIES);
    for (number, name) in names.iter().enumerate() {
        let x = pixel(LEFT) + step * pixel_of(number % ENTRIES);
        let y = pixel(HEIGHT - BOTTOM) + 48 + ROW * pixel_of(number / ENTRIES);
        let corners = [(x, y - SQUARE / 2), (x + SQUARE, y + SQUARE / 2)];
        let square = Rectangle::new(corners, colour_of(names, name).filled());
        root.draw(&square).map_err(text_of)?;
        let place = (x + SQUARE + 8, y);
        write(root, (*name).to_owned(), place, 14.0, HPos::Left)?;
    }
    Ok(())
}

/// Whether a tick is the line that the bars begin at.
fn is_floor(tick: f64) -> bool {
    (tick - 1.0).abs() < f64::EPSILON
}

fn colour_of(names: &[&str], name: &str) -> RGBColor {
    let place = names.iter().position(|known| *known == name);
    COLOURS[place.unwrap_or_default() % COLOURS.len()]
}

fn write(
    root: &Area<'_>,
    text: String,
    place: (i32, i32),
    size: f64,
    horizontally: HPos,
) -> Result<(), String> {
    let text = Text::new(text, place, style(size, horizontally));
    root.draw(&text).map_err(text_of)
}

/// Grey text whose place is its middle from top to bottom.
fn style(size: f64, horizontally: HPos) -> TextStyle<'static> {
    let style = TextStyle::from(("sans-serif", size).into_font()).color(&GREY);
    style.pos(Pos::new(horizontally, VPos::Center))
}

fn text_of(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// How many, as a place on the axis.
fn count(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

fn pixel(pixels: u32) -> i32 {
    i32::try_from(pixels).unwrap_or(i32::MAX)
}

fn pixel_of(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
