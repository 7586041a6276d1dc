//! The problems of a fleet, with the lines that they point at.
use super::location::{Location, WrittenAt};
use crate::{
    control::shown,
    failure::{Cause, Excerpt, Failure},
};
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use std::{fmt, sync::Arc};

/// All problems that one reading of a fleet found.
///
/// A single problem is shown alone, several under a common heading.
#[derive(Debug)]
pub struct Wrong {
    /// The file as the user named it, or ``fleet `NAME` `` for a map.
    pub subject: String,
    /// Never empty.
    pub problems: Vec<Problem>,
    source: Option<Arc<NamedSource<String>>>,
}

/// One problem.
#[derive(Clone, Debug)]
pub struct Problem {
    message: String,
    places: Vec<Location>,
    help: Option<String>,
    source: Option<Arc<NamedSource<String>>>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>, place: Location) -> Self {
        Self { places: vec![place], ..Self::bare(message) }
    }

    /// Builds a problem of the whole fleet.
    pub(super) fn bare(message: impl Into<String>) -> Self {
        Self { message: shown(&message.into()), places: Vec::new(), help: None, source: None }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(shown(&help.into())), ..self }
    }

    /// Adds the help, if there is one.
    pub(super) fn perhaps(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    pub(super) fn and(mut self, place: Location) -> Self {
        self.places.push(place);
        self
    }
}

impl Wrong {
    pub(super) fn new(subject: &str, text: Option<&str>, problems: Vec<Problem>) -> Self {
        let subject = &shown(subject);
        let source = text.map(|text| Arc::new(NamedSource::new(subject, text.to_owned())));
        let problems =
            problems.into_iter().map(|problem| Problem { source: source.clone(), ..problem }).collect::<Vec<_>>();
        Self { subject: subject.to_owned(), problems, source }
    }

    fn only(&self) -> Option<&Problem> {
        if let [only] = self.problems.as_slice() { Some(only) } else { None }
    }

    /// Formats a problem in one line, after `file:line:column` if it has a line.
    fn line(&self, problem: &Problem) -> String {
        match (&self.source, problem.places.first()) {
            (Some(source), Some(Location { at: WrittenAt::File(span), .. })) => {
                let before = &source.inner()[..span.start.min(source.inner().len())];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
                format!("{}:{line}:{column}: {problem}", self.subject)
            }
            _ => format!("{}: {problem}", self.subject),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.places.first() {
            Some(Location { at: WrittenAt::Set(set), .. }) => write!(f, "`--set {set}`: ")?,
            Some(Location { at: WrittenAt::Printed(by), path, .. }) => write!(f, "`{path}`, printed by {by}: ")?,
            Some(Location { at: WrittenAt::Map, path, .. }) if !path.is_empty() => write!(f, "`{path}`: ")?,
            _ => {}
        }
        f.write_str(&self.message)?;
        for place in self.places.iter().skip(1) {
            match &place.at {
                WrittenAt::File(_) => {}
                WrittenAt::Map => write!(f, " ({} at `{}`)", place.label, place.path)?,
                WrittenAt::Printed(by) => write!(f, " ({} at `{}`, printed by {by})", place.label, place.path)?,
                WrittenAt::Set(set) => write!(f, " ({} at `--set {set}`)", place.label)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.only() {
            // The label already shows the file.
            Some(problem) if problem.source_code().is_some() => problem.fmt(f),
            Some(problem) => f.write_str(&self.line(problem)),
            None => write!(f, "{} has {} mistakes", self.subject, self.problems.len()),
        }
    }
}

impl std::error::Error for Problem {}
impl std::error::Error for Wrong {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        let in_file = self.places.iter().any(|place| matches!(place.at, WrittenAt::File(_)));
        self.source.as_deref().filter(|_| in_file).map(|source| source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let labels = self.places.iter().filter_map(|place| match &place.at {
            WrittenAt::File(span) => Some(LabeledSpan::new_with_span(Some(place.label.clone()), span.clone())),
            _ => None,
        });
        Some(Box::new(labels))
    }
}

impl Diagnostic for Wrong {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.only()?.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.only()?.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.only()?.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self.only() {
            Some(_) => None,
            None => Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic))),
        }
    }
}

impl From<Wrong> for Failure {
    fn from(wrong: Wrong) -> Failure {
        Failure::from(&wrong)
    }
}

impl From<&Wrong> for Failure {
    /// Shows each problem's place. Without a file, each of several problems has its own line.
    fn from(wrong: &Wrong) -> Failure {
        let excerpt = |place: &Location| match (&wrong.source, &place.at) {
            (Some(source), WrittenAt::File(span)) => Some(Excerpt::of(&wrong.subject, source.inner(), span.clone())),
            _ => None,
        };
        if let Some(problem) = wrong.only()
            && wrong.source.is_some()
        {
            let places = problem.places.iter().filter_map(|place| Some(excerpt(place)?.labelled(&place.label)));
            let failure = Failure::new(Cause::Fabfile, problem.to_string());
            return Failure { help: problem.help.clone(), places: places.collect(), ..failure };
        }
        let said = |problem: &Problem| match &problem.help {
            Some(help) => format!("{problem}: {help}"),
            None => problem.to_string(),
        };
        let first = |problem: &Problem| Some(excerpt(problem.places.first()?)?.labelled(said(problem)));
        if let Some(places) = wrong.problems.iter().map(first).collect::<Option<Vec<_>>>() {
            return Failure { places, ..Failure::new(Cause::Fabfile, wrong.to_string()) };
        }
        let lines: Vec<String> = wrong.problems.iter().map(|problem| wrong.line(problem)).collect();
        let failure = Failure::new(Cause::Fabfile, lines.join("\n"));
        let help = wrong.problems.iter().find_map(|problem| problem.help.clone());
        Failure { help, ..failure }
    }
}
