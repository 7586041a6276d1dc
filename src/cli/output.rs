//! The flags that say how a run is shown.
use super::request::{Color, Detail};
use clap::{
    ArgAction, Args,
    builder::{PossibleValuesParser, TypedValueParser},
};

#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputFlags {
    /// Write events, or the list of tasks, as JSON
    #[arg(long)]
    pub json: bool,
    /// Show more
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
    /// Show only what went wrong, and the closing table
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Color the output: auto, always, or never; NO_COLOR means never
    #[arg(long, value_name = "WHEN", value_parser = color_parser(), hide_possible_values = true)]
    color: Option<Color>,
}

impl OutputFlags {
    /// Returns how much to show.
    pub(super) fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Quiet,
            (false, 0) => Detail::Normal,
            (false, _) => Detail::Verbose,
        }
    }

    /// Returns whether to use colors; `no_color` says whether the environment forbids them.
    pub(super) fn color(&self, no_color: bool) -> Color {
        self.color.unwrap_or(if no_color { Color::Never } else { Color::Auto })
    }
}

fn color_parser() -> impl TypedValueParser<Value = Color> {
    PossibleValuesParser::new(["auto", "always", "never"]).map(|when| match when.as_str() {
        "always" => Color::Always,
        "never" => Color::Never,
        _ => Color::Auto,
    })
}
