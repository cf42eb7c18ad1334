//! The protocol between the processes of a host and its store, in every order of events.
//!
//! A code counts once because a step is told only after its record is stored by compare-and-set. This model is that protocol
//! alone (`save`, `saveOwn` and `NotConfirmed` of `js/store.ts`, the loop of `js/store-loop.ts`), with a record of four facts in
//! place of the engine. Three clients, each a process of the host, work on one user, and the search visits every state that
//! they can reach.
//!
//! ```text
//!               ┌─────────────── not mine: the next race ◀────────────────┐
//!               ▼                                                         │
//!   Start ─▶ load, step ─▶ Sent ─▶ the store compares ─▶ Answered ─no─▶ Looks: is the record mine?
//!               │          ▲ │                            │   │          ▲ │ │
//!               │    again │ │ late             no answer │   │ written  │ │ └─ not mine, after an error ─▶ Ended,
//!               │          │ ▼                            │   │          │ │                     and nobody is told
//!               │        Unknown ◀────────────────────────┘   │    error │ │
//!               │            └────────────────────────────────┼──────────┘ │ mine
//!    nothing    ▼                                             ▼            │
//!    to store Replies ◀───────────────────────────────────────┴────────────┘
//!               │
//!               ▼
//!             Ended, and the reply is told
//! ```
//!
//! The store is a primary and a replica. [`Replication`] says when a write is at the replica; a failover makes the replica the
//! primary, and what it has not is lost. A client may crash at each place: its request may land later, and its reply never
//! leaves. A request that is late lands at any later time, or never.
//!
//! The writes have names, and the model keeps those that were ever stored and those that a failover lost. The properties
//! ([`Property`]) compare them with what was told. Each defect ([`Defect`]) leaves one rule out, and the search has to find the
//! property that breaks: so the properties can fail, and each rule has its reason.
//!
//! A client that finds its record after a lost race saves it once more: it is Sent again. After an error it Replies.
//!
//! A store that waits for its replica sends a save again itself, knows its own write, and reads none back after an error.
//!
//! Not in the model: two primaries at once, a restore from a backup, and an operator who deletes records.

use crate::search::{Model, Reached};

const CLIENTS: usize = 3;
const CODES: usize = 2;
/// Races that a client may lose. Three clients lose fewer, but for failovers.
const MAX_RACES: u8 = 3;

/// When a write is at the replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Replication {
    /// Before anybody sees it: `synchronous_commit` in PostgreSQL, or a single server that syncs its disk.
    BeforeSeen,
    /// Before it is answered, but readers may see it earlier: Redis with `WAIT`.
    BeforeAnswer,
    /// Some time later, or never.
    Later,
}

/// A rule that is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Defect {
    /// The store writes without comparing the version.
    NoCompare,
    /// The version is counted up, so that it returns after a failover.
    CountedVersions,
    /// The reply leaves before the answer of the store.
    ReplyBeforeSave,
    /// A client that reads back takes any new record for its own.
    AnyRecordIsMine,
    /// A record is loaded from the replica.
    ReplicaIsRead,
    /// A write that is not at the replica is read back, and counts.
    UnconfirmedIsReadBack,
    /// A client that lost a race does not look whether it lost to itself.
    NoSecondLook,
    /// A client that lost a race to itself believes so, and does not save once more.
    SecondLookIsBelieved,
}

/// The request of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Program {
    /// A login with this one of the user's codes.
    Login(usize),
    /// A login with a wrong code.
    Guess,
    /// Sets the first factor up.
    Enroll,
    /// Asks whether a factor is needed, and stores nothing.
    Begin,
}

/// How often each fault may happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Faults {
    crashes: u8,
    /// Answers and requests that do not arrive in time.
    broken: u8,
    /// Requests that a driver sends again.
    again: u8,
    failovers: u8,
}

const NONE: Faults = Faults { crashes: 0, broken: 0, again: 0, failovers: 0 };
const EACH_ONCE: Faults = Faults { crashes: 1, broken: 1, again: 1, failovers: 1 };
const EACH_TWICE: Faults = Faults { crashes: 2, broken: 2, again: 2, failovers: 2 };

struct Protocol {
    replication: Replication,
    programs: [Program; CLIENTS],
    faults: Faults,
    defect: Option<Defect>,
}

