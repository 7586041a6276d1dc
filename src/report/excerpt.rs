//! Excerpts of files, underlined and labeled by miette.
use super::{Palette, filter::visible};
use crate::failure::Excerpt;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeStyles,
};
use std::fmt;

/// Draws the lines at the places, underlined and labeled.
pub(super) fn excerpts(places: &[Excerpt], palette: Palette) -> Option<String> {
    let files = Files::of(places)?;
    let mut theme = GraphicalTheme::unicode();
    if !palette.color {
        theme.styles = ThemeStyles::none();
    }
    let mut text = String::new();
    GraphicalReportHandler::new_themed(theme).with_width(400).render_report(&mut text, &files).ok()?;
    // The first line is the message, which is empty here.
    text.split_once('\n').map(|(_, lines)| lines.to_owned())
}

/// All files of a report as one text; each has a range of it.
#[derive(Debug)]
struct Files {
    /// Where each file begins, its name, and its text.
    files: Vec<(usize, String, String)>,
    labels: Vec<LabeledSpan>,
}

/// Separates the lines of one file from those of the next.
const GAP: usize = 1 << 20;

impl Files {
    fn of(places: &[Excerpt]) -> Option<Files> {
        let mut all = Files { files: Vec::new(), labels: Vec::new() };
        for (i, place) in places.iter().enumerate() {
            let known = all.files.iter().find(|(_, file, _)| *file == place.file).cloned();
            let (begin, _, text) = known.unwrap_or_else(|| {
                let begin = all.files.last().map_or(0, |(begin, _, text)| begin + text.len() + GAP);
                let file = (begin, visible(&place.file, false), plain(&place.text));
                all.files.push(file.clone());
                file
            });
            let before: usize = text.split_inclusive('\n').take(place.line.checked_sub(1)?).map(str::len).sum();
            let line = text[before..].split('\n').next().unwrap_or_default();
            let bytes = |chars: usize| line.chars().take(chars).map(char::len_utf8).sum::<usize>();
            let (start, end) = (bytes(place.column.saturating_sub(1)), bytes(place.column - 1 + place.length));
            let label = Some(visible(&place.label, false)).filter(|label| !label.is_empty());
            let span = (begin + before + start, end - start);
            all.labels.push(match i {
                0 => LabeledSpan::new_primary_with_span(label, span),
                _ => LabeledSpan::new_with_span(label, span),
            });
        }
        (!all.labels.is_empty()).then_some(all)
    }
}

/// Replaces each character that a terminal would obey by a harmless one.
fn plain(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => c,
        c => Some(visible(&c.to_string(), false))
            .filter(|s| s.chars().count() == 1)
            .map_or('�', |s| s.chars().next().unwrap_or(c)),
    };
    text.replace("\r\n", "\n").chars().map(shown).collect()
}

impl SourceCode for Files {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset() + span.len());
        let inside = |(begin, _, text): &&(usize, String, String)| *begin <= start && end <= begin + text.len();
        let (begin, name, text) = self.files.iter().find(inside).ok_or(MietteError::OutOfBounds)?;
        let own = text.read_span(&(start - begin, span.len()).into(), before, after)?;
        let (data, line, from) = (own.data(), own.line(), own.span().offset());
        // Miette counts bytes, people count characters.
        let column = text[..from].chars().rev().take_while(|c| *c != '\n').count();
        let at = (from + begin, own.span().len()).into();
        Ok(Box::new(MietteSpanContents::new_named(name.clone(), data, at, line, column, own.line_count())))
    }
}

impl fmt::Display for Files {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Files {}

impl Diagnostic for Files {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Palette = Palette { color: false };

    #[test]
    fn a_failure_in_a_module_shows_the_call_in_the_fabfile_too() {
        let inner = Excerpt::word("std/proxy", "fn only(name) {\n    let hosts = pool();\n}\n", 2, 17);
        let outer = Excerpt::word("fabfile.rhai", "fn go_() {\n\n    proxying::only(\"x\");\n}\n", 3, 15);
        let both = [inner, outer.labelled("called here")];
        assert_eq!(
            excerpts(&both, PLAIN).unwrap(),
            "   ╭─[std/proxy:2:17]
 1 │ fn only(name) {
 2 │     let hosts = pool();
   ·                 ────
 3 │ }
   ╰────
   ╭─[fabfile.rhai:3:15]
 2 │ \n 3 │     proxying::only(\"x\");
   ·               ──┬─
   ·                 ╰── called here
 4 │ }
   ╰────
"
        );
    }

    #[test]
    fn a_file_cannot_draw_on_the_terminal() {
        let place = Excerpt::word("x\x1b[2J", "\u{1b}[2J é\u{202e}fn\r\n", 1, 8);
        let text = excerpts(&[place], PLAIN).unwrap_or_default();
        assert_eq!(
            text,
            "   ╭─[x␛[2J:1:8]
 1 │ ␛[2J é�fn
   ·        ──
   ╰────
"
        );
    }

    #[test]
    fn a_place_behind_the_end_of_a_text_is_no_panic() {
        for (line, column) in [(0, 0), (1, 9), (7, 1), (2, 1)] {
            let place = Excerpt { line, column, length: 3, ..Excerpt::word("f", "abc\n", 1, 1) };
            excerpts(&[place], PLAIN).unwrap_or_default();
        }
    }
}
