//! A layer of the door, and the layers further in.
use crate::{
    effect::{Answered, Ask, Call, Lane, World},
    failure::Failure,
    fleet::Fleet,
};

/// A layer of the door.
pub trait Layer: Send + Sync {
    fn pass(&self, call: Call<'_>, rest: InnerLayers<'_>) -> Answered;

    /// Called when a fleet is added to the run; a layer may refuse it.
    fn admit(&self, _fleet: &Fleet) -> Result<(), Failure> {
        Ok(())
    }

    /// Called when a lane has ended.
    fn ended(&self, _lane: &Lane, _failure: Option<&Failure>) {}
}

/// The layers further in, and the world.
#[derive(Clone, Copy)]
pub struct InnerLayers<'a> {
    layers: &'a [Box<dyn Layer>],
    world: &'a dyn World,
}

impl<'a> InnerLayers<'a> {
    /// Makes the rest that has all layers.
    pub(super) fn all(layers: &'a [Box<dyn Layer>], world: &'a dyn World) -> Self {
        InnerLayers { layers, world }
    }

    pub fn pass(self, call: Call<'_>) -> Answered {
        match self.layers.split_first() {
            Some((first, layers)) => first.pass(call, InnerLayers { layers, ..self }),
            None => self.world.perform(call),
        }
    }

    /// Lets a layer read for itself: directly from the world, without a number.
    pub fn ask<'b>(&'b self, call: &'b Call<'b>) -> Ask<'b> {
        Ask::of(self.world, call)
    }

    pub fn world(&self) -> &'a dyn World {
        self.world
    }
}
