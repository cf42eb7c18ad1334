//! Every state that a model can reach, by breadth-first search: a trace that is found is a shortest one.
#![expect(clippy::disallowed_types, reason = "a set whose order nobody reads, and a tree is slower")]

use std::collections::HashSet;
use std::fmt::{Debug, Write};
use std::hash::Hash;

/// States, and the events that lead from one to the next.
pub trait Model {
    type State: Clone + Eq + Hash + Debug;
    type Event: Debug;

    fn start(&self) -> Self::State;

    /// Each event that is possible now, with the state after it.
    fn events(&self, state: &Self::State) -> Vec<(Self::Event, Self::State)>;
}

/// The states that a search has reached, those with the shortest way first.
pub struct Reached<M: Model> {
    pub states: Vec<M::State>,
    /// For each state the one before it, and the event between; the start has none.
    before: Vec<Option<(usize, M::Event)>>,
    /// The states after which nothing happens.
    ends: Vec<usize>,
}

impl<M: Model> Reached<M> {
    /// All that can be reached, or all up to the first state that is `wanted`, which is the last one then.
    pub fn until(model: &M, wanted: impl Fn(&M::State) -> bool) -> Self {
        let start = model.start();
        let mut found = wanted(&start);
        let mut known = HashSet::from([start.clone()]);
        let mut reached = Self { states: vec![start], before: vec![None], ends: Vec::new() };
        let mut at = 0;
        while !found && at < reached.states.len() {
            let events = model.events(&reached.states[at]);
            if events.is_empty() {
                reached.ends.push(at);
            }
            for (event, next) in events {
                if !known.insert(next.clone()) {
                    continue;
                }
                found = wanted(&next);
                reached.states.push(next);
                reached.before.push(Some((at, event)));
                if found {
                    break;
                }
            }
            at += 1;
        }
        reached
    }

    /// The events that first led to new states.
    pub fn events(&self) -> impl Iterator<Item = &M::Event> {
        self.before.iter().flatten().map(|(_, event)| event)
    }

    /// The states after which nothing happens.
    pub fn ends(&self) -> impl Iterator<Item = &M::State> {
        self.ends.iter().map(|at| &self.states[*at])
    }

    /// The way to the last state, one event a line.
    pub fn trace(&self) -> String {
        let mut way = Vec::new();
        let mut at = self.states.len() - 1;
        while let Some((before, event)) = &self.before[at] {
            way.push(event);
            at = *before;
        }
        way.iter().rev().fold(String::new(), |mut text, event| {
            writeln!(text, "  {event:?}").unwrap();
            text
        })
    }
}