/// A property that holds in every state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Property {
    /// No code has two successes told. One whose write a failover lost does not count where replication is late.
    OneSuccessPerCode,
    /// No reply about a write is told before it is stored.
    StoredBeforeTold,
    /// A failover loses no write that was told, unless replication is late.
    NothingToldIsLost,
    /// The record has each change that was told and not lost: the used code, the guess, the factor.
    ToldIsInTheRecord,
    /// Nobody is let in without a factor after the user was told that there is one.
    FactorIsAskedFor,
    /// Nobody is refused because of the record that they wrote themselves. A failover may bring the expected version back, and
    /// a late save may land on it after its client has looked.
    NotRefusedByItself,
}

const PROPERTIES: [Property; 6] = [
    Property::OneSuccessPerCode,
    Property::StoredBeforeTold,
    Property::NothingToldIsLost,
    Property::ToldIsInTheRecord,
    Property::FactorIsAskedFor,
    Property::NotRefusedByItself,
];

/// The name of a write: of its client, and of the race. 0 is the record at the start.
type Name = u8;
/// More than there are names. The version of a write is its name, and of each later save of it so much more.
const NAMES: u8 = 16;

fn name(client: usize, race: u8) -> Name {
    1 + u8::try_from(client).unwrap() * (MAX_RACES + 1) + race
}

fn client_of(name: Name) -> usize {
    usize::from((name - 1) / (MAX_RACES + 1))
}

/// A set of names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Names(u16);

impl Names {
    fn has(self, name: Name) -> bool {
        self.0 & (1 << name) != 0
    }

    fn add(&mut self, name: Name) {
        self.0 |= 1 << name;
    }

    fn remove(&mut self, name: Name) {
        self.0 &= !(1 << name);
    }

    fn add_all(&mut self, others: Self) {
        self.0 |= others.0;
    }
}

/// A stored record. Its name makes its text unlike any other; its version is new in each save.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Stored {
    version: u8,
    name: Name,
    /// For each code the write that used it, or 0.
    used: [Name; CODES],
    guesses: u8,
    factor: bool,
}

