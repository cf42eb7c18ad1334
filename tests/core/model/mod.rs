//! A model of the rules beside the real engine: random commands, and every answer compared.
//!
//! The model keeps its own books of each user, in clear, by the rules that README, SECURITY.md, DESIGN.md and docs
//! promise. It calls none of the engine's helpers, so that a mistake there is no mistake here.
//!
//! | file | what it holds |
//! |---|---|
//! | `events.rs` | random commands, and what befalls a host: lost races, failing stores |
//! | `changes.rs` | the clock, the keys and the policies change |
//! | `strangers.rs` | someone who has the password |
//! | `first_factor.rs` | users who never had a factor, set-up tickets, and someone who keeps them |
//! | `world.rs` | the host: stores, keys, clock, counts; each command compared with the model |
//! | `host.rs` | one command on the real engine |
//! | `rules.rs`, `document.rs`, `places.rs` | the rules that hold for a user, of one account or of many; networks and roles |
//! | `browsers.rs` | trusted browsers: events, the answer that is promised, and T55 of each step |
//! | `gates.rs` | a gate in front of each account |
//! | `oracle.rs`, `setups.rs`, `shadow.rs` | the answer that is promised |
//! | `invariants.rs`, `first_factor_invariants.rs`, `reset_invariants.rs` | SECURITY.md's sentences, asked of each step whatever the oracle said |
//! | `attacks.rs` | the count of what was tried, and of the rules that were met |
//! | `operator_moves.rs` | T58: users whom the operator moves to another account, or erases |
//! | `moved.rs` | T41 in the store: factors moved between records |
//! | `ways.rs` | T46: the ways back in, walked on the real engine |
//!
//! The accounts of the model: a strict one, a lenient one, and a host that gives no account. That host has one policy,
//! or its users have one second factor for many accounts, a strict one among them. The promise that matters most is the
//! invariant "a lenient account opens a strict one by no sequence of commands" in `invariants.rs`.
//!
//! An episode is a seed. Each step draws from the seed and its own number alone, so that a violation is shrunk by
//! leaving steps out, and printed as the seed and the steps that are left.
//!
//! It is a module of the library's unit tests, and not a test binary of its own, because a password hash takes 20 ms
//! and the model needs a hundred thousand: `cfg(test)` of this crate makes hashes cheap where the model asks for it
//! (`hashed_codes::tests::CHEAP`), and nothing that is shipped has that switch. A feature could be turned on by
//! anybody's build.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unreachable,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic and print"
)]

mod ask;
mod attacks;
mod browsers;
mod changes;
mod document;
mod events;
mod first_factor;
mod first_factor_invariants;
mod gates;
mod host;
mod invariants;
mod moved;
mod operator_moves;
mod oracle;
mod places;
mod reset_invariants;
mod rng;
mod rules;
mod seen;
mod setups;
mod shadow;
mod strangers;
mod ways;
mod world;

use std::collections::BTreeMap;

use events::{MOODS, Mood};
use rng::Rng;
use world::{PEOPLE, World};

/// The seed of `npm test`.
const SEED: u64 = 20_261_126;
/// Events of an episode.
const EPISODE: u64 = 600;
/// Threads, on any machine: so that a seed gives the same run everywhere.
const LANES: u64 = 4;
/// Runs of an episode to shrink it, without `COUNTERSIGN_MODEL_SHRINK`.
const MOST_RUNS: u64 = 400;
/// Steps without `COUNTERSIGN_MODEL_STEPS`: enough for the inner loop.
const FEW: u64 = 4_000;
/// From so many steps on, everything important must have been seen.
const MANY: u64 = 100_000;

