//! Plots of several lines on logarithmic scales, as SVG.
use std::fmt::Write;

/// A line of a plot: its name, and its points.
pub struct Curve {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 180.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;

/// Colors that people with color blindness can tell apart (Okabe and Ito, 2008).
const COLORS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// The range of an axis: whole powers of ten.
struct Scale {
    from: i32,
    to: i32,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Scale {
        let from = values.clone().fold(f64::INFINITY, f64::min).log10().floor() as i32;
        let to = values.fold(0.0, f64::max).log10().ceil() as i32;
        Scale { from, to: to.max(from + 1) }
    }

    fn at(&self, value: f64, length: f64) -> f64 {
        (value.log10() - f64::from(self.from)) / f64::from(self.to - self.from) * length
    }

    fn ticks(&self) -> impl Iterator<Item = f64> + use<> {
        (self.from..=self.to).map(|power| 10_f64.powi(power))
    }
}

/// Draws curves; `across` and `up` name the axes.
pub fn draw(title: &str, across: &str, up: &str, curves: &[Curve]) -> String {
    let points = || curves.iter().flat_map(|curve| &curve.points).filter(|(x, y)| *x > 0.0 && *y > 0.0);
    let (wide, high) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
    let (x, y) = (Scale::of(points().map(|point| point.0)), Scale::of(points().map(|point| point.1)));
    let place = |point: &(f64, f64)| (LEFT + x.at(point.0, wide), TOP + high - y.at(point.1, high));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\" role=\"img\">\n<title>{title}</title>\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         fill=\"#ffffff\"/>\n<text x=\"{LEFT}\" y=\"22\" font-size=\"14\" font-weight=\"bold\">{title}</text>\n"
    );
    for tick in x.ticks() {
        let at = LEFT + x.at(tick, wide);
        let (end, below) = (TOP + high, TOP + high + 18.0);
        let _ = writeln!(svg, "<path d=\"M{at:.1} {TOP}V{end}\" stroke=\"#dddddd\"/>");
        let _ = writeln!(svg, "<text x=\"{at:.1}\" y=\"{below}\" text-anchor=\"middle\">{}</text>", number(tick));
    }
    for tick in y.ticks() {
        let at = TOP + high - y.at(tick, high);
        let (end, before) = (LEFT + wide, LEFT - 8.0);
        let _ = writeln!(svg, "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"#dddddd\"/>");
        let _ = writeln!(svg, "<text x=\"{before}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", at + 4.0, number(tick));
    }
    let (middle, foot) = (LEFT + wide / 2.0, HEIGHT - 10.0);
    let _ = writeln!(svg, "<text x=\"{middle}\" y=\"{foot}\" text-anchor=\"middle\">{across}</text>");
    let side = TOP + high / 2.0;
    let turned = format!("transform=\"rotate(-90 16 {side})\"");
    let _ = writeln!(svg, "<text x=\"16\" y=\"{side}\" text-anchor=\"middle\" {turned}>{up}</text>");
    for (curve, (color, row)) in curves.iter().zip(COLORS.iter().cycle().zip(0_u8..)) {
        let places: Vec<(f64, f64)> = curve.points.iter().filter(|(x, y)| *x > 0.0 && *y > 0.0).map(place).collect();
        let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let path = path.join(" ");
        let _ = writeln!(svg, "<polyline points=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");
        for (x, y) in places {
            let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"/>");
        }
        let (beside, line) = (LEFT + wide + 16.0, TOP + 14.0 + 20.0 * f64::from(row));
        let _ = writeln!(svg, "<text x=\"{beside}\" y=\"{line}\" fill=\"{color}\">{}</text>", curve.name);
    }
    svg + "</svg>\n"
}

/// Writes a power of ten as people do.
fn number(tick: f64) -> String {
    let text = if tick < 1.0 { format!("{tick}") } else { format!("{tick:.0}") };
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    rest.map_or(grouped.clone(), |rest| format!("{grouped}.{rest}"))
}