/// A compare-and-set.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Save {
    expected: u8,
    write: Stored,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Told {
    /// The write of this name counts: let in, wrong, or enrolled.
    Done(Name),
    /// The code is used; `own` if the record that says so is this client's.
    Refused { own: bool },
    /// A factor is needed.
    Challenged,
    /// No factor is needed; `owed` if one had been told before the record was read.
    LetIn { owed: bool },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum At {
    Start,
    /// The save is on its way to the store.
    Sent(Save),
    /// The answer is on its way to the client.
    Answered(Save, bool),
    /// The connection broke.
    Unknown(Save),
    /// Reads back. A record that is not its own means a lost race, or after an error that nobody knows.
    Looks(Save, Otherwise),
    Replies(Told),
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Otherwise {
    Race,
    Fail,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Client {
    at: At,
    races: u8,
    /// A save whose sender does not wait for it any more.
    late: Option<Save>,
    told: Option<Told>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct State {
    primary: Stored,
    replica: Stored,
    clients: [Client; CLIENTS],
    left: Faults,
    /// Writes that were ever stored; those of them that are not at the replica; and those that a failover lost.
    stored: Names,
    unreplicated: Names,
    lost: Names,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Kind {
    Loads,
    LoadsFromReplica,
    SaveLands,
    LateSaveLands,
    AnswerArrives,
    AnswerIsLost,
    RequestIsLate,
    SendsAgain,
    GetsAnError,
    IsNotConfirmed,
    FindsItsRecord,
    FindsAnother,
    Tells,
    Crashes,
    Replicates,
    FailsOver,
}

/// An event, of a client or of the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Event {
    client: Option<usize>,
    kind: Kind,
}

impl Model for Protocol {
    type State = State;
    type Event = Event;

    fn start(&self) -> State {
        let factor = !self.programs.contains(&Program::Enroll);
        let stored = Stored { factor, ..Stored::default() };
        State {
            primary: stored,
            replica: stored,
            clients: [Client { at: At::Start, races: 0, late: None, told: None }; CLIENTS],
            left: self.faults,
            stored: Names::default(),
            unreplicated: Names::default(),
            lost: Names::default(),
        }
    }

    fn events(&self, state: &State) -> Vec<(Event, State)> {
        let mut events = Vec::new();
        for client in 0..CLIENTS {
            let mut add = |kind, next| events.push((Event { client: Some(client), kind }, next));
            self.client_events(state, client, &mut add);
            self.client_faults(state, client, &mut add);
        }
        if state.unreplicated != Names::default() {
            let mut next = *state;
            next.replica = next.primary;
            next.unreplicated = Names::default();
            events.push((Event { client: None, kind: Kind::Replicates }, next));
            if state.left.failovers > 0 {
                let mut next = *state;
                next.left.failovers -= 1;
                next.primary = next.replica;
                next.lost.add_all(next.unreplicated);
                next.unreplicated = Names::default();
                events.push((Event { client: None, kind: Kind::FailsOver }, next));
            }
        }
        events
    }
}

impl Protocol {
    /// The program of a client, as it goes on where nothing breaks.
    fn client_events(&self, state: &State, client: usize, add: &mut impl FnMut(Kind, State)) {
        let mut next = *state;
        let Client { at, late, .. } = state.clients[client];
        if let Some(save) = late {
            let mut next = *state;
            next.clients[client].late = None;
            self.land(&mut next, save);
            add(Kind::LateSaveLands, next);
        }
        match at {
            At::Start => {
                self.step(&mut next, client, state.primary);
                add(Kind::Loads, next);
                if self.has(Defect::ReplicaIsRead) {
                    let mut next = *state;
                    self.step(&mut next, client, state.replica);
                    add(Kind::LoadsFromReplica, next);
                }
            }
            At::Sent(save) => {
                let written = self.land(&mut next, save);
                next.clients[client].at = At::Answered(save, written);
                add(Kind::SaveLands, next);
            }
            At::Answered(save, written) => {
                let Stored { name, .. } = save.write;
                if written && self.replication == Replication::BeforeAnswer && state.lost.has(name) {
                    next.clients[client].at = At::Unknown(save);
                    add(Kind::AnswerIsLost, next);
                } else if written && self.replication == Replication::BeforeAnswer && state.unreplicated.has(name) {
                    next.clients[client].at = self.after_error(save);
                    add(Kind::IsNotConfirmed, next);
                } else {
                    match (written, self.has(Defect::NoSecondLook)) {
                        (true, _) => next.clients[client].at = At::Replies(Told::Done(name)),
                        (false, false) => next.clients[client].at = At::Looks(save, Otherwise::Race),
                        (false, true) => lose_race(&mut next, client),
                    }
                    add(Kind::AnswerArrives, next);
                }
            }
            At::Unknown(save) => {
                next.clients[client].at = self.after_error(save);
                add(Kind::GetsAnError, next);
            }
            At::Looks(save, otherwise) => {
                let is_new = state.primary.version != save.expected;
                let is_mine = state.primary.name == save.write.name;
                if is_mine && otherwise == Otherwise::Race && !self.has(Defect::SecondLookIsBelieved) {
                    let version = if self.has(Defect::CountedVersions) { state.primary.version + 1 } else { save.write.version + NAMES };
                    let write = Stored { version, ..save.write };
                    next.clients[client].at = At::Sent(Save { expected: state.primary.version, write });
                    add(Kind::FindsItsRecord, next);
                } else if is_mine || (self.has(Defect::AnyRecordIsMine) && is_new) {
                    next.clients[client].at = At::Replies(Told::Done(save.write.name));
                    add(Kind::FindsItsRecord, next);
                } else {
                    match otherwise {
                        Otherwise::Race => lose_race(&mut next, client),
                        Otherwise::Fail => next.clients[client].at = At::Ended,
                    }
                    add(Kind::FindsAnother, next);
                }
            }
            At::Replies(told) => {
                next.clients[client].at = At::Ended;
                next.clients[client].told = Some(told);
                add(Kind::Tells, next);
            }
            At::Ended => {}
        }
    }

    fn client_faults(&self, state: &State, client: usize, add: &mut impl FnMut(Kind, State)) {
        let at = state.clients[client].at;
        if state.left.crashes > 0 && !matches!(at, At::Start | At::Ended) {
            let mut next = *state;
            next.left.crashes -= 1;
            next.clients[client].at = At::Ended;
            if let At::Sent(save) = at {
                next.clients[client].late = Some(save);
            }
            add(Kind::Crashes, next);
        }
        if state.left.broken > 0
            && let At::Sent(save) | At::Answered(save, _) = at
        {
            let mut next = *state;
            next.left.broken -= 1;
            next.clients[client].at = At::Unknown(save);
            if at == At::Sent(save) {
                next.clients[client].late = Some(save);
                add(Kind::RequestIsLate, next);
            } else {
                add(Kind::AnswerIsLost, next);
            }
        }
        if state.left.again > 0
            && let At::Unknown(save) = at
        {
            let mut next = *state;
            next.left.again -= 1;
            next.clients[client].at = At::Sent(save);
            add(Kind::SendsAgain, next);
        }
    }

    /// The step on a record that was read: a reply at once where nothing is to be stored, or else a save.
    fn step(&self, state: &mut State, client: usize, read: Stored) {
        let name = name(client, state.clients[client].races);
        let version = if self.has(Defect::CountedVersions) { read.version + 1 } else { name };
        let mut write = Stored { name, version, ..read };
        let reply = match self.programs[client] {
            Program::Login(code) if read.used[code] == 0 => {
                write.used[code] = name;
                None
            }
            Program::Login(code) => Some(Told::Refused { own: read.name == read.used[code] && client_of(read.name) == client }),
            Program::Guess => {
                write.guesses += 1;
                None
            }
            Program::Begin if read.factor => Some(Told::Challenged),
            Program::Begin => Some(Told::LetIn { owed: self.counting(state, |program| program == Program::Enroll) > 0 }),
            Program::Enroll if read.factor => Some(Told::Refused { own: false }),
            Program::Enroll => {
                write.factor = true;
                None
            }
        };
        state.clients[client].at = match reply {
            Some(told) => At::Replies(told),
            None => At::Sent(Save { expected: read.version, write }),
        };
        if reply.is_none() && self.has(Defect::ReplyBeforeSave) {
            state.clients[client].told = Some(Told::Done(name));
        }
    }

    /// The store's compare-and-set; whether the record is written. A store that waits for its replica knows its own write again.
    fn land(&self, state: &mut State, Save { expected, write }: Save) -> bool {
        if self.replication == Replication::BeforeAnswer && state.primary == write {
            return true;
        }
        if state.primary.version != expected && !self.has(Defect::NoCompare) {
            return false;
        }
        state.primary = write;
        state.stored.add(write.name);
        state.lost.remove(write.name);
        match self.replication {
            Replication::BeforeSeen => state.replica = write,
            Replication::BeforeAnswer | Replication::Later => state.unreplicated.add(write.name),
        }
        true
    }

    /// A save that failed is read back, unless the store says that a read proves nothing.
    fn after_error(&self, save: Save) -> At {
        if self.replication == Replication::BeforeAnswer && !self.has(Defect::UnconfirmedIsReadBack) {
            At::Ended
        } else {
            At::Looks(save, Otherwise::Fail)
        }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn is_broken(&self, property: Property, state: &State) -> bool {
        let mut told = state.clients.iter().filter_map(|client| client.told);
        match property {
            Property::OneSuccessPerCode => (0..CODES).any(|code| self.counting(state, |program| program == Program::Login(code)) > 1),
            Property::StoredBeforeTold => told.any(|told| matches!(told, Told::Done(name) if !state.stored.has(name))),
            Property::NothingToldIsLost => {
                self.replication != Replication::Later && told.any(|told| matches!(told, Told::Done(name) if state.lost.has(name)))
            }
            Property::ToldIsInTheRecord => {
                let count = |wanted| self.counting(state, |program| program == wanted);
                let Stored { used, guesses, factor, .. } = state.primary;
                (0..CODES).any(|code| used[code] == 0 && count(Program::Login(code)) > 0)
                    || usize::from(guesses) < count(Program::Guess)
                    || (!factor && count(Program::Enroll) > 0)
            }
            Property::FactorIsAskedFor => told.any(|told| told == Told::LetIn { owed: true }),
            Property::NotRefusedByItself => {
                state.left.failovers == self.faults.failovers && told.any(|told| told == Told::Refused { own: true })
            }
        }
    }

    /// The clients of such programs who were told that their write counts, without writes that late replication has lost.
    fn counting(&self, state: &State, wanted: impl Fn(Program) -> bool) -> usize {
        let counts =
            |told: Option<Told>| matches!(told, Some(Told::Done(name)) if self.replication != Replication::Later || !state.lost.has(name));
        let clients = self.programs.iter().zip(&state.clients);
        clients.filter(|(program, client)| wanted(**program) && counts(client.told)).count()
    }
}

fn lose_race(state: &mut State, client: usize) {
    let races = &mut state.clients[client].races;
    *races += 1;
    state.clients[client].at = if *races > MAX_RACES { At::Ended } else { At::Start };
}

const SAME_CODE: [Program; CLIENTS] = [Program::Login(0); CLIENTS];
const TWO_CODES: [Program; CLIENTS] = [Program::Login(0), Program::Login(1), Program::Login(1)];
const GUESSES: [Program; CLIENTS] = [Program::Guess, Program::Guess, Program::Begin];
const FIRST_FACTOR: [Program; CLIENTS] = [Program::Enroll, Program::Begin, Program::Begin];

const ALL_PROGRAMS: [[Program; CLIENTS]; 4] = [SAME_CODE, TWO_CODES, GUESSES, FIRST_FACTOR];

/// Visits every state, and asserts that each property holds in it, and that the model is not an empty one.
#[expect(clippy::print_stderr, reason = "the number of states says how much was proved")]
fn assert_holds(replication: Replication, programs: [Program; CLIENTS], faults: Faults) {
    let protocol = Protocol { replication, programs, faults, defect: None };
    let is_broken = |state: &State| PROPERTIES.into_iter().find(|property| protocol.is_broken(*property, state));
    let reached = Reached::until(&protocol, |state| is_broken(state).is_some());
    let last = reached.states.last().unwrap();
    assert_eq!(is_broken(last), None, "{replication:?}, {programs:?}:\n{}", reached.trace());
    let seen =
        |wanted: fn(Told) -> bool| reached.states.iter().any(|state| state.clients.iter().any(|client| client.told.is_some_and(wanted)));
    assert!(seen(|told| matches!(told, Told::Done(_))), "nobody ever succeeds");
    let happened = |kind| reached.events().any(|event| event.kind == kind);
    for kind in [Kind::Crashes, Kind::RequestIsLate, Kind::AnswerIsLost, Kind::SendsAgain, Kind::LateSaveLands] {
        assert!(happened(kind), "{kind:?} never happens");
    }
    assert!(happened(Kind::FindsAnother) || programs == FIRST_FACTOR, "no race is lost");
    assert_eq!(happened(Kind::FailsOver), replication != Replication::BeforeSeen);
    for client in 0..CLIENTS {
        let ends_well = |state: &State| state.clients[client].told.is_some_and(|told| !matches!(told, Told::Refused { .. }));
        assert!(reached.states.iter().any(ends_well), "client {client} never succeeds");
    }
    let is_over = |state: &State| state.clients.iter().all(|client| client.at == At::Ended);
    assert!(reached.ends().all(is_over), "a client is stuck");
    let survives = |state: &State| state.left.crashes < faults.crashes && state.clients.iter().any(|client| client.told.is_some());
    assert!(reached.states.iter().any(survives), "a crash of one client stops all");
    eprintln!("{replication:?}, {programs:?}: {} states", reached.states.len());
}

/// Asserts that a defect breaks a property, and that the property holds without the defect.
#[expect(clippy::print_stderr, reason = "a trace tells how the defect breaks the property")]
fn assert_finds(defect: Defect, property: Property, replication: Replication, programs: [Program; CLIENTS], faults: Faults) {
    let protocol = |defect| Protocol { replication, programs, faults, defect };
    let broken = protocol(Some(defect));
    let reached = Reached::until(&broken, |state| broken.is_broken(property, state));
    let last = reached.states.last().unwrap();
    assert!(broken.is_broken(property, last), "{defect:?} breaks {property:?} in none of {} states", reached.states.len());
    eprintln!("{defect:?} breaks {property:?} after {} states:\n{}", reached.states.len(), reached.trace());
    let sound = protocol(None);
    let reached = Reached::until(&sound, |state| sound.is_broken(property, state));
    assert!(!sound.is_broken(property, reached.states.last().unwrap()), "also without {defect:?}:\n{}", reached.trace());
}

#[test]
fn t3_t5_a_code_counts_once_where_a_write_is_seen_only_once_it_is_replicated() {
    for programs in ALL_PROGRAMS {
        assert_holds(Replication::BeforeSeen, programs, EACH_TWICE);
    }
}

#[test]
fn t3_t5_a_code_counts_once_where_a_write_is_answered_only_once_it_is_replicated() {
    for programs in ALL_PROGRAMS {
        assert_holds(Replication::BeforeAnswer, programs, Faults { failovers: 2, ..EACH_ONCE });
    }
}

#[test]
fn t3_t5_a_code_counts_once_unless_late_replication_loses_its_write() {
    for programs in ALL_PROGRAMS {
        assert_holds(Replication::Later, programs, EACH_ONCE);
    }
}

#[test]
fn t3_a_store_that_does_not_compare_lets_a_code_count_twice() {
    let property = Property::OneSuccessPerCode;
    assert_finds(Defect::NoCompare, property, Replication::BeforeSeen, SAME_CODE, NONE);
    assert_finds(Defect::NoCompare, Property::ToldIsInTheRecord, Replication::BeforeSeen, GUESSES, NONE);
}

#[test]
fn a_version_that_is_counted_returns_after_a_failover() {
    let property = Property::OneSuccessPerCode;
    for replication in [Replication::BeforeAnswer, Replication::Later] {
        assert_finds(Defect::CountedVersions, property, replication, TWO_CODES, EACH_ONCE);
    }
}

#[test]
fn t5_a_reply_before_the_save_tells_two_that_they_are_in() {
    for property in [Property::StoredBeforeTold, Property::OneSuccessPerCode] {
        assert_finds(Defect::ReplyBeforeSave, property, Replication::BeforeSeen, SAME_CODE, NONE);
    }
}

#[test]
fn a_client_that_takes_any_record_for_its_own_lets_a_code_count_twice() {
    let property = Property::OneSuccessPerCode;
    assert_finds(Defect::AnyRecordIsMine, property, Replication::BeforeSeen, SAME_CODE, EACH_ONCE);
}

#[test]
fn a_replica_that_is_read_lets_a_user_in_without_the_new_factor() {
    let property = Property::FactorIsAskedFor;
    assert_finds(Defect::ReplicaIsRead, property, Replication::Later, FIRST_FACTOR, NONE);
}

/// The first failover brings the expected version back, and a save that a proxy kept lands on the new primary just before the second
/// look; the second failover loses it.
#[test]
fn a_second_look_that_is_believed_is_told_and_lost_over_two_failovers() {
    let faults = Faults { broken: 1, again: 1, failovers: 2, ..NONE };
    let property = Property::NothingToldIsLost;
    assert_finds(Defect::SecondLookIsBelieved, property, Replication::BeforeAnswer, SAME_CODE, faults);
}

/// Compare-and-set covers it: only an answer that stores nothing is wrong.
#[test]
fn a_replica_that_is_read_lets_no_code_count_twice() {
    let replication = Replication::Later;
    let protocol = Protocol { replication, programs: SAME_CODE, faults: EACH_ONCE, defect: Some(Defect::ReplicaIsRead) };
    let reached = Reached::until(&protocol, |state| protocol.is_broken(Property::OneSuccessPerCode, state));
    assert!(!protocol.is_broken(Property::OneSuccessPerCode, reached.states.last().unwrap()), "{}", reached.trace());
    assert!(reached.events().any(|event| event.kind == Kind::LoadsFromReplica));
}

#[test]
fn a_write_that_is_not_confirmed_and_read_back_is_lost_after_it_was_told() {
    let property = Property::NothingToldIsLost;
    assert_finds(Defect::UnconfirmedIsReadBack, property, Replication::BeforeAnswer, SAME_CODE, EACH_ONCE);
}

#[test]
fn a_client_that_looks_once_is_refused_by_its_own_record() {
    let property = Property::NotRefusedByItself;
    assert_finds(Defect::NoSecondLook, property, Replication::BeforeSeen, SAME_CODE, EACH_ONCE);
}
