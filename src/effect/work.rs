//! Work that a world runs in parallel.

/// The work of one lane. It owns all it needs, so that a world may run it on another thread or stack.
pub type LaneWork = Box<dyn FnOnce() + Send>;

/// A guard that keeps the other lanes of the run away while it lives.
pub struct Alone<'a>(Option<Box<dyn FnOnce() + 'a>>);

impl<'a> Alone<'a> {
    pub fn until_dropped(release: impl FnOnce() + 'a) -> Self {
        Self(Some(Box::new(release)))
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            release();
        }
    }
}