/// Results that a run of [`MANY`] steps must have seen: otherwise the model has gone blind.
const IMPORTANT: [&str; 233] = [
    "begin: allowed",
    "begin: challenge",
    "begin: denied ApiClientBlocked",
    "begin: denied EnrollmentRequired",
    "begin: denied NoUsableMethod",
    "begin: key missing",
    "begin: setup",
    "check: in by pass",
    "check: in without pass",
    "check: second step expired",
    "check: second step other_account",
    "check: second step other_session",
    "check: second step other_user",
    "check: second step revoked",
    "check: second step too_old",
    "confirm_backup_codes: confirmed",
    "confirm_backup_codes: denied FreshFactorRequired",
    "confirm_backup_codes: expired",
    "confirm_sms: alreadyused",
    "confirm_sms: denied FreshFactorRequired",
    "confirm_sms: enrolled",
    "confirm_sms: expired",
    "confirm_sms: wrong",
    "confirm_totp: alreadyused",
    "confirm_totp: denied FreshFactorRequired",
    "confirm_totp: enrolled",
    "confirm_totp: expired",
    "confirm_totp: wrong",
    "confirm_totp: wrong by a slow clock",
    "enroll_sms: denied NumberNotAllowed",
    "enroll_sms: denied Plan",
    "enroll_sms: denied TooOften until a time",
    "enroll_sms: sms refused CountFailed",
    "enroll_sms: sms refused NumberBudget",
    "enroll_sms: smssent",
    "enroll_totp: appstarted",
    "enroll_totp: denied FreshFactorRequired",
    "enroll_totp: denied OtherSession",
    "enroll_totp: denied TicketExpired",
    "enroll_totp: denied TicketInvalid",
    "enroll_totp: denied TooOften until a time",
    "event a ticket for a first factor was brought after one",
    "erased: ended",
    "erased: movechanged",
    "withdraw: ended",
    "event a late arrival was taken back",
    "event a move was cut off",
    "event clock back",
    "event keys changed",
    "event messages crossed",
    "event policy changed",
    "event race lost",
    "event reply lost after the write",
    "event store failed before the write",
    "event the code of a set-up was ended by wrong ones",
    "gate: stopped address_denied",
    "gate: stopped address_not_allowed",
    "gate: stopped address_unknown",
    "gate: stopped other_account",
    "gate: stopped other_session",
    "gate: stopped pass_expired",
    "gate: stopped pass_invalid",
    "gate: stopped pass_revoked",
    "gate: stopped revocation_stale",
    "gate: through",
    "gate: through in a later epoch than the list names",
    "invariant a code counts once, wherever its factor was moved",
    "invariant a code logs in or confirms only if it is right and in time",
    "invariant a slow clock is told by a code of the last ten minutes alone",
    "invariant a forced set-up begins by a pass, or by its ticket before there ever was a factor",
    "invariant the pass of a recovery code changes nothing beside another one",
    "invariant a lenient account opens a strict one by no sequence of commands",
    "invariant a login leads to the first factor of a person who never had one",
    "invariant a login that leads to a set-up is logged, and changes no factor",
    "invariant a new epoch is told to the gate",
    "invariant a pass counts for its user, account, session and life",
    "invariant a pass of an earlier epoch than the list names comes in nowhere",
    "invariant a refused command changes nothing",
    "invariant a set-up counts for its user, account, session, method, epoch and life",
    "invariant a set-up message over its limit changes nothing, and is not sent",
    "invariant a strict account lets in a program without a pass only from a named address",
    "invariant all accounts of a user agree, and no owner's code counts",
    "invariant all of several accounts agree",
    "invariant an sms only for a record that is stored",
    "invariant an sms only to an allowed number, and for a login only of an account that does not wait",
    "invariant changes only with a fresh pass of this user, account, session and epoch",
    "invariant guesses come no faster than the bucket leaks",
    "invariant a removed factor does not come back",
    "event a late arrival",
    "event a late arrival lost its race",
    "depart: refused",
    "arrive: movechanged",
    "leave: movechanged",
    "invariant a factor counts at one place at most",
    "invariant a move that is complete leaves nothing at the old place",
    "invariant nothing moves beside a second factor",
    "invariant the code of a phone's set-up has five wrong tries",
    "invariant the user is told of a lock, once",
    "invariant user and owners are told of a first factor by the password",
    "invariant verified through a ticket of this user, account and session, in time",
    "invariant where a factor is forced, the password enrolls nothing",
    "invariant wrong codes of a set-up are charged to no login",
    "invariant wrong recovery codes are charged to nobody",
    "issue_recovery_code: denied FreshFactorRequired",
    "issue_recovery_code: denied NotForOneself",
    "issue_recovery_code: denied OperatorOnly",
    "issue_recovery_code: denied OwnerOnly",
    "issue_recovery_code: denied TooOften until a time",
    "issue_recovery_code: recovery",
    "arrive: moved",
    "arrive: nothing moved",
    "depart: ended",
    "depart: nothing moved",
    "leave: ended",
    "settle: ended",
    "erased: refused",
    "operator reset: refused",
    "operator withdraw: withdrawn",
    "refused a backup_code moved in the store",
    "refused a code of another account",
    "refused a code of another ticket",
    "refused a code of a later step",
    "refused a code used before",
    "refused a first factor by the password to a program",
    "refused a pass of an earlier epoch",
    "refused a pass of another account",
    "refused a pass of another user",
    "refused a record moved in the store",
    "refused a recovery_code moved in the store",
    "refused a set-up by ticket after the rules have changed",
    "refused a set-up of an earlier epoch",
    "refused a set-up of another account",
    "refused a set-up of another method",
    "refused new codes of another account",
    "refused new codes of another session",
    "refused new codes that are saved",
    "refused a set-up of another session",
    "refused a set-up of another user",
    "refused a set-up ticket after the rules have changed",
    "refused a set-up ticket at the second step",
    "refused a set-up ticket from the future",
    "refused a set-up ticket of a user who had a factor",
    "refused a set-up ticket of another account",
    "refused a set-up ticket of another session",
    "refused a set-up ticket of another user",
    "refused a set-up ticket that had ended",
    "refused a sms moved in the store",
    "refused a ticket of another account",
    "refused a ticket of another session",
    "refused a ticket of another user",
    "refused a ticket of the second step at a set-up",
    "refused a totp moved in the store",
    "refused an altered set-up",
    "remove: denied EnrollmentRequired",
    "remove: removed",
    "renew_backup_codes: codes",
    "renew_backup_codes: denied TooOften until a time",
    "rule: a program is denied although it is on the api list",
    "rule: a program is on the api list",
    "rule: a program passes the allow list",
    "rule: a rule that had ended holds again",
    "rule: an ended list admits nobody",
    "rule: an ended list has everybody outside",
    "rule: forced for a role",
    "rule: forced for roles that nobody told",
    "rule: forced from a network",
    "rule: forced outside of networks",
    "rule: not outside of the networks",
    "rule: several accounts of one user",
    "rule: the roles that were told force nothing",
    "send_sms: denied MethodNotOffered",
    "send_sms: denied NumberNotAllowed",
    "send_sms: sms refused Budget",
    "send_sms: smssent",
    "show_backup_codes: codes",
    "show_new_backup_codes: codes",
    "show_new_backup_codes: denied FreshFactorRequired",
    "show_new_backup_codes: expired",
    "show_totp_setup: appstarted",
    "show_totp_setup: expired",
    "sms_never_left: a slot came back",
    "sms_never_left: no slot came back",
    "verify: alreadyused",
    "verify: key missing",
    "verify: locked",
    "verify: stopped",
    "verify: wrong by a slow clock",
    "verify: verified backup_code",
    "verify: verified recovery_code",
    "verify: verified sms",
    "verify: verified totp",
    "way App",
    "way BackupCode",
    "way FirstFactorByPassword",
    "way OperatorsCode of a stopped account",
    "way OwnersCode",
    "way Phone",
    "way: after the address rules were opened",
    "invariant a ticket or set-up from before a change of the password opens nothing",
    "password_changed: ended",
    "sign_out_everywhere: ended",
    "refused a ticket from before a change of the password",
    "refused a set-up from before a change of the password",
    "begin: denied RecoveryCodeRequired",
    "check: denied RecoveryCodeRequired",
    "invariant a reset leaves no factor, and is logged and told to user and owners",
    "invariant a reset user gets in only by a recovery code",
    "invariant after a reset no old ticket, set-up, pass or factor opens anything",
    "invariant nobody resets themselves",
    "refused a pass from before a reset",
    "refused a ticket from before a reset",
    "operator reset: recovery",
    "reset: denied FreshFactorRequired",
    "reset: denied NotForOneself",
    "reset: denied OperatorOnly",
    "reset: denied OwnerOnly",
    "reset: denied TooOften until a time",
    "reset: recovery",
    "way OwnersCode of a reset user",
    "gate: stopped method_not_accepted",
    "check: second step method_not_accepted",
    "invariant a trusted browser answers only a login on the web of its own user and account",
    "invariant a trusted browser is charged to nobody, and takes no charge back",
    "invariant a trusted browser is dead after each ending",
    "invariant nothing is fresh by a trusted browser, and its pass counts where the policy has it",
    "invariant the user is told of a copied browser, and it ends",
    "refused a trusted browser of another account",
    "refused a trusted browser of another user",
    "refused a trusted browser that had ended, or turned just before",
    "refused a trusted browser that was copied",
    "refused a trusted_browser moved in the store",
    "remove_trusted_browser: browserremoved",
    "verify: verified trusted_browser",
];

