//! Shadow mode: a refused request goes on all the same, as nobody. It is logged and counted like any
//! refusal, and counts once more as `shadow_would_deny`.

use super::admission::Admission;
use super::answer::Answer;
use super::config::Mode;
use super::counters::Counter;

/// Whether a request goes on or is answered.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It goes on.
    Admit(Admission),
    /// It is answered in the upstream's place.
    Answer(Answer),
}

impl Outcome {
    pub(super) fn of_refusal(mode: Mode, answer: Answer, as_nobody: &Admission, counters: &mut Vec<Counter>) -> Self {
        match mode {
            Mode::Enforce => Self::Answer(answer),
            Mode::Shadow => {
                counters.push(Counter::ShadowWouldDeny);
                Self::Admit(as_nobody.clone())
            }
        }
    }
}
