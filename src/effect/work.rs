//! Work that a world runs side by side.

/// What one lane does. It owns all it needs, so that a world may run it on a thread or on a stack of its own.
pub type LaneWork = Box<dyn FnOnce() + Send>;

/// As long as this lives, no other lane of the run comes near.
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