/// T41, T46, T47, T49, T55, T56, T57 and T58, and the rest of SECURITY.md's table as far as commands reach it.
#[test]
fn t41_t46_t47_t49_the_engine_answers_as_its_model() {
    let steps = number("COUNTERSIGN_MODEL_STEPS").unwrap_or(FEW);
    let seed = number("COUNTERSIGN_MODEL_SEED").unwrap_or(SEED);
    println!("model: {steps} steps from seed {seed}");
    let counts: Vec<BTreeMap<String, u64>> = std::thread::scope(|scope| {
        let run_lane = |lane| {
            crate::hashed_codes::make_hashes_cheap();
            run(seed + lane, steps / LANES)
        };
        let runs: Vec<_> = (0..LANES).map(|lane| scope.spawn(move || run_lane(lane))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let mut total: BTreeMap<String, u64> = BTreeMap::new();
    for (what, times) in counts.into_iter().flatten() {
        *total.entry(what).or_default() += times;
    }
    for (what, times) in &total {
        println!("{times:>8} {what}");
    }
    if steps >= MANY {
        let unseen: Vec<_> = IMPORTANT.into_iter().filter(|what| !total.contains_key(*what)).collect();
        assert!(unseen.is_empty(), "the model is blind for {unseen:?}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the length of a test run")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn run(first: u64, steps: u64) -> BTreeMap<String, u64> {
    let mut total: BTreeMap<String, u64> = BTreeMap::new();
    let (mut done, mut seed) = (0, first);
    while done < steps {
        match episode(seed, |_| true, EPISODE, false) {
            Ok(world) => {
                done += world.steps;
                *total.entry("steps".to_owned()).or_default() += world.steps;
                *total.entry("episodes".to_owned()).or_default() += 1;
                for (what, times) in world.count {
                    *total.entry(what).or_default() += times;
                }
            }
            Err(broken) => panic!("{}", shrink(seed, &broken)),
        }
        seed += LANES;
    }
    total
}

/// A violation: the event in which it was seen, and its text; the events before it.
struct Broken {
    at: u64,
    text: String,
    trace: Vec<String>,
}

impl Broken {
    fn name(&self) -> &str {
        self.text.split(':').next().unwrap()
    }
}

fn episode(seed: u64, is_kept: impl Fn(u64) -> bool, events: u64, trace: bool) -> Result<World, Broken> {
    let mut rng = Rng::new(seed);
    let mood: Mood = rng.pick(&MOODS);
    let favourite = rng.below(PEOPLE);
    let mut world = World::new(&mut rng, trace);
    for at in (0..events).filter(|at| is_kept(*at)) {
        let mut rng = Rng::of_step(seed, at);
        let mut outcome = world.event(mood, favourite, &mut rng);
        if outcome.is_ok() && at % 16 == 0 {
            let who = if rng.percent(70) { favourite } else { rng.below(PEOPLE) };
            outcome = world.walk_back_in(who, &mut rng).and_then(|()| world.move_factors_here(who, &mut rng));
        }
        if let Err(text) = outcome {
            return Err(Broken { at, text, trace: world.trace.unwrap_or_default() });
        }
    }
    Ok(world)
}

/// Leaves out what is not needed for the violation, and tells it.
fn shrink(seed: u64, broken: &Broken) -> String {
    let most_runs = number("COUNTERSIGN_MODEL_SHRINK").unwrap_or(MOST_RUNS);
    let mut kept: Vec<u64> = (0..=broken.at).collect();
    let mut runs = 0;
    let mut breaks = |kept: &[u64]| {
        runs += 1;
        runs < most_runs && episode(seed, |at| kept.contains(&at), EPISODE, false).is_err_and(|other| other.name() == broken.name())
    };
    let mut size = kept.len() / 2;
    while size > 0 {
        let mut from = 0;
        while from < kept.len() {
            let fewer: Vec<u64> =
                kept.iter().enumerate().filter(|(index, _)| !(from..from + size).contains(index)).map(|(_, at)| *at).collect();
            if breaks(&fewer) { kept = fewer } else { from += size }
        }
        size /= 2;
    }
    let last = episode(seed, |at| kept.contains(&at), EPISODE, true);
    let (text, trace) = last.map_or_else(|broken| (broken.text, broken.trace), |_| (broken.text.clone(), Vec::new()));
    let replay = format!("COUNTERSIGN_MODEL_SEED={seed} cargo test --lib model::");
    format!("seed {seed}, events {kept:?}; again by: {replay}\n  {}\n{text}", trace.join("\n  "))
}
