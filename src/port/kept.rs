//! Values that domains keep during a run, each under its own type.
use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// One value of each type, created when it's first asked for.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Kept {
    /// Returns the value of a type, or its default the first time.
    pub fn get<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut all = self.0.lock().unwrap();
        let value = all.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default())).clone();
        value.downcast().expect("a value is kept under its own type")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_under_its_type() {
        let kept = Kept::default();
        *kept.get::<Mutex<u8>>().lock().unwrap() = 3;
        assert_eq!(*kept.get::<Mutex<u8>>().lock().unwrap(), 3);
        assert_eq!(*kept.get::<Mutex<String>>().lock().unwrap(), "");
    }
}
